"""One file per chart: `chart(store, study, ...) -> alt.Chart`, its `TITLE`, and `READ`, which says how to read it.

A chart that needs runs which a study does not have raises NotApplicable; a report leaves it out.
"""

import math
from typing import Any

from scipy.special import stdtrit

from trainables.errors import SpecError

WIDTH = "model.width"
DATA_SIZES = ("task.data_size", "task.train_fraction")
"""Axes that set how many training examples a run has."""


class NotApplicable(SpecError):
    """The study lacks the runs that a chart shows."""


def label(point: dict[str, Any]) -> str:
    """A point in words: `width 32, weight_decay 0.1`."""
    return ", ".join(f"{path.rsplit('.', 1)[-1]} {show(value)}" for path, value in point.items())


def show(value: Any) -> str:
    """A value of an axis; numbers with at most four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def t_interval(mean: float, sd: float | None, runs: int) -> dict[str, float]:
    """`low` and `high`, the 95% t interval of a mean over runs; empty for a single run, whose spread is unknown."""
    if sd is None:
        return {}
    half = float(stdtrit(runs - 1, 0.975)) * sd / math.sqrt(runs)
    return {"low": mean - half, "high": mean + half}
