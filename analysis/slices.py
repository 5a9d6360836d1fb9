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


def arranged(cells: Sequence[dict[str, Any]], axes: Sequence[str], most: int) -> list[str]:
    """The axes in the order in which a picture takes them: as they are, but those with over `most` values first."""
    return sorted(axes, key=lambda axis: len({cell["point"].get(axis) for cell in cells}) <= most)


def panels_of(cells: Sequence[dict[str, Any]], axes: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """The panel of each cell, all panels in their order, and whether any of them is a slice."""
    cuts = {axis: values for axis in axes if len(values := _numbers(cells, axis)) > MAX_VALUES}
    number = SLICES.get(len(cuts), 2)
    slices = {axis: _slices(axis, values, number) for axis, values in cuts.items()}
    parts = [[slices.get(axis, {}).get(value := cell["point"][axis], value) for axis in axes] for cell in cells]
    panels = [label(dict(zip(axes, part, strict=True))) for part in parts]
    known = [sorted({part[i] for part in parts}, key=_order) for i in range(len(axes))]
    ordered = [label(dict(zip(axes, part, strict=True))) for part in itertools.product(*known)]
    return panels, [panel for panel in ordered if panel in set(panels)], bool(cuts)


def _numbers(cells: Sequence[dict[str, Any]], axis: str) -> list[float]:
    """The distinct values of an axis of numbers; none of an axis with words."""
    values = {cell["point"][axis] for cell in cells} - {ABSENT}
    return sorted(values) if all(isinstance(value, int | float) for value in values) else []


def _slices(axis: str, values: Sequence[float], number: int) -> dict[float, Slice]:
    """The slice of each value: `number` equal parts of the axis's scale."""
    scale = Scale.of(axis, values)
    edges = [float(f"{scale.value(i / number):.3g}") for i in range(number + 1)]
    parts = (min(number - 1, math.floor(float(scale.unit(value)) * number)) for value in values)
    return {value: Slice(edges[part], edges[part + 1]) for value, part in zip(values, parts, strict=True)}


def _order(part: Any) -> tuple:
    return order(part.low if isinstance(part, Slice) else part)
