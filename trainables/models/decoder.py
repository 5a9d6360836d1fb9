"""A learned number line and a decoder of sums: logits = MLP(E[a] + E[b]). Liu et al. 2022 (arXiv 2205.10343).

Because the decoder sees the sum of two embeddings alone, it generalizes exactly as far as these lie on a line with
equal steps. Sizes are the authors': one dimension, two hidden layers of 200 tanh units.
"""

# N examples, E dimensions of an embedding, D width, C classes

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainables.errors import SpecError
from trainables.lookup import lookup
from trainables.spec import at_least, coerce


@dataclass(frozen=True, kw_only=True)
class Model:
    """`dimensions` of an embedding, `width` units in each of the decoder's `layers` hidden layers."""

    layers: int = 2
    width: int = 200
    dimensions: int = 1

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, **dict.fromkeys(vars(self), 1))

    def check(self, task: Any) -> None:
        """SpecError for a task whose answer does not follow from the two operands that its examples begin with."""
        if not hasattr(task, "p") or hasattr(task, "memorize_token"):
            raise SpecError(f"model 'decoder' reads two operands below p alone; task {task!r} has more.")

    def floats_per_example(self, task: Any) -> int:
        """Activations that one example keeps for the backward pass, roughly: sizes packs and evaluation chunks."""
        return 3 * self.dimensions + 2 * self.layers * self.width + 3 * task.num_classes

    def build(self, task: Any, draw: torch.Generator) -> nn.Module:
        """A module for one run, its weights drawn from `draw`: embeddings uniform in +-1/2, the rest as torch does."""
        return Decoder(self, task, draw)


class Decoder(nn.Module):
    """tokens (N, L), of which the first two are read -> logits (N, C)."""

    def __init__(self, model: Model, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        self.embedding = uniform((task.p, model.dimensions), 0.5, draw)
        sizes = [model.dimensions, *[model.width] * model.layers, task.num_classes]
        bounds = [size**-0.5 for size in sizes]
        self.weights = nn.ParameterList(uniform(sizes[i : i + 2], bounds[i], draw) for i in range(len(sizes) - 1))
        self.biases = nn.ParameterList(uniform(sizes[i + 1 : i + 2], bounds[i], draw) for i in range(len(sizes) - 1))

    def forward(self, tokens_NL: Tensor) -> Tensor:
        x_ND = lookup(self.embedding, tokens_NL[:, 0]) + lookup(self.embedding, tokens_NL[:, 1])
        *hidden, (weight_DC, bias_C) = zip(self.weights, self.biases, strict=True)
        for weight_DD, bias_D in hidden:
            x_ND = torch.tanh(x_ND @ weight_DD + bias_D)
        return x_ND @ weight_DC + bias_C


def uniform(shape: Any, bound: float, draw: torch.Generator) -> nn.Parameter:
    """A parameter of uniform numbers in +-bound."""
    return nn.Parameter((2 * torch.rand(tuple(shape), generator=draw) - 1) * bound)
