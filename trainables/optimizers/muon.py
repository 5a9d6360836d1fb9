"""Muon on hidden matrices, AdamW on the rest. Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/).

A hidden matrix is a parameter with two dimensions that is neither an embedding nor the output layer; in `mlp` it is the
first layer, as in Tian 2025 (arXiv 2509.21519). Five Newton-Schulz iterations orthogonalise its momentum before it is
applied. We iterate in float32, where the original uses bfloat16: our matrices are small, and a pack should not depend
on a device's rounding.
"""

# R runs, W weights

from dataclasses import dataclass, field

from torch import Tensor

from trainables.layout import Layout, Slot
from trainables.optimizers.adamw import adam_columns, adam_direction, check_ranges
from trainables.rate import Scheduled
from trainables.spec import coerce

NOT_HIDDEN = ("embedding", "positions", "unembedding")
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
NUM_ITERATIONS = 5


@dataclass(frozen=True, kw_only=True)
class Optimizer(Scheduled):
    """AdamW's fields, and `hidden_learning_rate`, `momentum` and `hidden_weight_decay` of the hidden matrices."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    hidden_learning_rate: float = 0.02
    momentum: float = 0.95
    hidden_weight_decay: float | None = field(default=None, metadata={"absent": None})
    """None = `weight_decay`. Orthogonal steps of one size keep the spectral norm of a hidden matrix below 1 / decay,
    whatever the gradients, so it wants another decay than what Adam trains."""
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-8

    slots = ("first_moment", "second_moment", "momentum")

    def __post_init__(self) -> None:
        coerce(self)
        check_ranges(self, below_one=("beta1", "beta2", "momentum"))

    def columns(self, hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
        """What the step after `step` steps needs from the hyperparameters, (R, 1) each."""
        share_R1 = self.share_of_rate(hyper, step)
        return {
            **adam_columns(hyper, step),
            "rate": hyper["learning_rate"] * share_R1,
            "hidden_rate": hyper["hidden_learning_rate"] * share_R1,
            "weight_decay": hyper["weight_decay"],
            "hidden_decay": hyper.get("hidden_weight_decay", hyper["weight_decay"]),
            "momentum": hyper["momentum"],
        }

    def update(
        self,
        weights_RW: Tensor,
        grads_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        layout: Layout,
    ) -> None:
        """One step, in place. Adam moments of hidden matrices are kept but not used."""
        direction_RW = adam_direction(grads_RW, state, columns)
        rate_RW, decay_RW = (columns[name].expand_as(weights_RW).clone() for name in ("rate", "weight_decay"))
        mix_R11 = columns["momentum"][:, :, None]
        for slot in filter(is_hidden, layout.slots):
            momentum, gradient = layout.stacked(state["momentum"], slot), layout.stacked(grads_RW, slot)
            momentum.lerp_(gradient, 1 - mix_R11)
            num_inputs, num_outputs = slot.shape  # the transpose of a `torch.nn.Linear`
            step_size = max(1, num_outputs / num_inputs) ** 0.5
            layout.stacked(direction_RW, slot).copy_(step_size * orthogonalised(gradient.lerp(momentum, mix_R11)))
            layout.stacked(rate_RW, slot).copy_(columns["hidden_rate"][:, :, None])
            layout.stacked(decay_RW, slot).copy_(columns["hidden_decay"][:, :, None])
        weights_RW.mul_(1 - rate_RW * decay_RW).sub_(rate_RW * direction_RW)


def is_hidden(slot: Slot) -> bool:
    """True for a matrix that is neither an embedding nor the output layer."""
    return len(slot.shape) == 2 and slot.name not in NOT_HIDDEN


def orthogonalised(matrices_Rmn: Tensor) -> Tensor:
    """About the nearest semi-orthogonal matrix to each of R matrices (R, m, n): singular values within 0.7 to 1.2."""
    a, b, c = COEFFICIENTS
    tall = matrices_Rmn.shape[1] > matrices_Rmn.shape[2]
    x = matrices_Rmn.mT if tall else matrices_Rmn
    x = x / x.flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]
    for _ in range(NUM_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
