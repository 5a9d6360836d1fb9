"""A study file is run as a program in its folder is: it imports what is beside it, and errors name its lines."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from study.spec import find
from study.store.database import Store
from study.study_file import check_names, folders, imported_from
from study.train.machine import num_cores
from tests.support.studies import command, run_cli, study_file
from trainables.errors import SpecError


def with_neighbour(folder: Path, name: str = "near", seeds: int = 2) -> Path:
    """A study file that imports its number of seeds from a file beside it, and a helper from a package."""
    path = study_file(folder, name)
    text = path.read_text().replace("seeds=2", "seeds=same(SEEDS)")
    path.write_text(f"from parity import SEEDS\nfrom tools.helper import same\n{text}")
    (folder / "parity.py").write_text(f"SEEDS = {seeds}\n")
    (folder / "tools").mkdir()
    (folder / "tools/__init__.py").touch()
    (folder / "tools/helper.py").write_text("def same(value):\n    return value\n")
    return path


@pytest.fixture(autouse=True)
def as_before():
    """The path and the modules of this process stay what they were."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_a_study_file_imports_what_is_beside_it_and_reads_it_anew(tmp_path):
    path = with_neighbour(tmp_path / "one")
    assert find(str(path)).seeds == 2
    assert folders() == [str(tmp_path / "one")]
    found = {
        name: tmp_path / "one" / path
        for name, path in (("near", "near.py"), ("parity", "parity.py"), ("tools", "tools"))
    }
    assert imported_from(tmp_path / "one") == found
    other = with_neighbour(tmp_path / "two", seeds=3)
    assert find(str(other)).seeds == 3, "not the parity that was imported before"
    assert sys.path.count(str(tmp_path / "one")) == 0
    (tmp_path / "one/parity.py").write_text("SEEDS = 17\n")
    assert find(str(path)).seeds == 17


def test_relative_paths_work_from_every_folder(tmp_path, monkeypatch):
    with_neighbour(tmp_path / "sub")
    for folder, name in ((tmp_path, "sub/near.py"), (tmp_path / "sub", "near.py")):
        monkeypatch.chdir(folder)
        assert find(name).seeds == 2


@pytest.mark.parametrize("absolute", [True, False])
def test_an_error_names_the_line_of_the_file(tmp_path, monkeypatch, absolute):
    monkeypatch.chdir(tmp_path)
    name = str(tmp_path / "bad.py") if absolute else "bad.py"
    for text, line in (("a = 1\nb = a / 0\n", 2), ("a = 1\n\n\nb = = 2\n", 4), ("import json\njson.loads('')\n", 2)):
        Path("bad.py").write_text(text)
        with pytest.raises(SpecError, match=rf"study file '{name}', line {line}, fails when it is run: "):
            find(name)


@pytest.mark.parametrize("name", ["study.py", "trainables/__init__.py", "random.py", "torch.py", "ray.py", "time.py"])
def test_a_file_that_hides_a_module_is_refused_before_any_work(tmp_path, name):
    path = study_file(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    hides = name.partition("/")[0].removesuffix(".py")
    with pytest.raises(SpecError, match=rf"'{tmp_path}/.*' hides the module '{hides}' .* Rename it\."):
        find(str(path))


def test_other_files_beside_it_hide_nothing(tmp_path):
    path = study_file(tmp_path)
    for name in ("parity.py", "notes.txt", "random.txt", "test/__init__.py", "data/random.py", "study/results.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find(str(path)).seeds == 2
    check_names(Path(__file__).parents[2])  # where this package itself is


def test_a_worker_looks_in_the_current_folder_so_nothing_there_may_hide_a_module(tmp_path):
    (tmp_path / "random.py").touch()
    line, env = command("run", "first_map", "--store", tmp_path / "store", PYTHONPATH=str(Path(__file__).parents[2]))
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "random.py' hides the module 'random'" in done.stderr
    assert "Rename it, or start from another folder." in done.stderr


LABEL = """
from enum import StrEnum


class Operation(StrEnum):
    ADD = "add"
    SUB = "sub"
"""


@pytest.mark.ray
def test_workers_import_what_is_beside_a_study_file_and_have_the_cores_that_were_asked_for(tmp_path):
    path = study_file(tmp_path / "beside", axes="{'task.operation': tuple(Operation)}")
    path.write_text(f"from words import Operation\n{path.read_text()}")
    (tmp_path / "beside/words.py").write_text(LABEL)
    cores = min(2, num_cores())
    done = run_cli("run", path, "--store", tmp_path / "store", "--compile", "off", "--cpus-per-pack", cores)
    assert done.returncode == 0, done.stderr
    query = "select spec ->> '$.task.operation', threads::integer from runs join attempts using (run_id) order by all"
    assert Store.open(tmp_path / "store").sql(query).fetchall() == [("add", cores)] * 2 + [("sub", cores)] * 2


def test_what_a_program_has_imported_by_itself_stays(tmp_path, monkeypatch):
    path = with_neighbour(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    parity = importlib.import_module("parity")
    assert [find(str(path)).seeds for _ in range(2)] == [2, 2]
    assert sys.modules["parity"] is parity
