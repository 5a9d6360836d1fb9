"""Optimizers whose runs feel each other, and others that cannot train a pack."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from torch import Tensor

from study.check import fields, optimizer
from tests.study.check.failing import failing

State = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Momentum:
    """Gradient descent with momentum; works as it is."""

    learning_rate: float = 0.1
    momentum: float = 0.5

    slots = ("velocity",)

    def columns(self, hyper: State, step: Tensor) -> State:
        return hyper

    def update(self, weights_RW: Tensor, grads_RW: Tensor, state: State, columns: State, layout: Any) -> None:
        state["velocity"].mul_(columns["momentum"]).add_(grads_RW)
        weights_RW.sub_(columns["learning_rate"] * state["velocity"])


class Mixing(Momentum):
    def update(self, weights_RW: Tensor, grads_RW: Tensor, state: State, columns: State, layout: Any) -> None:
        super().update(weights_RW, grads_RW / (1 + grads_RW.norm()), state, columns, layout)


class OwnNumbers(Momentum):
    def update(self, weights_RW: Tensor, grads_RW: Tensor, state: State, columns: State, layout: Any) -> None:
        state["velocity"].mul_(self.momentum).add_(grads_RW)
        weights_RW.sub_(self.learning_rate * state["velocity"])


class Copying(Momentum):
    def update(self, weights_RW: Tensor, grads_RW: Tensor, state: State, columns: State, layout: Any) -> None:
        state["velocity"] = state["velocity"] + grads_RW
        weights_RW.sub_(columns["learning_rate"] * state["velocity"])


class Overwriting(Momentum):
    def update(self, weights_RW: Tensor, grads_RW: Tensor, state: State, columns: State, layout: Any) -> None:
        super().update(weights_RW, grads_RW.mul_(0.5), state, columns, layout)


class Padded(Momentum):
    def update(self, weights_RW: Tensor, grads_RW: Tensor, state: State, columns: State, layout: Any) -> None:
        super().update(weights_RW, grads_RW + 1, state, columns, layout)


class Hiding(Momentum):
    def update(self, weights_RW: Tensor, grads_RW: Tensor, state: State, columns: State, layout: Any) -> None:
        super().update(weights_RW, grads_RW.nan_to_num(), state, columns, layout)


class OneSlot(Momentum):
    slots = "velocity"


WRONG = {
    Mixing: {
        "runs apart": r"weights of run 0 are .* from those alone after 5 steps: sum over dim=1",
        "diverged run": "NaN in",
    },
    OwnNumbers: {"runs apart": r"read numbers from columns, \(R, 1\), not from self"},
    Copying: {"in place": r"velocity did not change: write into it, as in velocity_RW.sub_"},
    Overwriting: {"gradients": "update writes into the gradients: make a new tensor"},
    Padded: {"in place": "weights is not 0 in the padding between parameters"},
    Hiding: {"diverged run": "NaN in a run's gradients is not in its weights"},
    OneSlot: {"slots": r"slots is 'velocity': a tuple of names"},
}


def test_an_optimizer_that_works_passes():
    assert failing([*fields.checks("optimizer", Momentum), *optimizer.checks(Momentum)]) == {}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_has_its_row(kind):
    rows = failing(optimizer.checks(kind))
    told = WRONG[kind]
    assert told.keys() <= rows.keys()
    for row, detail in told.items():
        assert re.search(detail, rows[row]), rows[row]
