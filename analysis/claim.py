"""What a claim of the literature is, and what a check of it on a study's runs says.

No verdict is written by hand. A claim has a statistic of a study's runs and a bar: where the statistic must lie for the
claim to hold. The verdict follows from the bar and the statistic's 95% interval.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trainables.errors import SpecError

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
UNDECIDED = "undecided"
"""The interval crosses the bar, or these runs cannot tell: too few seeds, or no number."""
NOT_YET_RUN = "not yet run"
"""Some runs of the study have not ended; the number is from those that have."""

FEW_SEEDS = 5
"""A claim on fewer seeds is undecided: intervals of so few are not to be trusted (docs/performance.md)."""

CORRELATION = DIFFERENCE = (-1.0, 1.0)
SHARE = (0.0, 1.0)
RATIO = (0.0, math.inf)
"""What can be at least and at most: a correlation, a difference of shares or accuracies, a share or an accuracy, and a
ratio of positive numbers."""

Runs = list[dict[str, Any]]
"""Runs that have ended, one dictionary each: the columns of `outcomes` and `runs`, `point` (axis path -> value), and
the further columns that the claim asks for."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a paper says, as a number that a study can measure."""

    name: str
    says: str
    """The claim in one sentence."""
    source: str
    """Paper and place in it: `Huang et al. 2024 (arXiv 2402.15175), Figure 3`."""
    published: str
    """The paper's numbers."""
    studies: Sequence[str] = ()
    """Studies that can answer. Ours name studies of the catalog: first the one sized for two cores, then the one at the
    paper's size. A claim of a study file may name none: then it is about the file's own."""
    statistic: Callable[[Runs], float]
    """A number computed from the runs; NaN where they cannot tell. It is called once per resample, so it must be quick
    and free of side effects."""
    unit: str
    """What the statistic is, in words."""
    within: tuple[float, float] = (-math.inf, math.inf)
    """What the statistic can be at least and at most: its interval, stretched for few seeds, ends there."""
    above: float | None = None
    below: float | None = None
    """The bar: the statistic must be above the one, below the other, or between both."""
    columns: str | None = None
    """SQL that gives `run_id` and further columns for the statistic."""
    question: str = ""
    """What is asked, where the literature disagrees. The other side is a claim with the same question."""
    note: str = ""
    """What limits the check at these sizes: sizes that were tried, differences from the paper."""

    def __post_init__(self) -> None:
        if self.above is None and self.below is None:
            raise SpecError(
                f"claim {self.name!r} has no bar: say where its number must lie, with above, below or both."
            )

    @property
    def bar(self) -> str:
        """The bar in words: `above 0`, `2 to 2.5`."""
        if self.above is not None and self.below is not None:
            return f"{self.above:.3g} to {self.below:.3g}"
        return f"above {self.above:.3g}" if self.below is None else f"below {self.below:.3g}"


@dataclass(frozen=True)
class Checked:
    """A claim checked on one study. `low` to `high` is the 95% interval of `value`; NaN where there is none."""

    row: str
    """The file that holds the claim: of analysis/claims, or a study's."""
    claim: Claim
    study: str
    ended: int
    """How many of the planned runs have ended."""
    planned: int
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    seeds: int = 0
    """The fewest runs of any point among those that have ended."""

    @property
    def verdict(self) -> str:
        """Follows from the interval and the bar alone, once all runs have ended.

        An infinite end is on the same side of a bar as any large number.
        """
        if self.ended < self.planned:
            return NOT_YET_RUN
        if math.isnan(self.low) or math.isnan(self.high) or 0 < self.seeds < FEW_SEEDS:
            return UNDECIDED
        above, below = self.claim.above, self.claim.below
        if (above is None or above < self.low) and (below is None or self.high < below):
            return REPRODUCED
        fails = (above is not None and self.high <= above) or (below is not None and below <= self.low)
        return NOT_REPRODUCED if fails else UNDECIDED

    @property
    def ours(self) -> str:
        """Value, interval, and the number of seeds where it is small, in words; empty where there is no value."""
        if math.isnan(self.value):
            return ""
        if math.isnan(self.low):
            return f"{self.value:.3g} (no interval{': one seed' if self.seeds == 1 else ''})"
        seeds = f", {self.seeds} seeds" if 0 < self.seeds < FEW_SEEDS else ""
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]{seeds}"


def as_row(checked: Checked) -> dict[str, Any]:
    """The row that `study claims --json` and a report print."""
    claim = checked.claim
    words = {name: getattr(claim, name) for name in ("name", "says", "question", "source", "published", "unit", "bar")}
    measured = ("study", "ended", "planned", "seeds", "value", "low", "high", "ours")
    numbers = {name: getattr(checked, name) for name in measured}
    return {"row": checked.row, **words, **numbers, "verdict": checked.verdict, "note": claim.note}
