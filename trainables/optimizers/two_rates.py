"""AdamW with a separate learning rate and weight decay for the embedding. Liu et al. 2022 (arXiv 2205.10343).

In their theory a network memorizes or generalizes depending on which learns faster, the representation or the decoder,
so the two rates are separate axes. `beta2` is torch's default, as in the paper.
"""

# R runs, W weights

from dataclasses import dataclass

from torch import Tensor

from trainables.layout import Layout
from trainables.optimizers import adamw

REPRESENTATION = "embedding"


@dataclass(frozen=True, kw_only=True)
class Optimizer(adamw.Optimizer):
    """`representation_rate` and `representation_decay` apply to the parameter `embedding`, AdamW's to all others."""

    beta2: float = 0.999
    representation_rate: float = 1e-3
    representation_decay: float = 0.0

    def columns(self, hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
        """What the step after `step` steps needs from the hyperparameters, (R, 1) each."""
        rate_R1 = hyper["representation_rate"] * self.share_of_rate(hyper, step)
        keep_R1 = 1 - rate_R1 * hyper["representation_decay"]
        return {**super().columns(hyper, step), "embedding_rate": rate_R1, "embedding_keep": keep_R1}

    def update(
        self,
        weights_RW: Tensor,
        grads_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        layout: Layout,
    ) -> None:
        """One step, in place."""
        mine = {name: columns[name].expand_as(weights_RW).clone() for name in ("rate", "keep")}
        for slot in layout.slots:
            if slot.name == REPRESENTATION:
                for name, matrix_RW in mine.items():
                    layout.stacked(matrix_RW, slot).copy_(columns[f"{REPRESENTATION}_{name}"][:, :, None])
        super().update(weights_RW, grads_RW, state, {**columns, **mine}, layout)
