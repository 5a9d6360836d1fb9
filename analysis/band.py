"""A boundary on the plane of two axes as marks for charts: grey where the runs do not tell the side, a line where half
of the seeds are on either."""

from collections.abc import Callable, Sequence

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.boundaries import Boundary
from study.boundary_width import Z

CELLS = 60
"""Columns of rectangles that the band is drawn in."""
Channel = alt.X | alt.Y
Place = Callable[[float], float]
"""Where a value of an axis is on the chart, in the units of its scale."""


def band(found: Boundary, x: Channel, y: Channel, axes: Sequence[str] | None = None) -> alt.Chart:
    """The 95% band. `x` and `y` are channels for the fields `x` and `y`; `axes` are theirs, None = as in `found`."""
    across, up = (found.axes.index(axis) for axis in axes or found.axes)
    middle = (np.arange(CELLS) + 0.5) / CELLS
    mean, sd = found.model.mean_and_sd(np.stack(np.meshgrid(middle, middle, indexing="ij"), -1).reshape(-1, 2))
    unsure = (np.abs(mean) < Z * sd).reshape(CELLS, CELLS).transpose(across, up)
    edges = [[found.scales[axis].value(i / CELLS) for i in range(CELLS + 1)] for axis in (across, up)]
    rows = []
    for i in range(CELLS):
        changes = np.flatnonzero(np.diff(np.concatenate([[0], unsure[i].astype(int), [0]])))
        for start, end in changes.reshape(-1, 2):  # one rectangle for each unbroken stretch of a column
            ends = (edges[0][i], edges[1][start], edges[0][i + 1], edges[1][end])
            rows.append(dict(zip(("x", "y", "x2", "y2"), ends, strict=True)))
    marks = alt.Chart(alt.InlineData(values=rows)).mark_rect(color="#bdbdbd", opacity=0.55)
    return marks.encode(x, y, x2="x2:Q", y2="y2:Q")


def line(
    found: Boundary,
    x: Channel,
    y: Channel,
    axes: Sequence[str] | None = None,
    places: tuple[Place, Place] = (float, float),
) -> ChartType:
    """The curve in its pieces, black with a white edge, which shows on every colour; arguments as for `band`.

    `places` are for charts whose scales do not hold the axes' own values.
    """
    turned = list(axes or found.axes) != found.axes
    rows = []
    for piece in found.points:
        row = {"width": piece["width"]}
        for end in ("", "2"):
            x_value, y_value = piece[f"{'yx'[not turned]}{end}"], piece[f"{'xy'[not turned]}{end}"]
            row |= {f"x{end}": places[0](x_value), f"y{end}": places[1](y_value)}
        rows.append(row)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x, y, x2="x2:Q", y2="y2:Q")
    edge = base.mark_rule(color="white", strokeWidth=5, strokeCap="round")
    core = base.mark_rule(color="black", strokeWidth=2, strokeCap="round")
    return edge + core.encode(tooltip=[alt.Tooltip("width:Q", format=".3f").title("width of the band")])
