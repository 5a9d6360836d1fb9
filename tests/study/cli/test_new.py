"""`study new`: what it writes passes `study check`, trains, and overwrites nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from study.cli.new import FILES, PLACE
from study.spec import find
from tests.study.cli.test_check import folder  # noqa: F401 - a fixture
from tests.support.file_size import files_end_at
from trainables.engine import train_pack

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("kind", "files", "next_commands"),
    [
        ("task", ["parity.py", "parity_study.py"], "study check parity.py\nstudy run parity_study.py --report\n"),
        ("model", ["parity.py", "parity_study.py"], "study check parity.py\nstudy run parity_study.py --report\n"),
        ("study", ["parity.py"], "study check parity.py\nstudy run parity.py --report\n"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_written_passes_its_check_and_trains(call, kind, files, next_commands):
    said = call("new", kind, "parity")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"Wrote {' and '.join(files)}. Next:\n\n{next_commands}"
    assert sorted(path.name for path in Path().iterdir()) == files
    assert not any(PLACE in Path(file).read_text() for file in files)
    for file in files:
        checked = call("check", file)
        assert (checked.code, checked.err) == (0, ""), checked.out
    study = find(files[-1])
    assert len(study.axes) == 2
    assert len(study.points()) * study.seeds <= 40
    [state] = train_pack([study.run(study.points()[0], 0)], horizon=3, record=lambda flush: None, compile="off")
    assert state.stop_reason == "horizon"


@pytest.mark.parametrize("kind", FILES)
def test_no_file_is_overwritten_and_none_is_written_beside_it(call, folder, kind):  # noqa: F811
    for form in FILES[kind].values():
        path = Path(form.format("mine"))
        path.write_text("mine")
        said = call("new", kind, "mine")
        assert said.code == 2
        assert said.err == (
            f"study: study new {kind} 'mine': '{path}' is there, and nothing is overwritten. Take another name, or "
            "move it.\n"
        )
        assert [(other.name, other.read_text()) for other in folder.iterdir()] == [(path.name, "mine")]
        path.unlink()


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("task", "sparse-parity", "a name is letters, digits and '_', as Python's names are, without .py."),
        ("task", "parity.py", "a name is letters, digits and '_', as Python's names are, without .py."),
        ("model", "class", "a name is letters, digits and '_', as Python's names are, without .py."),
        ("model", "../net", "a name is letters, digits and '_', as Python's names are, without .py."),
        ("study", "random", "random.py would hide the module 'random', which is needed. Take another name."),
        ("task", "study", "study.py would hide the module 'study', which is needed. Take another name."),
        ("task", "modular", "there is a task of this name in the package. Take another name."),
        ("study", "first_map", "there is a study of this name in the package. Take another name."),
    ],
)
def test_a_name_that_cannot_be_imported_is_one_line(call, folder, kind, name, reason):  # noqa: F811
    said = call("new", kind, name)
    assert (said.code, said.out, said.err) == (2, "", f"study: study new {kind} {name!r}: {reason}\n")
    assert list(folder.iterdir()) == []


def test_templates_are_in_the_house_style(tmp_path):
    for template in (ROOT / "study/templates").iterdir():
        path = tmp_path / template.name.removesuffix(".txt")
        path.write_text(template.read_text().replace(PLACE, "parity"))
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--config", ROOT / "pyproject.toml", tmp_path],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("folder")
def test_a_full_disk_leaves_no_half_of_a_file(call):
    with files_end_at(200), pytest.raises(OSError, match="File too large"):
        call("new", "study", "parity")
    assert list(Path().iterdir()) == []
    assert call("new", "study", "parity").code == 0
