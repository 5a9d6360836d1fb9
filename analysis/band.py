"""The marks of a boundary on the plane of two axes: its grey 95% band, and the line on which half of the seeds are on
either side."""

from collections.abc import Callable, Sequence

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.boundaries import Boundary
from analysis.channel import Channel
from analysis.theme import BAND
from study.search.boundary.width import Z

CELLS = 60
"""The band is drawn in this many columns of rectangles."""
Place = Callable[[float], float]
"""The place of an axis's value on the chart, in the units of the chart's scale: `Scale.drawn`, or among tiles."""


def band(found: Boundary, x: Channel, y: Channel, axes: Sequence[str] | None = None) -> alt.Chart:
    """The 95% band. `x` and `y` are channels for fields of these names; `axes` are theirs, None for `found.axes`."""
    across, up = (found.axes.index(axis) for axis in axes or found.axes)
    middle = (np.arange(CELLS) + 0.5) / CELLS
    mean, sd = found.band.mean_and_sd(np.stack(np.meshgrid(middle, middle, indexing="ij"), -1).reshape(-1, 2))
    unsure = (np.abs(mean) < Z * sd).reshape(CELLS, CELLS).transpose(across, up)
    edges = [[found.scales[axis].drawn_at(i / CELLS) for i in range(CELLS + 1)] for axis in (across, up)]
    rows = []
    for i in range(CELLS):
        changes = np.flatnonzero(np.diff(np.concatenate([[0], unsure[i].astype(int), [0]])))
        for start, end in changes.reshape(-1, 2):  # one rectangle for each unbroken stretch of a column
            ends = (edges[0][i], edges[1][start], edges[0][i + 1], edges[1][end])
            rows.append(dict(zip(("x", "y", "x2", "y2"), ends, strict=True)))
    marks = alt.Chart({"values": rows}).mark_rect(**BAND)
    return marks.encode(x, y, x2="x2:Q", y2="y2:Q")


def line(
    found: Boundary,
    x: Channel,
    y: Channel,
    axes: Sequence[str] | None = None,
    places: tuple[Place, Place] | None = None,
) -> ChartType:
    """The curve in its pieces, black with a white edge, so that it shows on every colour; arguments as for `band`.

    `places` give the places of values of x and y; None for those of the axes' scales.
    """
    across, up = places or [found.scales[found.axes.index(axis)].drawn for axis in axes or found.axes]
    turned = list(axes or found.axes) != found.axes
    rows = []
    for piece in found.points:
        row = {"width": piece["width"]}
        for end in ("", "2"):
            x_value, y_value = piece[f"{'yx'[not turned]}{end}"], piece[f"{'xy'[not turned]}{end}"]
            row |= {f"x{end}": across(x_value), f"y{end}": up(y_value)}
        rows.append(row)
    base = alt.Chart({"values": rows}).encode(x, y, x2="x2:Q", y2="y2:Q")
    edge = base.mark_rule(color="white", strokeWidth=5, strokeCap="round")
    core = base.mark_rule(color="black", strokeWidth=2, strokeCap="round")
    return edge + core.encode(tooltip=[alt.Tooltip("width:Q", format=".3f").title("width of the band")])
