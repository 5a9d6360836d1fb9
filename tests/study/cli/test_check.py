"""`study check`: a table for people, JSON for programs, and an exit code."""

import json
import os
import sys

import pytest

from tests.support.own_parts import own_study


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A user's folder; nothing is compiled there, and this process forgets its modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("study.check.training.find_compiler", lambda device: None)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(f"{tmp_path}{os.sep}"):
            del sys.modules[name]


def test_what_passes_ends_with_0_and_is_a_table(call, folder):
    own_study(folder)
    said = call("check", "parity.py")
    assert (said.code, said.err) == (0, "")
    head, _, *lines = said.out.splitlines()
    assert head.split() == ["check", "ok", "detail"]
    assert any(line.startswith("task: leakage") and " yes " in line for line in lines)
    assert any(line.startswith("runs: CUDA") and " - " in line for line in lines)
    assert {line.split("   ")[1:] and line[head.index("ok") :].split()[0] for line in lines} == {"yes", "-"}


def test_a_failure_ends_with_1_also_in_json_and_by_an_absolute_path(call, folder):
    own_study(folder)
    task = folder / "parity.py"
    task.write_text(task.read_text().replace("% 2)", "% 2.0)"))
    said = call("check", task, "--json")
    assert said.code == 1
    rows = {row["check"]: row for row in json.loads(said.out)}
    assert rows["task: labels"]["ok"] == "no"
    assert rows["task: labels"]["detail"].startswith("targets of train are torch.float32")
    assert rows["runs: training"] == {
        "check": "runs: training", "ok": "-", "detail": "not tried before `task: labels` is mended",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import torch\nx = 1 / 0\n", "study: study file 'mine.py', line 2, fails when it is run: ZeroDivisionError: "),
        ("def build(:\n", "study: study file 'mine.py', line 1, fails when it is run: SyntaxError: invalid syntax"),
        (
            "import nowhere\n",
            "study: study file 'mine.py', line 1, fails when it is run: ModuleNotFoundError: No module",
        ),
        ("x = 1\n", "study: 'mine.py' defines nothing to check: a class Task"),
        (None, "study: study file 'mine.py' does not exist."),
    ],
)
def test_a_file_that_cannot_be_run_ends_with_2_and_one_line(call, folder, text, line):
    if text is not None:
        (folder / "mine.py").write_text(text)
    said = call("check", "mine.py")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
