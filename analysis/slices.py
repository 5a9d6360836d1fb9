"""Panels for the axes of a study that a picture's plane does not show: one for each value or slice of an axis.

A search draws a new value of every axis for every point. A panel for each of them would hold one point.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from analysis.charts import label, show
from analysis.scale import ABSENT, Scale
from analysis.stored import order

MAX_VALUES = 8
"""An axis with more numbers than this is cut into slices."""
SLICES = {0: 1, 1: 6, 2: 3}
"""Slices of each axis by the number of axes that are cut; two where there are more."""


class Slice(NamedTuple):
    """The values of an axis from `low` to `high`."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{show(self.low)} to {show(self.high)}"


class Panels(NamedTuple):
    """The panels of a diagram, in words."""

    of: list[tuple[str, ...]]
    """The panel of each cell: a label for each axis."""
    labels: list[list[str]]
    """The labels of each axis in their order."""
    sliced: bool

    @property
    def names(self) -> list[str]:
        """All panels that have a cell, in their order."""
        known = set(self.of)
        return [", ".join(parts) for parts in itertools.product(*self.labels) if parts in known]

    @property
    def full(self) -> bool:
        """True if rows and columns leave no panel empty."""
        return len(set(self.of)) == math.prod(map(len, self.labels))


def panels_of(cells: Sequence[dict[str, Any]], axes: Sequence[str], among: Sequence[str] = ()) -> Panels:
    """The panels of cells by these axes; `among` are all axes of the study."""
    cuts = {axis: values for axis in axes if len(values := numbers(cells, axis)) > MAX_VALUES}
    number = SLICES.get(len(cuts), 2)
    slices = {axis: slices_of(axis, values, number) for axis, values in cuts.items()}
    parts = [[slices.get(axis, {}).get(value := cell["point"][axis], value) for axis in axes] for cell in cells]
    known = [sorted(set(column), key=part_order) for column in zip(*parts, strict=True)]
    names = [[label({axis: part}, among) for part in column] for axis, column in zip(axes, known, strict=True)]
    of = [tuple(label({axis: part}, among) for axis, part in zip(axes, row, strict=True)) for row in parts]
    return Panels(of, names, bool(cuts))


def numbers(cells: Sequence[dict[str, Any]], axis: str) -> list[float]:
    """The distinct values of an axis of numbers; none of an axis with words."""
    values = {cell["point"][axis] for cell in cells} - {ABSENT}
    return sorted(values) if all(isinstance(value, int | float) for value in values) else []


def slices_of(axis: str, values: Sequence[float], number: int) -> dict[float, Slice]:
    """The slice of each value: `number` equal parts of the axis's scale."""
    scale = Scale.of(axis, values)
    edges = [float(f"{scale.value(i / number):.3g}") for i in range(number + 1)]
    parts = (min(number - 1, math.floor(float(scale.unit(value)) * number)) for value in values)
    return {value: Slice(edges[part], edges[part + 1]) for value, part in zip(values, parts, strict=True)}


def part_order(part: Any) -> tuple:
    """A sort key for values and slices of an axis."""
    return order(part.low if isinstance(part, Slice) else part)
