"""The course of the learning rate over a run: a linear warm-up, then constant, or down to zero.

It follows from the step alone, so a run that goes on from a checkpoint has the rates of one that never stopped. Steps
are numbers of a run: runs of one pack may warm up and come to rest at different times.
"""

# R runs

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.components import closest
from trainables.errors import SpecError
from trainables.parts import name_of

SCHEDULES = ("constant", "linear", "cosine")


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """Fields of an optimizer whose rate has a course; `share_of_rate` is what it multiplies its rates with."""

    warmup_steps: float = 0.0
    """Steps over which the learning rate rises linearly from 0; 0 = none."""
    schedule: str = field(default="constant", metadata={"absent": "constant"})
    """What follows the warm-up: a `constant` rate, or one that falls to zero, `linear` or like half a `cosine`."""
    schedule_steps: float = field(default=0.0, metadata={"absent": 0.0})
    """Step at which the rate is zero, the warm-up included; from then on nothing changes. 0 for a constant rate."""

    def share_of_rate(self, hyper: dict[str, Tensor], step: Tensor) -> Tensor:
        """Share of the learning rate in the step after `step` steps, (R, 1)."""
        warmup_R1 = hyper["warmup_steps"].clamp(min=1)
        rising_R1 = ((step + 1) / warmup_R1).clamp(max=1)
        if self.schedule == "constant":
            return rising_R1
        done_R1 = ((step + 1 - warmup_R1) / (hyper["schedule_steps"] - warmup_R1)).clamp(0, 1)
        return rising_R1 * (1 - done_R1 if self.schedule == "linear" else (1 + torch.cos(math.pi * done_R1)) / 2)

    def check_schedule(self) -> None:
        """SpecError for a schedule that is not known, or whose steps do not fit it."""
        name = name_of(self)
        if self.schedule not in SCHEDULES:
            raise SpecError(
                f"{name}.schedule {self.schedule!r} is not known. {closest(self.schedule, list(SCHEDULES))}"
            )
        if self.schedule == "constant" and self.schedule_steps > 0:
            raise SpecError(f"{name}.schedule_steps must be 0 for a constant rate, got {self.schedule_steps:g}.")
        first = max(1, self.warmup_steps)
        if self.schedule != "constant" and self.schedule_steps == 0:
            raise SpecError(f"{name}.schedule_steps must say at which step a {self.schedule} rate is zero, got 0.")
        if self.schedule != "constant" and self.schedule_steps <= first:
            raise SpecError(
                f"{name}.schedule_steps must be larger than the {first:g} steps of the warm-up, got "
                f"{self.schedule_steps:g}."
            )
