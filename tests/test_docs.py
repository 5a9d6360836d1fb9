"""The documents say what is true: their examples run, and the files and commands that they name exist."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from study.cli import cli
from study.spec import CATALOG, StudySpec
from study.store import Store
from tests.synthetic import run, step_up, write_study
from trainables.components import available

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that answers like the README's, but for the name of its study."""
    cells = [{"task.train_fraction": fraction, "optimizer.weight_decay": 1.0} for fraction in (0.3, 0.6)]
    runs = [
        run(
            f"{i:016x}",
            {"train.accuracy": step_up(5), "test.accuracy": step_up(late), "model.weight_norm": step_up(5)},
            point,
        )
        for i, (point, late) in enumerate(zip(cells * 2, (None, 100, 200, 100), strict=True))
    ]
    axes = {"task.train_fraction": [0.3, 0.6], "optimizer.weight_decay": [1.0]}
    return write_study(tmp_path_factory.mktemp("docs") / "results", runs, axes)


@pytest.mark.parametrize("query", blocks("sql"))
def test_every_query_of_the_readme_has_an_answer(query: str, store: Store) -> None:
    assert store.sql(query.replace("first_map", "toy")).to_arrow_table().num_columns >= 2


def test_the_python_example_of_the_readme_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.path.parent)
    example = next(block for block in blocks("python") if "phase_diagram" in block)
    exec(compile(example.replace("first_map", "toy"), "README.md", "exec"), {})


def test_the_study_file_of_the_readme_defines_a_study() -> None:
    example = next(block for block in blocks("python") if "STUDY" in block)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert isinstance(names["STUDY"], StudySpec)


def test_every_command_of_the_readme_exists_with_the_options_it_shows() -> None:
    shown = re.findall(r"^study (\w+)(.*?)(?:#.*)?$", "\n".join(blocks("bash")), re.MULTILINE)
    assert len(shown) >= 6
    for name, rest in shown:
        command = cli.commands[name]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known, name


def test_every_study_that_the_readme_names_is_in_the_catalog() -> None:
    named = re.findall(r"study (?:plan|run|phases) (\w+)(?!\.py)\b", "\n".join(blocks("bash")))
    assert named
    assert set(named) <= set(available(CATALOG))


def test_the_file_tree_of_the_readme_is_on_the_disk() -> None:
    (tree,) = blocks("text")
    folder = ROOT
    for line in tree.splitlines():
        if not line.startswith(" "):
            first = line.split()[0]
            folder = ROOT / first if first.endswith("/") else ROOT
            assert (ROOT / first).exists(), first
        for name in re.findall(r"[\w*]+/(?:\*\.sql)?|\w+\.py\b", line.removeprefix(f"{folder.name}/")):
            assert list(folder.glob(name.rstrip("/"))), f"{folder.name}/{name}"


def test_every_folder_that_contributing_names_exists() -> None:
    named = re.findall(r"`((?:trainables|study|analysis)/\w+)/<name>", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) == 8
    assert all((ROOT / folder).is_dir() for folder in named)
    checks = re.findall(r"`(tests/test_\w+\.py)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert all((ROOT / check).is_file() for check in checks)


def test_every_command_has_help_with_an_example() -> None:
    for name in cli.commands:
        result = CliRunner().invoke(cli, [name, "--help"])
        assert result.exit_code == 0
        assert f"study {name}" in result.output, name
