"""A learned number line and a decoder of sums: logits = MLP(E[a] + E[b]). Liu et al. 2022 (arXiv 2205.10343).

The decoder sees only the sum of two embeddings, so the network generalizes exactly as far as the embeddings lie on a
line with equal steps. The default sizes are the authors': one dimension, two hidden layers of 200 tanh units.
"""

# N examples, E dimensions of an embedding, D width, C classes

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from trainables.errors import SpecError
from trainables.lookup import lookup
from trainables.product import product
from trainables.size import Size
from trainables.spec import at_least, coerce


@dataclass(frozen=True, kw_only=True)
class Model:
    """Embeddings with `dimensions` entries, and a decoder with `layers` hidden layers of `width` units each."""

    layers: int = 2
    width: int = 200
    dimensions: int = 1

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, **dict.fromkeys(vars(self), 1))

    def check(self, task: Any) -> None:
        """SpecError for a task whose answer needs more than the two operands at the beginning of its examples."""
        if not hasattr(task, "p") or hasattr(task, "memorize_token"):
            raise SpecError(
                f"model 'decoder' reads only two operands below p; task {task!r} needs more. Use 'transformer'."
            )

    def size(self, task: Any) -> Size:
        """Weights, kept activations and products; see trainables/size.py."""
        sizes = [self.dimensions, *[self.width] * self.layers, task.num_classes]
        products = sum(rows * columns for rows, columns in pairwise(sizes))
        return Size(task.p * self.dimensions + products + sum(sizes[1:]), sum(sizes), products)

    def build(self, task: Any, draw: torch.Generator) -> nn.Module:
        """A module for one run, its weights drawn from `draw`.

        Embeddings are uniform in +-1/2; weights and biases of a layer are uniform in +-1/sqrt(its inputs), as in torch.
        """
        return Decoder(self, task, draw)


class Decoder(nn.Module):
    """Maps tokens (N, L), of which it reads the first two, to logits (N, C)."""

    def __init__(self, model: Model, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        self.embedding = uniform((task.p, model.dimensions), 0.5, draw)
        sizes = [model.dimensions, *[model.width] * model.layers, task.num_classes]
        bounds = [size**-0.5 for size in sizes]
        # The order is that of checkpoints: matrices, which are parameters of this module itself, then its lists.
        self.names = [*(f"hidden_{layer}" for layer in range(1, model.layers + 1)), "unembedding"]
        for i, name in enumerate(self.names):
            self.register_parameter(name, uniform(sizes[i : i + 2], bounds[i], draw))
        self.biases = nn.ParameterList(uniform(sizes[i + 1 : i + 2], bounds[i], draw) for i in range(len(sizes) - 1))

    def forward(self, tokens_NL: Tensor) -> Tensor:
        x_ND = lookup(self.embedding, tokens_NL[:, 0], tokens_NL[:, 1])
        weights = [getattr(self, name) for name in self.names]
        *hidden, (weight_DC, bias_C) = zip(weights, self.biases, strict=True)
        for weight_DD, bias_D in hidden:
            x_ND = torch.tanh(x_ND @ weight_DD + bias_D)
        return product(x_ND, weight_DC) + bias_C


def uniform(shape: Any, bound: float, draw: torch.Generator) -> nn.Parameter:
    """A parameter whose entries are uniform in +-bound."""
    return nn.Parameter((2 * torch.rand(tuple(shape), generator=draw) - 1) * bound)
