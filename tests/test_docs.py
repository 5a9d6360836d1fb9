"""The documents say what is true: their queries, Python and commands run. docs/README.md lists the checks."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from study.cli.main import cli
from study.spec import StudySpec
from study.store.database import Store
from tests.support.commands import Wrong, check, check_bench, check_options, commands
from tests.support.pages import PAGES, ROOT, Page, page, spans
from tests.support.synthetic import run, step_up, write_study


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with an invented `first_map`: every query of the documents has an answer."""
    runs = []
    for fraction, passages in {0.3: (None, None), 0.5: (None, 200), 0.7: (200, 100), 0.9: (10, 20)}.items():
        for decay in (0.5, 2.0):
            for seed, late in enumerate(passages):
                point = {"task.train_fraction": fraction, "optimizer.weight_decay": decay}
                curves = {"train.accuracy": step_up(5), "test.accuracy": step_up(late), "model.weight_norm": step_up(5)}
                runs.append(run(f"{len(runs):016x}", curves, point, seed=seed, weight_decay=decay, ratio=6.0))
    runs.append(run(f"{len(runs):016x}", {}, {"task.train_fraction": 0.9, "optimizer.weight_decay": 2.0}, seed=2,
                    status="failed", stop_reason=None, error="OutOfMemoryError: no memory"))  # fmt: skip
    finding = {"run_id": runs[0]["run_id"], "step": 1000, "probe": "causal_tracing", "layer": 1, "position": "r1"}
    findings = {name: [value] for name, value in (finding | {"metric": "strength", "value": 0.9}).items()}
    axes = {"task.train_fraction": [0.3, 0.5, 0.7, 0.9], "optimizer.weight_decay": [0.5, 2.0]}
    folder = tmp_path_factory.mktemp("docs") / "results"
    facts = {"ratio": 9.0, "layers": 2, "weight_decay": 0.3}
    write_study(folder, [run("e" * 16, {"train.accuracy": step_up(5)}, {"task.ratio": 9.0}, **facts)], study="regimes")
    return write_study(folder, runs, axes, findings=findings, study="first_map")


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {block.language for shown in PAGES for block in shown.blocks()} == {"bash", "python", "sql", "text"}


SQL = [(shown, block) for shown in PAGES for block in shown.blocks("sql")]


@pytest.mark.parametrize(("shown", "block"), SQL, ids=[f"{shown}:{block.line}" for shown, block in SQL])
def test_every_query_has_an_answer(shown: Page, block: Any, store: Store) -> None:
    assert len(store.sql(block.text).to_arrow_table()) > 0


PYTHON = [shown for shown in PAGES if shown.blocks("python")]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """On busy cores two threads of a small network mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("shown", PYTHON, ids=str)
def test_the_python_of_a_page_runs_in_its_order(shown: Page, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[StudySpec, Any]] = []
    monkeypatch.setattr("study.train.service.run", lambda spec, store, options, **_: started.append((spec, options)))
    monkeypatch.chdir(store.path.parent)
    names: dict[str, Any] = {}
    for block in shown.blocks("python"):
        exec(compile("\n" * block.line + block.text, str(shown), "exec"), names)
    assert isinstance(names.get("STUDY", StudySpec), StudySpec | type)
    assert len(started) == shown.text.count("\nstudy.run(")


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_every_command_would_run(shown: Page) -> None:
    """Command lines in blocks, on lines that say how to measure, and benchmarks wherever they are named."""
    texts = [block.text for block in shown.blocks("bash")]
    for line in shown.prose.splitlines():
        measures = [span for span in spans(line) if re.match(r"(study|python -m) ", span)]
        if line.startswith("Command:"):
            assert measures, line
            texts += measures
        texts += [span for span in measures if span.startswith("python")]
    wrong = []
    for words in chain.from_iterable(map(commands, dict.fromkeys(texts))):
        try:
            check(words)
        except Exception as error:
            wrong.append(f"{' '.join(words)}: {type(error).__name__}: {error}")
    assert wrong == []


OPTIONS = {"--help", *(name for command in cli.commands.values() for option in command.params for name in option.opts)}


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_commands_in_sentences_exist(shown: Page) -> None:
    for span in spans(shown.prose):
        for words in commands(span):
            if words[0] == "study" and len(words) > 1 and words[1].islower():
                check_options(words[1:])
        if re.fullmatch(r"--[\w-]+( .*)?", span):
            option = span.split()[0]
            assert option in OPTIONS or _of_a_bench(option), span


def _of_a_bench(option: str) -> bool:
    return any(f'"{option}"' in path.read_text() for path in (ROOT / "tests" / "bench").glob("*.py"))


def test_every_command_is_on_the_page_of_commands_with_an_example() -> None:
    [table] = [table for table in page("docs/commands.md").tables() if "example" in table.header]
    assert [spans(cell)[0] for cell in table.column("command")] == [
        f"study {spans(c)[0].split()[1]}" for c in table.column("example")
    ]
    assert {spans(cell)[0].removeprefix("study ") for cell in table.column("command")} == set(cli.commands)
    for words in chain.from_iterable(commands(spans(cell)[0]) for cell in table.column("example")):
        check(words)


def test_every_command_has_help_with_an_example() -> None:
    for name in cli.commands:
        result = CliRunner().invoke(cli, [name, "--help"])
        assert result.exit_code == 0
        assert f"study {name}" in result.output, name


def test_a_wrong_command_is_found() -> None:
    """The checks themselves: each of these would mislead a reader."""
    for text in (
        "study rn first_map",
        "study run first_map --seed 3",
        "study run first_mpa",
        "study search modular --over task.train_fracton=0:1 --runs 8",
        "study plan",
        "pip install -e '.[tests]'",
        "ray up clutser.yaml",
        "frobnicate",
        "./tests/rnu",
    ):
        [words] = commands(text)
        with pytest.raises(Exception, match=r"\w"):
            check(words)
    with pytest.raises(Wrong):
        check_bench("tests.bench.field", ["--second", "x"])
    assert list(commands("A=1 study plan x --seeds 2 > out.txt && echo done | cat  # why")) == [
        ["study", "plan", "x", "--seeds", "2"], ["echo", "done"], ["cat"],
    ]  # fmt: skip
