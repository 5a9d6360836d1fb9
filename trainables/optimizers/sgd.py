"""Gradient descent with heavy-ball momentum and coupled L2, as in `torch.optim.SGD` (no dampening, no Nesterov)."""

# R runs, W weights

from dataclasses import dataclass

from torch import Tensor

from trainables.layout import Layout
from trainables.optimizers.adamw import check_ranges
from trainables.rate import Scheduled
from trainables.spec import coerce


@dataclass(frozen=True, kw_only=True)
class Optimizer(Scheduled):
    """`momentum` 0 is plain gradient descent."""

    learning_rate: float = 0.1
    weight_decay: float = 0.0
    momentum: float = 0.9

    slots = ("velocity",)

    def __post_init__(self) -> None:
        coerce(self)
        check_ranges(self, below_one=("momentum",))

    def columns(self, hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
        """What the step after `step` steps needs from the hyperparameters, (R, 1) each."""
        rate_R1 = hyper["learning_rate"] * self.share_of_rate(hyper, step)
        return {"rate": rate_R1, "weight_decay": hyper["weight_decay"], "momentum": hyper["momentum"]}

    def update(
        self,
        weights_RW: Tensor,
        grads_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        layout: Layout,
    ) -> None:
        """One step, in place."""
        velocity_RW = state["velocity"]
        velocity_RW.mul_(columns["momentum"]).add_(grads_RW + columns["weight_decay"] * weights_RW)
        weights_RW.sub_(columns["rate"] * velocity_RW)
