"""AdamW with a learning rate and a decay of its own for the embedding. Liu et al. 2022 (arXiv 2205.10343).

Whether a network memorizes or generalizes follows from which of the two learns faster, the representation or what is
decoded from it; so they are separate axes. `beta2` is torch's, as in the paper.
"""

# R runs, W weights

from dataclasses import dataclass

from torch import Tensor

from trainables.layout import Layout
from trainables.optimizers import adamw

REPRESENTATION = "embedding"


@dataclass(frozen=True, kw_only=True)
class Optimizer(adamw.Optimizer):
    """`learning_rate` and `weight_decay` are those of all but the parameter `embedding`."""

    beta2: float = 0.999
    representation_rate: float = 1e-3
    representation_decay: float = 0.0

    def columns(self, hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
        """What the step after `step` steps needs of the hyperparameters."""
        rate_R1 = hyper["representation_rate"] * adamw.warmth(hyper, step)
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
