"""Grokfast-EMA: AdamW on gradients whose slow part is amplified. Lee et al. 2024 (arXiv 2405.20233).

The slow part is an exponential moving average of the gradients, which starts with the first gradient. As in the paper
the filter comes before the optimizer (Adam or AdamW there). The defaults are those of the paper's run on modular
multiplication, except for its weight decay of 0.005.
"""

# R runs, W weights

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.layout import Layout
from trainables.optimizers import adamw


@dataclass(frozen=True, kw_only=True)
class Optimizer(adamw.Optimizer):
    """AdamW's fields and the two of the filter."""

    slow_memory: float = 0.98
    """Share of the moving average that each step keeps, in [0, 1): the paper's alpha."""
    amplification: float = 2.0
    """Multiple of the moving average that is added to the gradient: the paper's lambda; 0 is AdamW."""

    slots = (*adamw.Optimizer.slots, "slow_gradient")

    def __post_init__(self) -> None:
        super().__post_init__()
        adamw.check_ranges(self, below_one=("slow_memory",))

    def columns(self, hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
        """What the step after `step` steps needs from the hyperparameters, (R, 1) each."""
        mix_R1 = torch.where(step == 0, 1, 1 - hyper["slow_memory"])
        return {**super().columns(hyper, step), "slow_mix": mix_R1, "amplification": hyper["amplification"]}

    def update(
        self,
        weights_RW: Tensor,
        grads_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        layout: Layout,
    ) -> None:
        """One step, in place."""
        slow_RW = state["slow_gradient"].lerp_(grads_RW, columns["slow_mix"])
        super().update(weights_RW, grads_RW + columns["amplification"] * slow_RW, state, columns, layout)
