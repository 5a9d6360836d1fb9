"""Euclidean norm of all weights and of each layer: falls in grokking, rises in progression (Huang 2024, fig. 9)."""

from typing import Any

import torch
from torch import Tensor


def measure(params: dict[str, Tensor], task: Any) -> dict[str, Tensor]:
    """`weight_norm`, and `weight_norm.<layer>` with a layer for each block and each other parameter."""
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
