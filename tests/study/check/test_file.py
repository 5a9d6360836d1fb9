"""What a file defines is found, and each mistake of a newcomer is one row with file, line and mend."""

from pathlib import Path

import pytest

from study.check.file import checks, definitions
from study.study_file import run_file
from tests.study.check.failing import failing
from tests.support.own_parts import own_study
from trainables.errors import SpecError


@pytest.fixture
def own(folder) -> Path:
    """A study with a task and a model of its own beside it."""
    return own_study(folder)


def change(path: Path, *pairs: tuple[str, str]) -> Path:
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def told(path: Path) -> dict[str, str]:
    return failing(checks(path))


def test_a_study_its_parts_and_its_claims_pass(own):
    own.write_text(own.read_text() + "from analysis.claim import Claim\n" + CLAIMS)
    rows = list(checks(own))
    assert failing(rows) == {}
    names = {row.name for row in rows}
    assert {"task: leakage", "model Net: vmap", "runs: continue", "study: points", "claim: shares"} <= names
    assert next(row.detail for row in rows if row.name == "study: runs").startswith("2 points, 4 runs in ")
    assert next(row.detail for row in rows if row.name == "claim: shares") == "0.25 of 4 invented runs"


CLAIMS = """
def share(runs):
    return sum(run["test_step_95"] is not None for run in runs) / len(runs) if runs else float("nan")

def wrong(runs):
    return sum(run["test_step_96"] for run in runs)

def late(runs):
    return runs[0]["final_test_accuracy"]

def make(name, statistic):
    return Claim(name=name, says="?", source="?", published="?", studies=(), statistic=statistic, unit="?", above=0)

CLAIMS = [make("shares", share)]
"""


def test_claims_that_raise_are_told(own):
    text = CLAIMS.replace('[make("shares", share)]', '[make("wrong", wrong), make("late", late)]')
    own.write_text(own.read_text() + "from analysis.claim import Claim\n" + text)
    rows = told(own)
    assert rows["claim: wrong"].startswith(
        "KeyError: 'test_step_96, which is no column of outcomes or runs, given 4 runs"
    )
    assert "(own.py, line " in rows["claim: wrong"]
    assert "given 0 runs; where they cannot tell, give math.nan (own.py, line " in rows["claim: late"]


def test_classes_are_found_by_name_by_build_and_by_update(folder):
    (folder / "mine.py").write_text(
        "import torch\n"
        "class SparseParity:\n    def build(self, seed): ...\n"
        "class Net:\n    def build(self, task, draw): ...\n"
        "class Lion:\n    def update(self, *all): ...\n"
        "class Task:\n    pass\n"
        "class Layer(torch.nn.Module):\n    def update(self): ...\n"
        "class Helper:\n    def build(self): ...\n"
    )
    found = definitions(run_file(folder / "mine.py")).classes
    assert [(part, kind.__name__) for part, kind in found] == [
        ("task", "SparseParity"), ("task", "Task"), ("model", "Net"), ("optimizer", "Lion"),
    ]  # fmt: skip


MISTAKES = {
    "missing member": (
        [("    vocab_size = num_classes = 2\n", "    num_classes = 2\n")],
        {"task: members": "Task (parity.py, line 10) has no vocab_size; docs/extending.md says what each is."},
    ),
    "not frozen": (
        [("frozen=True, ", "")],
        {"task: dataclass": "Task (parity.py, line 10): write @dataclass(frozen=True, kw_only=True) above the class."},
    ),
    "list field": (
        [("    n: int = 8\n", "    n: int = 8\n    taps: list[int] = field(default_factory=lambda: [0, 1])\n")],
        {"task: fields": "field taps (parity.py, line 12) has the type list: a field is a number, text, None or a "
                         "tuple of these, because runs are known by their fields. Make it a tuple."},
    ),
    "float labels": (
        [(".sum(1) % 2", ".sum(1) % 2.0")],
        {"task: labels": "targets of train are torch.float32: labels are whole numbers, write .long(); for answers "
                         "that are numbers say chance_accuracy = None in the class."},
    ),
    "error in build": (
        [(":2].sum(1)", ":2].summ(1)")],
        {"task: build": "AttributeError: 'Tensor' object has no attribute 'summ' (parity.py, line 22)."},
    ),
    "no default": (
        [("    n: int = 8\n", "    n: int\n")],
        {"task: defaults": "Task (parity.py, line 10): give n a default, so that it can be made alone."},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_task_is_told_with_its_line(own, name):
    changes, expected = MISTAKES[name]
    rows = list(checks(change(own.with_name("parity.py"), *changes)))
    assert failing(rows) == expected
    if name != "no default":
        assert rows[-1].name == "runs: training"
        assert rows[-1].ok is None


def test_what_no_file_can_be_is_one_line(own, folder):
    task = own.with_name("parity.py")
    change(task, ("    n: int = 8\n", "    n: int = 8\n    taps: tuple = [0, 1]\n"))
    with pytest.raises(SpecError, match=r"parity.py', line 9, fails .* make it a tuple: \(1, 2\)"):
        list(checks(task))
    (folder / "empty.py").write_text("x = 1\n")
    with pytest.raises(
        SpecError, match=r"'empty\.py' defines nothing to check: a class Task, Model or Optimizer, a func"
    ):
        list(checks(Path("empty.py")))
    with pytest.raises(SpecError, match=r"'own\.txt': give a Python file, or a phase definition"):
        list(checks(Path("own.txt")))
    (folder / "odd.py").write_text("STUDY = {}\n")
    with pytest.raises(SpecError, match=r"STUDY is dict: write STUDY = StudySpec\(...\)"):
        list(checks(Path("odd.py")))


def test_a_point_that_cannot_be_built_is_told(own):
    change(own.with_name("parity.py"), ("        bits_NL =", "        assert self.data_size < 100\n        bits_NL ="))
    assert told(own) == {"study: points": "point task.data_size=120: AssertionError (parity.py, line 20)."}


def test_a_phase_definition_is_tried(folder):
    sql = "with names(phase, generalized) as (values ('old', false), ('new', true), ('unresolved', false))\n"
    (folder / "mine.sql").write_text(
        f"{sql}select outcomes.run_id, case when outcomes.test_step_95 is not null then 'new' else 'old' end as phase\n"
        "from outcomes"
    )
    [row] = checks(Path("mine.sql"))
    assert row.name == "phases: definition"
    assert row.ok is False or "generalized: new" in row.detail
    change(Path("mine.sql"), ("test_step_95", "test_step_96"))
    assert "test_step_96" in told(Path("mine.sql"))["phases: definition"]
