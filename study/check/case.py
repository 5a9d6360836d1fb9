"""A model and a task that it is tried on."""

# N examples, L tokens

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from trainables.answers import asks_for_numbers, num_answers
from trainables.data import Split
from trainables.seeds import generator

EXAMPLES = 64
"""Training examples that a model is tried on."""


@dataclass(frozen=True)
class Case:
    """`loss` is what the model is trained with on this task; None = `mse` for numbers, else cross-entropy."""

    model: Any
    task: Any
    loss: str | None = None

    @property
    def loss_name(self) -> str:
        """The loss, by the name that RunSpec knows."""
        return self.loss or ("mse" if asks_for_numbers(self.task) else "cross_entropy")

    def module(self, seed: int = 0) -> nn.Module:
        """The module of one run."""
        return self.model.build(self.task, generator("init", seed))

    def data(self, seed: int) -> Split:
        """The first training examples of a seed."""
        return Split(*(tensor[:EXAMPLES] for tensor in self.task.build(seed)["train"]))

    @cached_property
    def examples(self) -> Split:
        """Those of seed 0."""
        return self.data(0)

    @property
    def inputs_NL(self) -> Tensor:
        return self.examples.inputs_NL

    def shapes(self, count: int) -> list[tuple[int, ...]]:
        """The shapes that logits of so many examples may have."""
        answers, classes = num_answers(self.task), self.task.num_classes
        if asks_for_numbers(self.task):
            return [(count, answers, classes), (count, answers * classes)]
        return [(count, classes) if answers == 1 else (count, answers, classes)]


def same(a: Tensor, b: Tensor, rtol: float, atol: float) -> bool:
    """True where two tensors agree; NaN agrees with nothing."""
    return a.shape == b.shape and torch.allclose(a, b, rtol=rtol, atol=atol)


def apart(a: Tensor, b: Tensor) -> float:
    """The largest difference of two tensors of one shape."""
    return float((a - b).abs().max())
