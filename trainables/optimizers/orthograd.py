"""AdamW on gradients without their component along the weights. Prieto et al. 2025 (arXiv 2501.04697).

Once a network fits its training data, it can lower the cross-entropy by scaling up its weights, and so its logits,
without learning anything. Each parameter's gradient is made orthogonal to that parameter and scaled back to its
original norm, as in the authors' code.
"""

# R runs, W weights

from dataclasses import dataclass

from torch import Tensor

from trainables.layout import Layout
from trainables.optimizers import adamw

TINY = 1e-30
"""Added to each denominator, as in the authors' code; where all weights are zero the gradient is unchanged."""


@dataclass(frozen=True, kw_only=True)
class Optimizer(adamw.Optimizer):
    """AdamW's fields; weight decay is decoupled, so it still shrinks the weights."""

    def update(
        self,
        weights_RW: Tensor,
        grads_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        layout: Layout,
    ) -> None:
        """One step, in place."""
        across_RW = grads_RW.clone()
        for slot in layout.slots:
            gradient, weight = (layout.stacked(matrix, slot) for matrix in (grads_RW, weights_RW))
            layout.stacked(across_RW, slot).copy_(orthogonal(gradient.flatten(1), weight.flatten(1)).view_as(gradient))
        super().update(weights_RW, across_RW, state, columns, layout)


def orthogonal(grads_RW: Tensor, weights_RW: Tensor) -> Tensor:
    """The component of each gradient orthogonal to the weights, scaled to the gradient's norm, (R, W)."""
    share_R1 = (grads_RW * weights_RW).sum(1, keepdim=True) / (weights_RW.square().sum(1, keepdim=True) + TINY)
    across_RW = grads_RW - share_R1 * weights_RW
    return across_RW * (grads_RW.norm(dim=1, keepdim=True) / (across_RW.norm(dim=1, keepdim=True) + TINY))
