"""What a task asks about the inside of a model: examples, what to look for in the residual stream, what to replace."""

# N examples, L tokens, K candidates

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor


class Layered(Protocol):
    """A model that can be run block by block; both transformers can."""

    depth: int
    """Blocks, those of a looped stack counted as often as they run."""

    def embed(self, tokens_NL: Tensor, /) -> Tensor:
        """S[0], the residual stream before the first block, (N, L, D)."""
        ...

    def layer(self, layer: int, x_NLD: Tensor, tokens_NL: Tensor, /) -> Tensor:
        """S[layer] of S[layer - 1]."""
        ...

    def read(self, x_D: Tensor, /) -> Tensor:
        """Logits of a state."""
        ...


@dataclass(frozen=True)
class Circuit:
    """Examples of one kind and length, with the questions that probes ask of them."""

    inputs_NL: Tensor
    targets_N: Tensor
    positions: Sequence[str]
    """Names of the L positions."""
    looked_for: dict[str, Tensor]
    """Name -> tokens (N,) whose rank a logit lens reports: the bridge entity, the second relation, the answer."""
    replaced: dict[str, tuple[Sequence[int], Tensor]]
    """Name -> positions to patch, and the examples (N, L) with another token there that changes the answer."""
    sets: dict[str, Tensor] = field(default_factory=dict)
    """Name -> tokens (N, S) that a lens may find together: the labels of an attribute."""
    groups: dict[str, Tensor] = field(default_factory=dict)
    """Name -> numbers (N,), equal for examples that `iicg` compares as one group, beside what is looked for."""

    def to(self, device: torch.device) -> "Circuit":
        """The same on another device."""
        return Circuit(
            self.inputs_NL.to(device),
            self.targets_N.to(device),
            self.positions,
            {name: tokens.to(device) for name, tokens in self.looked_for.items()},
            {name: (at, inputs.to(device)) for name, (at, inputs) in self.replaced.items()},
            {name: tokens.to(device) for name, tokens in self.sets.items()},
            {name: numbers.to(device) for name, numbers in self.groups.items()},
        )


def choose(allowed_NK: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """A uniformly drawn allowed candidate of each example, and whether it has any: both (N,)."""
    scores_NK = torch.rand(allowed_NK.shape, generator=draw).masked_fill(~allowed_NK, -1)
    return scores_NK.argmax(1), allowed_NK.any(1)
