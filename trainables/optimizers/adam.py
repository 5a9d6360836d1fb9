"""Adam with coupled L2: the decay is added to the gradient, so Adam rescales it. Kingma and Ba 2015 (arXiv 1412.6980).

This is not AdamW. In published grokking code "Adam with weight decay" often means this one, and its phase boundaries
are different.
"""

# R runs, W weights

from dataclasses import dataclass

from torch import Tensor

from trainables.layout import Layout
from trainables.optimizers.adamw import adam_columns, adam_direction, check_ranges
from trainables.rate import Scheduled
from trainables.spec import coerce


@dataclass(frozen=True, kw_only=True)
class Optimizer(Scheduled):
    """The fields of `adamw`; `weight_decay` is the coefficient of the weights that are added to the gradient."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-8

    slots = ("first_moment", "second_moment")

    def __post_init__(self) -> None:
        coerce(self)
        check_ranges(self, below_one=("beta1", "beta2"))

    def columns(self, hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
        """What the step after `step` steps needs from the hyperparameters, (R, 1) each."""
        rate_R1 = hyper["learning_rate"] * self.share_of_rate(hyper, step)
        return {**adam_columns(hyper, step), "rate": rate_R1, "weight_decay": hyper["weight_decay"]}

    def update(
        self,
        weights_RW: Tensor,
        grads_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        layout: Layout,
    ) -> None:
        """One step, in place."""
        direction_RW = adam_direction(grads_RW + columns["weight_decay"] * weights_RW, state, columns)
        weights_RW.sub_(columns["rate"] * direction_RW)
