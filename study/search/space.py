"""The space that a sampler searches: its axes, its points, and points as vectors in the unit cube.

A sampler is a pure function `suggest(space, seen, rng, count) -> points`. All that it knows about the past is `seen`,
which comes from the store, so a crash loses nothing and another machine can continue. `rng` is in the same state at
every call of a search: differences between calls must follow from `seen`. A sampler returns at most `count` points,
fewer when a finite space is used up, and none that is in `seen`, finished or not, unless it is meant to replicate.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from study.search.axis import Axis
from study.spec import Point

__all__ = ["Axis", "Seen", "Space"]


@dataclass(frozen=True)
class Seen:
    """One run that a search has asked for, and what is known about it."""

    point: Point
    finished: bool
    """False while the run waits or trains; a run that failed for good is finished and has no value."""
    value: float | None = None
    """The objective, smaller is better; None if the run is unfinished, failed, censored or has diverged."""
    positive: bool | None = None
    """True if the run ended in one of the phases that the search looks for; None while unfinished or unresolved."""
    step: float | None = None
    """First passage of the test accuracy, in steps; None if it was not reached."""


@dataclass(frozen=True)
class Space:
    """All points with a value on each axis that applies to them. Axes named in conditions apply to all points."""

    axes: tuple[Axis, ...]

    @property
    def size(self) -> int | None:
        """Number of points; None if there are infinitely many."""
        if any(axis.size is None for axis in self.axes):
            return None
        asked = {axis.when[0] for axis in self.axes if axis.when}
        parents = {axis.path: axis.all_values() for axis in self.axes if axis.path in asked}
        others = [axis for axis in self.axes if axis.path not in asked]
        rows = (dict(zip(parents, row, strict=True)) for row in itertools.product(*parents.values()))
        return sum(math.prod(axis.size or 0 for axis in others if axis.applies(row)) for row in rows)

    @property
    def num_coordinates(self) -> int:
        """Length of a point's vector."""
        return sum(axis.num_coordinates for axis in self.axes)

    def contains(self, point: Point) -> bool:
        """True for a point that has a value of the axis on exactly those axes that apply to it."""
        own = [axis for axis in self.axes if axis.applies(point)]
        return point.keys() == {axis.path for axis in own} and all(axis.contains(point[axis.path]) for axis in own)

    def points(self) -> Iterator[Point]:
        """Every point, the last axis varying fastest; SpecError if there are infinitely many."""
        values = {axis.path: axis.all_values() for axis in self.axes}
        rows = (dict(zip(values, row, strict=True)) for row in itertools.product(*values.values()))
        # Each point comes once: in the row with the first value of every axis that does not apply to it.
        firsts = (row for row in rows if all(row[p] == values[p][0] for p in row.keys() - self.own(row).keys()))
        return map(self.own, firsts)

    def encode(self, point: Point) -> list[float]:
        """The point as a vector of [0, 1]^num_coordinates."""
        return [
            x for axis in self.axes for x in (axis.encode(point[axis.path]) if axis.applies(point) else axis.middle)
        ]

    def decode(self, vector: Sequence[float]) -> Point:
        """The point nearest to a vector of [0, 1]^num_coordinates."""
        point, start = {}, 0
        for axis in self.axes:
            point[axis.path] = axis.decode([float(x) for x in vector[start : start + axis.num_coordinates]])
            start += axis.num_coordinates
        return self.own(point)

    def corners(self, most: int = 256) -> Iterator[Point]:
        """At most `most` points with ends of ranges and listed values."""
        ends = [axis.span if axis.values is None else axis.values for axis in self.axes]
        rows = itertools.islice(itertools.product(*ends), most)
        return (self.own(dict(zip((a.path for a in self.axes), row, strict=True))) for row in rows)

    def own(self, point: Point) -> Point:
        """From values on all axes, those on the axes that apply."""
        return {axis.path: point[axis.path] for axis in self.axes if axis.applies(point)}
