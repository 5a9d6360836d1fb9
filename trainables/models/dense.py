"""Multilayer perceptron on a flattened example: bits as -1 and 1, or vectors as they are.

Sources: Merrill et al. 2023 (arXiv 2303.11873) for sparse parity, one hidden layer; Liu et al. 2022 (Omnigrok,
2210.01117) for images, two hidden layers of 200 ReLU units and a factor on all initial weights, biases included.
Initialisation is that of torch's nn.Linear: weights and biases of a layer are uniform in +-1/sqrt(its inputs).
"""

# N examples, L tokens, V floats of a vector, I inputs, D width, C classes

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainables.answers import num_answers, reads_vectors
from trainables.components import closest
from trainables.errors import SpecError
from trainables.models.decoder import uniform
from trainables.product import product
from trainables.size import Size
from trainables.spec import at_least, coerce

ACTIVATIONS = {"relu": F.relu, "tanh": torch.tanh, "gelu": F.gelu}


@dataclass(frozen=True, kw_only=True)
class Model:
    """`layers` hidden layers of `width` units each; 2 of them are three matrices."""

    layers: int = 1
    width: int = 200
    activation: str = "relu"
    init_scale: float = field(default=1.0, metadata={"per_run": True})
    """Factor on all initial weights and biases: the axis of Omnigrok."""

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, layers=1, width=1)
        if self.activation not in ACTIVATIONS:
            raise SpecError(
                f"dense.activation {self.activation!r} is not known. {closest(self.activation, list(ACTIVATIONS))}"
            )
        if self.init_scale <= 0:
            raise SpecError(f"dense.init_scale must be larger than 0, got {self.init_scale}.")

    def check(self, task: Any) -> None:
        """SpecError for tokens that are neither bits nor vectors, and for several answers."""
        if not reads_vectors(task) and task.vocab_size != 2:
            raise SpecError(f"model 'dense' reads bits or vectors; task {task!r} has other tokens. Use 'transformer'.")
        if num_answers(task) != 1:
            raise SpecError(f"model 'dense' gives one answer; task {task!r} asks for several. Use 'transformer'.")

    def size(self, task: Any) -> Size:
        """Weights, kept activations and products; see trainables/size.py."""
        inputs, *outputs = sizes = self.sizes(task)
        products = sum(rows * columns for rows, columns in pairwise(sizes))
        units = self.layers * self.width * (2 if self.activation == "gelu" else 1)  # which needs what comes in as well
        bits = 0 if reads_vectors(task) else inputs  # as floats
        return Size(products + sum(outputs), bits + units + task.num_classes, products)

    def sizes(self, task: Any) -> list[int]:
        """Floats that go into the first layer, and those that come out of each."""
        inputs = task.num_tokens * (task.vocab_size if reads_vectors(task) else 1)
        return [inputs, *[self.width] * self.layers, task.num_classes]

    def build(self, task: Any, draw: torch.Generator) -> nn.Module:
        """A module for one run, its weights drawn from `draw`."""
        return Dense(self, task, draw)


class Dense(nn.Module):
    """Maps bits (N, L) or vectors (N, L, V) to logits (N, C)."""

    def __init__(self, model: Model, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[model.activation]
        self.names = [*(f"hidden_{layer}" for layer in range(1, model.layers + 1)), "unembedding"]
        for name, (rows, columns) in zip(self.names, pairwise(model.sizes(task)), strict=True):
            bound = model.init_scale * rows**-0.5
            self.register_parameter(name, uniform((rows, columns), bound, draw))
            self.register_parameter(f"{name}_bias", uniform((columns,), bound, draw))

    def forward(self, inputs_NL: Tensor) -> Tensor:
        signed_NL = inputs_NL if inputs_NL.is_floating_point() else 2 * inputs_NL - 1
        x_ND = self.layer(self.names[0], signed_NL.flatten(1).to(getattr(self, self.names[0]).dtype))
        for name in self.names[1:]:
            x_ND = self.layer(name, self.activation(x_ND))
        return x_ND

    def layer(self, name: str, x_ND: Tensor) -> Tensor:
        """What one matrix and its bias make of the layer before."""
        return product(x_ND, getattr(self, name)) + getattr(self, f"{name}_bias")
