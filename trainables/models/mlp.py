"""Two-layer network on a two-hot input: logits = W phi(U[a] + V[b]). The module is one run; the engine packs runs.

Sources: Gromov 2023 (arXiv 2301.02679), where phi is the square and a solution is known in closed form
(`gromov_weights`, which the tests compare with), and Doshi et al. 2023 (2310.13061) for the initialisation
N(0, (16 width)^(-2/3)).
"""

# N examples, D width (hidden units), P residues, C classes

import math
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainables.components import closest
from trainables.errors import SpecError
from trainables.lookup import lookup
from trainables.product import product
from trainables.size import Size
from trainables.spec import coerce

ACTIVATIONS = {"square": torch.square, "relu": F.relu, "gelu": F.gelu}


@dataclass(frozen=True, kw_only=True)
class Model:
    """`width` hidden units, no biases."""

    width: int = 128
    activation: str = "square"
    init_scale: float = field(default=1.0, metadata={"per_run": True})
    """Factor on the initial standard deviation (16 width)^(-1/3) of both layers."""
    output_scale: float = field(default=1.0, metadata={"absent": 1.0})
    """Factor on the logits, by which a network is lazy (large) or rich (small): the axis of Kumar et al. 2023
    (arXiv 2310.06110), whose rates fall with its square."""

    layers = 1

    def __post_init__(self) -> None:
        coerce(self)
        if self.width < 1:
            raise SpecError(f"mlp.width must be 1 or larger, got {self.width}.")
        if self.activation not in ACTIVATIONS:
            raise SpecError(
                f"mlp.activation {self.activation!r} is not known. {closest(self.activation, list(ACTIVATIONS))}"
            )
        for name in ("init_scale", "output_scale"):
            if getattr(self, name) <= 0:
                raise SpecError(f"mlp.{name} must be larger than 0, got {getattr(self, name)}.")

    def check(self, task: Any) -> None:
        """SpecError for a task whose answer needs more than the two operands at the beginning of its examples."""
        if not hasattr(task, "p") or hasattr(task, "memorize_token"):
            raise SpecError(
                f"model 'mlp' reads only two operands modulo p; task {task!r} needs more. Use 'transformer'."
            )

    def size(self, task: Any) -> Size:
        """Weights, kept activations and products; see trainables/size.py."""
        units = 1 if self.activation == "relu" else 2  # others need what comes in as well as what comes out
        products = self.width * task.num_classes
        row = 2  # the place of the second operand's row, 64 bits
        return Size(2 * task.p * self.width + products, units * self.width + task.num_classes + row, products)

    def build(self, task: Any, draw: torch.Generator) -> nn.Module:
        """A module for one run, its weights drawn from `draw`."""
        return MLP(self, task, draw)


class MLP(nn.Module):
    """Maps tokens (N, L), of which it reads the first two, to logits (N, C)."""

    def __init__(self, model: Model, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        self.p, self.activation, self.output_scale = task.p, ACTIVATIONS[model.activation], model.output_scale
        scale = model.init_scale * (16 * model.width) ** (-1 / 3)
        self.hidden = nn.Parameter(torch.randn(2 * task.p, model.width, generator=draw) * scale)
        self.unembedding = nn.Parameter(torch.randn(model.width, task.num_classes, generator=draw) * scale)

    def forward(self, tokens_NL: Tensor) -> Tensor:
        logits_NC = product(self.units(tokens_NL), self.unembedding)
        return logits_NC if self.output_scale == 1 else self.output_scale * logits_NC

    def units(self, tokens_NL: Tensor) -> Tensor:
        """The hidden units of each example, (N, D)."""
        left_N, right_N = tokens_NL[:, 0], self.p + tokens_NL[:, 1]
        return self.activation(lookup(self.hidden, left_N, right_N))


def gromov_weights(p: int, width: int, draw: torch.Generator) -> dict[str, Tensor]:
    """Weights that add modulo an odd p without any training; exact as the width grows (Gromov 2023, eq. 6).

    Hidden unit k has a frequency s in 1..(p-1)/2 and two random phases x and y: U = cos(2 pi s a / p + x),
    V = cos(2 pi s b / p + y), W = cos(2 pi s c / p + x + y). The square of U + V contains the term
    cos(2 pi s (a + b) / p + x + y), which W picks out.
    """
    frequency_D = torch.arange(width) % ((p - 1) // 2) + 1
    x_D, y_D = 2 * math.pi * torch.rand(2, width, generator=draw)
    angle_PD = 2 * math.pi * torch.arange(p)[:, None] * frequency_D / p
    hidden = torch.cat([torch.cos(angle_PD + x_D), torch.cos(angle_PD + y_D)])
    scale = (2 / width) ** (1 / 3)
    return {"hidden": scale * hidden, "unembedding": scale * torch.cos(angle_PD + x_D + y_D).T}
