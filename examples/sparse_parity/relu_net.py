"""A network with one hidden layer of ReLU units on bits as -1 and 1, as in Merrill et al. 2023 (arXiv 2303.11873)."""

# N examples, L bits, D width, C classes

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Model:
    """`width` hidden units."""

    width: int = 128

    layers = 1

    def build(self, task: Any, draw: torch.Generator) -> nn.Module:
        """A module for one run. All of its weights come from `draw`, so that a seed says what they are."""
        return ReluNet(self.width, task, draw)


class ReluNet(nn.Module):
    """Maps bits (N, L) to logits (N, C)."""

    def __init__(self, width: int, task: Any, draw: torch.Generator) -> None:
        super().__init__()
        self.hidden = nn.Parameter(torch.randn(task.num_tokens, width, generator=draw) / task.num_tokens**0.5)
        self.bias = nn.Parameter(torch.zeros(width))
        self.unembedding = nn.Parameter(torch.randn(width, task.num_classes, generator=draw) / width**0.5)

    def forward(self, bits_NL: Tensor) -> Tensor:
        return torch.relu((2.0 * bits_NL - 1) @ self.hidden + self.bias) @ self.unembedding
