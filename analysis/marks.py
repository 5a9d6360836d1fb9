"""The marks of a phase diagram: tiles for a grid, dots for many values, with a boundary over or under them."""

import json
from typing import Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.band import Place, band, line
from analysis.boundaries import Boundary
from analysis.channel import Channel, channel
from analysis.charts import show, words
from analysis.scale import ABSENT, Scale

SIZES = {"x": (72, 480), "y": (48, 340)}
"""Pixels of a tile, and at most of all tiles; half as many in a panel."""
MOST_LETTERS = 12
"""Of a label below a tile; with more, labels are slanted."""
MIN_PANEL = 96
"""Pixels that a panel has at least, for the title of its axis."""


class Side:
    """An axis of the plane: its path, its sorted values, and its scale where it is drawn as numbers."""

    def __init__(self, path: str, values: list, scale: Scale | None, among: list[str]) -> None:
        self.path, self.values, self.scale, self.among = path, values, scale, among

    @property
    def title(self) -> str:
        return words(self.path, self.among)

    def place(self, value: Any) -> Any:
        """Where a value is drawn."""
        return value if self.scale is None else self.scale.drawn(value)

    def of_tiles(self, kind: type[alt.X] | type[alt.Y], field: str) -> Channel:
        """A channel on which value i of the axis has the range from i to i + 1."""
        centres = [i + 0.5 for i in range(len(self.values))]
        names = f"{json.dumps([show(value) for value in self.values])}[floor(datum.value)]"
        axis = alt.Axis(values=centres, labelExpr=names, title=self.title, grid=False, ticks=False, domain=False)
        if kind is alt.X and max(len(show(value)) for value in self.values) > MOST_LETTERS:
            axis.labelAngle, axis.labelOverlap = -20, False  # else labels are left out
        return kind(f"{field}:Q", scale=alt.Scale(domain=[0, len(self.values)], nice=False), axis=axis)

    def of_dots(self, kind: type[alt.X] | type[alt.Y], field: str) -> Channel:
        """A channel for numbers by their scale, and for words by their order."""
        if self.scale is None:
            return kind(f"{field}:N", sort=self.values).title(self.title)
        whole = all(isinstance(value, int) for value in self.values)
        return channel(kind, field, self.scale, ABSENT in self.values, self.among, whole)


def tiles(base: alt.Chart, x: Side, y: Side, small: bool = False) -> alt.Chart:
    """One tile per cell and phase, as wide as its share of the cell; `small` in one of several panels."""
    return (
        base.mark_rect()
        .transform_calculate(
            across=f"indexof({json.dumps(x.values)}, datum.x)",
            up=f"indexof({json.dumps(y.values)}, datum.y)",
            left="datum.across + 0.03 + 0.94 * datum.start",
            right="datum.left + 0.94 * datum.fraction",
            bottom="datum.up + 0.03",
            top="datum.bottom + 0.94",
        )
        .encode(x.of_tiles(alt.X, "left"), y.of_tiles(alt.Y, "bottom"), x2="right:Q", y2="top:Q")
        .properties(width=tile_size("x", x, small), height=tile_size("y", y, small))
    )


def tile_size(side: str, axis: Side, small: bool) -> int:
    """Pixels of all tiles along an axis."""
    one, most = SIZES[side]
    size = min(most, one * len(axis.values))
    return max(MIN_PANEL, size // 2) if small else size


def dots(base: alt.Chart, x: Side, y: Side, small: bool = False) -> alt.Chart:
    """One dot per cell in the commonest phase of its runs; its opacity is that phase's fraction."""
    marks = (
        base.mark_circle(size=60 if small else 90, stroke="white", strokeWidth=0.5)
        .transform_window(rank="row_number()", groupby=["cell"], sort=[alt.SortField("fraction", order="descending")])
        .transform_filter("datum.rank == 1")
        .encode(
            x.of_dots(alt.X, "x"),
            y.of_dots(alt.Y, "y"),
            opacity=alt.Opacity("fraction:Q").scale(domain=[0, 1], range=[0, 1]).legend(None),
        )
    )
    return marks.properties(width=220, height=200) if small else marks


def over_dots(marks: alt.Chart, found: Boundary, x: Side, y: Side) -> ChartType:
    """Band and line under the dots, so that they hide no colour and take no click."""
    plane, axes = (x.of_dots(alt.X, "x"), y.of_dots(alt.Y, "y")), (x.path, y.path)
    return band(found, *plane, axes) + line(found, *plane, axes) + marks


def over_tiles(marks: alt.Chart, found: Boundary, x: Side, y: Side) -> ChartType:
    """The line alone: a band over the tiles changes their colours, and a band under them cannot be seen."""
    plane, axes = (x.of_tiles(alt.X, "x"), y.of_tiles(alt.Y, "y")), (x.path, y.path)
    across, up = (_between_tiles(found.scales[found.axes.index(side.path)], side.values) for side in (x, y))
    return marks + line(found, *plane, axes, (across, up))


def _between_tiles(scale: Scale, values: list) -> Place:
    """The place of a value among tiles: values of the runs are at their tiles' centres, others linear in between."""
    centres = [(float(scale.unit(value)), i + 0.5) for i, value in enumerate(values) if value != ABSENT]
    units, middles = zip(*centres, strict=True)
    return lambda value: float(np.interp(scale.unit(value), units, middles))
