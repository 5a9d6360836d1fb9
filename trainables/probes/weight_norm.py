"""Euclidean norm of all weights and of each layer.

In Huang et al. 2024 (arXiv 2402.15175, figure 9) it falls in runs that grok and rises in runs in progression.
"""

from typing import Any

import torch
from torch import Tensor


def measure(params: dict[str, Tensor], task: Any) -> dict[str, Tensor]:
    """`weight_norm`, and `weight_norm.<layer>`, where every block and every parameter outside blocks is a layer."""
    squares: dict[str, list[Tensor]] = {}
    for name, weight in params.items():
        squares.setdefault(layer_of(name), []).append(weight.square().sum())
    layers = {layer: torch.stack(values).sum() for layer, values in squares.items()}
    norms = {f"weight_norm.{layer}": value.sqrt() for layer, value in layers.items()}
    return {"weight_norm": torch.stack(list(layers.values())).sum().sqrt(), **norms}


def layer_of(name: str) -> str:
    """`blocks.0.key` belongs to layer `blocks.0`, `norm.gain` to `norm`, `embedding` to itself."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "blocks" else parts[0]
