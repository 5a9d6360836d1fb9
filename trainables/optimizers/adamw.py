"""AdamW: Adam with decoupled weight decay on every weight. Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2.

The default betas are those of Power et al. 2022, as usual in this field, not torch's.
"""

# R runs, W weights

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.parts import name_of
from trainables.rate import Scheduled
from trainables.spec import coerce


@dataclass(frozen=True, kw_only=True)
class Optimizer(Scheduled):
    """Every floating-point field may differ between the runs of a pack."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-8
    clip_norm: float | None = field(default=None, metadata={"absent": None})
    """Scale a gradient whose norm over all weights is larger down to this norm; None = no clipping."""
    decay_vectors: bool = field(default=True, metadata={"absent": True})
    """False leaves out biases and gains of norms from weight decay, as training code for GPT-2 does."""

    slots = ("first_moment", "second_moment")

    def __post_init__(self) -> None:
        coerce(self)
        check_ranges(self, below_one=("beta1", "beta2"))

    def columns(self, hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
        """What the step after `step` steps needs from the hyperparameters, (R, 1) each."""
        rate_R1 = hyper["learning_rate"] * self.share_of_rate(hyper, step)
        clip = {"clip_norm": hyper["clip_norm"]} if self.clip_norm is not None else {}
        return {**adam_columns(hyper, step), "rate": rate_R1, "keep": 1 - rate_R1 * hyper["weight_decay"], **clip}

    def update(
        self,
        weights_RW: Tensor,
        grads_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        layout: Layout,
    ) -> None:
        """One step, in place."""
        if self.clip_norm is not None:
            grads_RW = grads_RW * (columns["clip_norm"] / (grads_RW.norm(dim=1, keepdim=True) + 1e-6)).clamp(max=1)
        keep = columns["keep"]
        if not self.decay_vectors:
            keep = torch.where(layout.is_matrix_W, keep, 1)
        weights_RW.mul_(keep).sub_(columns["rate"] * adam_direction(grads_RW, state, columns))


def adam_columns(hyper: dict[str, Tensor], step: Tensor) -> dict[str, Tensor]:
    """The columns that `adam_direction` needs, (R, 1) each: how fast the moments move, and their bias corrections."""
    first_R1, second_R1 = (1 - hyper[name] ** (step + 1) for name in ("beta1", "beta2"))
    return {
        "first_mix": 1 - hyper["beta1"],
        "second_mix": 1 - hyper["beta2"],
        "root_scale": first_R1 / second_R1.sqrt(),
        "epsilon": hyper["epsilon"] * first_R1,
    }


def adam_direction(grads_RW: Tensor, state: dict[str, Tensor], columns: dict[str, Tensor]) -> Tensor:
    """Bias-corrected first moment over the root of the second, (R, W); updates both moments in place."""
    first_RW, second_RW = state["first_moment"], state["second_moment"]
    first_RW.lerp_(grads_RW, columns["first_mix"])
    second_RW.lerp_(grads_RW.square(), columns["second_mix"])
    return first_RW / (second_RW.sqrt() * columns["root_scale"] + columns["epsilon"])


def check_ranges(optimizer: Scheduled, below_one: tuple[str, ...]) -> None:
    """SpecError for a negative number, for one of `below_one` at 1 or more, for an epsilon or clip_norm of 0, and for a
    schedule that cannot be."""
    for name, value in vars(optimizer).items():
        if value is None or isinstance(value, bool | str):
            continue
        if name in ("epsilon", "clip_norm") and value <= 0:
            raise SpecError(f"{name_of(optimizer)}.{name} must be larger than 0, got {value}.")
        if value < 0 or (name in below_one and value >= 1):
            bound = "in [0, 1)" if name in below_one else "0 or larger"
            raise SpecError(f"{name_of(optimizer)}.{name} must be {bound}, got {value}.")
    optimizer.check_schedule()
