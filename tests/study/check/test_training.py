"""Runs that a pack, a batch, a stop or a compiler would change."""

import dataclasses
import re
from typing import Any

import pytest
import torch
from torch import Tensor

from study.check import training
from study.check.row import Check
from tests.study.check import test_model, test_optimizer
from tests.study.check.failing import failing
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

TASK = modular.Task(p=7)


@dataclasses.dataclass(frozen=True)
class Net:
    """The module that works, and one that does not."""

    broken: bool = False

    def build(self, task: Any, draw: torch.Generator) -> Any:
        return (Remembering if self.broken else test_model.Net)(task, draw)


class Remembering(test_model.Net):
    """Keeps from step to step what no checkpoint has."""

    calls = 0

    def forward(self, tokens_NL: Tensor) -> Tensor:
        Remembering.calls += 1
        return super().forward(tokens_NL) * (1 + 0.01 * Remembering.calls)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(training, "TIMED_SECONDS", 0.01)
    monkeypatch.setattr(torch, "compile", compile_without_a_compiler(torch.compile))
    yield
    torch._dynamo.reset()


def compile_without_a_compiler(real: Any) -> Any:
    return lambda function, **options: real(function, backend="eager", **options)


def rows(model: Any = None, optimizer: Any = None) -> list[Check]:
    run = RunSpec(task=TASK, model=model or mlp.Model(width=8), optimizer=optimizer or adamw.Optimizer())
    return list(training.checks(training.seeded(run)))


def test_a_users_model_passes_and_its_step_is_timed(monkeypatch):
    monkeypatch.setattr(training, "find_compiler", lambda device: "g++")
    found = {row.name: row for row in rows(Net())}
    assert failing(found.values()) == {}
    assert found["compiled"].ok
    assert re.match(r"\d+ microseconds per run and step \(12 examples, 8 runs in a pack, c", found["cost"].detail)


def test_where_no_compiler_is_compiling_is_not_tried(monkeypatch):
    monkeypatch.setattr(training, "find_compiler", lambda device: None)
    [row] = [row for row in rows(Net()) if row.name == "compiled"]
    assert row.ok is None
    assert "no compiler here: install one" in row.detail


def test_state_that_no_checkpoint_has_is_told():
    told = failing(rows(Net(broken=True)))
    assert re.search(r"after 10 steps, a checkpoint and 10 more, .* keep no state but parameters", told["continue"])
    assert re.search(r"the t\w+ loss of seed 0 at step .* a run must not depend on its neighbours", told["full batch"])


def test_an_optimizer_that_mixes_runs_is_told():
    told = failing(rows(optimizer=test_optimizer.Mixing()))
    assert re.search(
        r"in a pack of 3 the weights of seed \d are .* after 10 steps, in which they moved", told["minibatch"]
    )


def test_a_loss_that_is_not_finite_is_told():
    told = failing(rows(optimizer=adamw.Optimizer(learning_rate=1e30)))
    assert "the loss is not finite after" in told["full batch"]


def test_a_large_full_batch_is_not_tried(monkeypatch):
    monkeypatch.setattr(training, "MOST_EXAMPLES", 20)
    [row] = [row for row in rows() if row.name == "full batch"]
    assert row == Check("full batch", None, "24 training examples are too many for a quick look")
