"""The space that a sampler looks in: its axes, its points, and points as vectors of a unit cube.

A sampler is a pure function `suggest(space, seen, rng, count) -> points`. All that it knows of the past is `seen`,
which is what the store holds, so a crash costs nothing and another machine can go on. `rng` is in the same state at
every call of a search: what should differ between calls follows from `seen`. It gives at most `count` points, fewer
when a finite space is done, and none that is in `seen`, finished or not, unless the sampler is meant to replicate.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study.axis import Axis
from study.spec import Point

__all__ = ["Axis", "Seen", "Space", "space_of"]


@dataclass(frozen=True)
class Seen:
    """One run that a search has asked for, and what is known of it."""

    point: Point
    finished: bool
    """False while it waits or trains; a run that failed for good is finished, without a value."""
    value: float | None = None
    """The objective, smaller is better; None if it has none: unfinished, or censored."""
    positive: bool | None = None
    """In the phase that the search tells apart; None while unfinished or unresolved."""
    step: float | None = None
    """First passage of the test accuracy, in steps; None if it was not reached."""


@dataclass(frozen=True)
class Space:
    """All points with a value on each axis that applies to them. The axes that conditions name apply to all."""

    axes: tuple[Axis, ...]

    @property
    def size(self) -> int | None:
        """Number of points; None if there is no end of them."""
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
        """True for a point with exactly the axes that apply to it, each value one of its axis."""
        own = [axis for axis in self.axes if axis.applies(point)]
        return point.keys() == {axis.path for axis in own} and all(axis.contains(point[axis.path]) for axis in own)

    def points(self) -> Iterator[Point]:
        """Every point, the last axis fastest; SpecError if there is no end of them."""
        values = {axis.path: axis.all_values() for axis in self.axes}
        rows = (dict(zip(values, row, strict=True)) for row in itertools.product(*values.values()))
        # A point comes once: with the first values of the axes that do not apply to it.
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
        """Points with the ends of ranges, or with any of the values: where a combination that cannot work shows."""
        ends = [axis.span if axis.values is None else axis.values for axis in self.axes]
        rows = itertools.islice(itertools.product(*ends), most)
        return (self.own(dict(zip((a.path for a in self.axes), row, strict=True))) for row in rows)

    def own(self, point: Point) -> Point:
        """Of values on all axes those on the axes that apply."""
        return {axis.path: point[axis.path] for axis in self.axes if axis.applies(point)}


def space_of(values: Mapping[str, Sequence[Any]]) -> Space:
    """The finite space of a grid: dotted path -> values."""
    return Space(tuple(Axis(path, values=tuple(of_axis)) for path, of_axis in values.items()))
