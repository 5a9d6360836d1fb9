"""One file per chart: `chart(store, study, ...) -> alt.Chart`, its `TITLE`, and `READ`, which says how to read it.

A chart that needs runs which a study does not have raises NotApplicable; a report leaves it out.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from scipy.special import stdtrit

from analysis.words import words
from trainables.errors import SpecError

WIDTH = "model.width"
DATA_SIZES = ("task.data_size", "task.train_fraction")
"""Axes that set how many training examples a run has."""


class NotApplicable(SpecError):
    """The study lacks the runs that a chart shows."""


def label(point: Mapping[str, Any], among: Iterable[str] = ()) -> str:
    """A point in words: `width 32, weight decay 0.1`. `among`: the axes of its study, for a point that lacks some."""
    return ", ".join(f"{words(path, {*point, *among})} {show(value)}" for path, value in point.items())


def show(value: Any) -> str:
    """A value of an axis: a number in at most four digits, or a whole one with all of them and separators."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if isinstance(value, int) or 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def t_interval(mean: float, sd: float | None, runs: int) -> dict[str, float]:
    """`low` and `high`, the 95% t interval of a mean over runs; empty for a single run, whose spread is unknown."""
    if sd is None:
        return {}
    half = float(stdtrit(runs - 1, 0.975)) * sd / math.sqrt(runs)
    return {"low": mean - half, "high": mean + half}
