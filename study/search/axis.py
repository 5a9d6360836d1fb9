"""One axis of a search: a field of RunSpec, its values or its range, and the condition under which it applies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from study.spec import Point
from trainables.errors import SpecError

DECADES = 20
"""A positive axis is taken in logarithms if its highest value is at least this many times its lowest."""
DIGITS = 6
"""Significant digits of a sampled number, few because people read points; more where a range is narrow."""


@dataclass(frozen=True)
class Axis:
    """A field of RunSpec that takes one of `values`, or a number in [low, high]."""

    path: str
    values: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    step: int = 1
    """Distance of the values of an integer range, whose `high` is one of them."""
    shape: bool = False
    """True if runs with different values cannot be in one pack."""
    when: tuple[str, tuple[Any, ...]] | None = None
    """(path, values): only points with one of these values on that other axis have a value here; None = all points."""

    def __str__(self) -> str:
        when = f" if {self.when[0]}={','.join(map(text_of, self.when[1]))}" if self.when else ""
        if self.values is not None:
            return ",".join(map(text_of, self.values)) + when
        step = f":{self.step}" if self.step > 1 else ""
        return f"{text_of(self.low)}:{text_of(self.high)}" + ":log" * self.log + ":int" * self.integer + step + when

    def applies(self, point: Point) -> bool:
        """True if a point with these values on the other axes has a value on this one."""
        return self.when is None or point.get(self.when[0]) in self.when[1]

    @property
    def middle(self) -> list[float]:
        """Coordinates of points that have no value on this axis."""
        return [0.5] if self.ordered else [0.0] * self.num_coordinates

    @property
    def size(self) -> int | None:
        """Number of values; None if there are infinitely many."""
        if self.values is not None:
            return len(self.values)
        return round(self.span[1] - self.span[0]) // self.step + 1 if self.integer else None

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest value of a range."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    @property
    def ordered(self) -> bool:
        """True if the values are numbers, which lie on a line; False for words and all else."""
        return self.values is None or all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values)

    @property
    def num_coordinates(self) -> int:
        """1 for numbers; for words one per value."""
        return 1 if self.ordered else len(self.values or ())

    def all_values(self) -> tuple[Any, ...]:
        """Every value of a finite axis; SpecError for an infinite one."""
        if self.values is not None:
            return self.values
        if self.size is None:
            raise SpecError(
                f"axis {self.path!r}: {self} has no end of values; give some of them, as {self.path}=a,b,c."
            )
        return tuple(range(round(self.span[0]), round(self.span[1]) + 1, self.step))

    def contains(self, value: Any) -> bool:
        """True for one of the values, or for a number in the range (one of its whole ones for an integer axis)."""
        if self.values is not None:
            return any(value == known and isinstance(value, bool) == isinstance(known, bool) for known in self.values)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return (
            number and self.span[0] <= value <= self.span[1] and (not self.integer or self._steps(value).is_integer())
        )

    def encode(self, value: Any) -> list[float]:
        """Coordinates in [0, 1]: the place in the range, the rank among listed numbers, or one-hot for words."""
        if not self.ordered:
            return [float(value == known) for known in self.values or ()]
        if self.values is not None:
            ranks = sorted(self.values)
            return [ranks.index(value) / max(1, len(ranks) - 1)]
        low, high = self._ends()
        return [min(1.0, max(0.0, (self._scale(value) - low) / (high - low)))] if high > low else [0.0]

    def decode(self, coordinates: Sequence[float]) -> Any:
        """The value nearest to these coordinates; the inverse of `encode` up to its digits."""
        if not self.ordered:
            assert self.values is not None
            return self.values[max(range(len(self.values)), key=lambda i: coordinates[i])]
        place = min(1.0, max(0.0, coordinates[0]))
        if self.values is not None:
            return sorted(self.values)[round(place * (len(self.values) - 1))]
        low, high = self._ends()
        scaled = low + place * (high - low)
        value = math.exp(scaled) if self.log else scaled
        if self.integer:
            value = round(self.span[0]) + self.step * round(self._steps(value))
        else:
            value = float(f"{value:.{self._digits}g}")
        return min(max(value, type(value)(self.span[0])), type(value)(self.span[1]))

    def _ends(self) -> tuple[float, float]:
        """Ends of the range on its scale. Whole numbers get cells as wide as a step: all are drawn equally often."""
        half = self.step / 2 if self.integer else 0.0
        return self._scale(self.span[0] - half), self._scale(self.span[1] + half)

    def _scale(self, value: float) -> float:
        return math.log(value) if self.log else float(value)

    def _steps(self, value: float) -> float:
        """How many steps a value of an integer range is above the lowest."""
        return (value - self.span[0]) / self.step

    @property
    def _digits(self) -> int:
        """Significant digits of a sampled number: `DIGITS` of its place in the range."""
        low, high = self.span
        return DIGITS + (max(0, math.floor(math.log10(max(abs(low), abs(high)) / (high - low)))) if high > low else 0)


def spans_decades(low: float, high: float) -> bool:
    """True for an axis that is taken in logarithms, in a search, in a fit and on a chart."""
    return low > 0 and high / low >= DECADES


def text_of(value: Any) -> str:
    """A value as the command line writes it: a number without a trailing zero, in as many digits as it has."""
    if not isinstance(value, float):
        return str(value)
    return short if float(short := f"{value:g}") == value else repr(value)
