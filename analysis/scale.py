"""A numeric axis of a study as a scale from 0 to 1: linear, or in logarithms where it spans decades.

A 0 has no logarithm. On an axis such as 0, 0.001, ..., 10 it has a place of its own, as far below the positive values
as these are from each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from study.search.axis import spans_decades
from study.search.boundary.model import Array

DECADE = 10
"""The same for the positive values of an axis with a 0, where these lie more evenly in logarithms."""
LEAST_SHARE = 0.1
"""The place of 0 takes at least this much of a scale."""
ABSENT = "-"
"""What stands for the value of an axis that does not apply to a point."""
ASIDE = -0.12
"""Where such points are drawn on a numeric axis, on its scale."""


@dataclass(frozen=True)
class Scale:
    """An axis from its lowest value, at 0, to its highest, at 1."""

    path: str
    low: float
    """The lowest value; on a scale with a place for 0, the lowest positive one."""
    high: float
    log: bool
    zero: float = 0.0
    """Share of the scale between the value 0 and `low`; 0 = the axis has no 0, or needs no place for it."""

    @classmethod
    def of(cls, path: str, values: Sequence[float]) -> "Scale":
        """The scale of an axis with these values."""
        known = np.unique(np.asarray(values, float))
        low, high = float(known[0]), float(known[-1])
        positive = known[1:]
        if low == 0 and len(positive) > 1 and high / positive[0] >= DECADE and _evener_in_logs(known):
            return cls(path, float(positive[0]), high, True, max(1 / len(positive), LEAST_SHARE))
        return cls(path, low, high, spans_decades(low, high))

    def unit(self, value: Any) -> Array:
        """The place of a value, or of each value of an array, between 0 and 1."""
        values = np.asarray(value, float)
        if not self.log:
            return (values - self.low) / (self.high - self.low)
        above = np.log(np.maximum(values, self.low if self.zero else 0) / self.low) / np.log(self.high / self.low)
        above = self.zero + (1 - self.zero) * above
        return np.where(values < self.low, self.zero * values / self.low, above) if self.zero else above

    def value(self, unit: float) -> float:
        """The value at a place between 0 and 1; between the places of 0 and of `low` it is linear."""
        if not self.log:
            return float(self.low + unit * (self.high - self.low))
        if unit < self.zero:
            return float(self.low * unit / self.zero)
        return self.drawn_at(unit)

    def drawn_at(self, unit: float) -> float:
        """Where a place is on a chart, whose axis is linear or logarithmic all along: values, but for those near 0."""
        if not self.log:
            return self.value(unit)
        return float(self.low * (self.high / self.low) ** ((unit - self.zero) / (1 - self.zero)))

    def drawn(self, value: Any) -> float:
        """Where a value is on a chart; `ABSENT` lies beside the others."""
        return self.drawn_at(ASIDE if value == ABSENT else float(self.unit(value)))


def _evener_in_logs(known: Array) -> bool:
    """True for a 0 and positive values whose distances differ less in logarithms than as they are."""
    gaps, ratios = np.diff(known), np.diff(np.log(known[1:]))
    return bool(np.std(ratios) / np.mean(ratios) < np.std(gaps) / np.mean(gaps))
