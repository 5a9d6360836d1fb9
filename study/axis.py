"""One axis of a search: a field of RunSpec, its values or range, and the condition under which a point has it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from study.spec import Point
from trainables.errors import SpecError

DIGITS = 6
"""Significant digits of a sampled number: points are read by people."""


@dataclass(frozen=True)
class Axis:
    """A field of RunSpec and what it may be: one of `values`, or a number in [low, high]."""

    path: str
    values: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    shape: bool = False
    """Runs with different values cannot be in one pack."""
    when: tuple[str, tuple[Any, ...]] | None = None
    """Only points with one of these values on that other axis have a value here; None = all points have."""

    def __str__(self) -> str:
        when = f" if {self.when[0]}={','.join(map(_text, self.when[1]))}" if self.when else ""
        if self.values is not None:
            return ",".join(map(_text, self.values)) + when
        return f"{_text(self.low)}:{_text(self.high)}" + ":log" * self.log + ":int" * self.integer + when

    def applies(self, point: Point) -> bool:
        """True if a point with these other values has one here."""
        return self.when is None or point.get(self.when[0]) in self.when[1]

    @property
    def middle(self) -> list[float]:
        """Coordinates of points that have no value here."""
        return [0.5] if self.ordered else [0.0] * self.num_coordinates

    @property
    def size(self) -> int | None:
        """Number of values; None if there is no end of them."""
        if self.values is not None:
            return len(self.values)
        return round(self.span[1] - self.span[0]) + 1 if self.integer else None

    @property
    def span(self) -> tuple[float, float]:
        """Ends of a range."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    @property
    def ordered(self) -> bool:
        """True for numbers, which lie on a line; words, and what is neither, do not."""
        return self.values is None or all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values)

    @property
    def num_coordinates(self) -> int:
        """One for numbers; one per value for words."""
        return 1 if self.ordered else len(self.values or ())

    def all_values(self) -> tuple[Any, ...]:
        """Every value of a finite axis."""
        if self.values is not None:
            return self.values
        if self.size is None:
            raise SpecError(
                f"axis {self.path!r}: {self} has no end of values; give some of them, as {self.path}=a,b,c."
            )
        return tuple(range(round(self.span[0]), round(self.span[1]) + 1))

    def contains(self, value: Any) -> bool:
        """True for one of the values, or a number of the kind in the range."""
        if self.values is not None:
            return any(value == known and isinstance(value, bool) == isinstance(known, bool) for known in self.values)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and self.span[0] <= value <= self.span[1] and (not self.integer or float(value).is_integer())

    def encode(self, value: Any) -> list[float]:
        """Coordinates in [0, 1]: the place in the range or among sorted numbers, or one-hot for words."""
        if not self.ordered:
            return [float(value == known) for known in self.values or ()]
        if self.values is not None:
            ranks = sorted(self.values)
            return [ranks.index(value) / max(1, len(ranks) - 1)]
        low, high = self._ends()
        return [min(1.0, max(0.0, (self._scale(value) - low) / (high - low)))] if high > low else [0.0]

    def decode(self, coordinates: Sequence[float]) -> Any:
        """The value nearest to these coordinates; the inverse of `encode` up to `DIGITS`."""
        if not self.ordered:
            assert self.values is not None
            return self.values[max(range(len(self.values)), key=lambda i: coordinates[i])]
        place = min(1.0, max(0.0, coordinates[0]))
        if self.values is not None:
            return sorted(self.values)[round(place * (len(self.values) - 1))]
        low, high = self._ends()
        scaled = low + place * (high - low)
        value = math.exp(scaled) if self.log else scaled
        value = round(value) if self.integer else float(f"{value:.{DIGITS}g}")
        return min(max(value, type(value)(self.span[0])), type(value)(self.span[1]))

    def _ends(self) -> tuple[float, float]:
        """Ends of the range on its scale. Whole numbers get cells of width 1, so that each is drawn as often."""
        half = 0.5 if self.integer else 0.0
        return self._scale(self.span[0] - half), self._scale(self.span[1] + half)

    def _scale(self, value: float) -> float:
        return math.log(value) if self.log else float(value)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
