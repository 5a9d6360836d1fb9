"""The phases of a study over two of its axes: every cell is divided among the phases of its runs.

Axes with few values make a grid of cells. Where a sampler drew values from a range, a cell is a dot in the commonest
phase of its runs, fainter the fewer of them agree. Further axes become panels. Two axes of numbers show the boundary
of generalization too, if there is one.
"""

import json
import math
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.band import Channel, Place, band, line
from analysis.boundaries import DECADES, Boundary, Scale, boundary
from analysis.charts import NotApplicable, Study, label, order, read_cells, read_study, show
from analysis.theme import phase_color, value_axis
from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store

TITLE = "Phase diagram"
READ = (
    "Each cell is divided among the phases of its runs, so one colour means that all seeds agree; "
    "point at it for the counts and the Wilson 95% interval. On a black line half of the seeds generalize; in the grey "
    "band around it, drawn where cells are dots, the runs do not tell on which side a point is."
)
MAX_TICKS = 24
"""An axis with more values than this is continuous."""
Values = tuple[str, list]
"""An axis: its path and its values in order."""


def chart(
    store: "Store", study: str, definition: str | None = None, x: str | None = None, y: str | None = None
) -> ChartType:
    """The diagram over the axes `x` and `y`: dotted paths, None for the first that is left.

    `definition` is a phase definition, None for the study's own.
    """
    facts = read_study(store, study, definition)
    for axis in (x, y):
        if axis is not None and axis not in facts.axes:
            raise SpecError(f"Study {study!r} has no axis {axis!r}. {closest(axis, facts.axes)}")
    cells = read_cells(store, facts)
    if not cells:
        raise NotApplicable(f"Study {study!r} has no runs on its axes.")
    others = [axis for axis in facts.axes if axis not in (x, y)]
    axes = [axis or (others.pop(0) if others else "") for axis in (x, y)]
    subtitle = facts.subtitle(f"phases by {facts.definition}", sum(cell["runs"] for cell in cells))
    return diagram(cells, axes + others, boundary_of(store, facts)).properties(
        title=alt.Title(facts.question, subtitle=subtitle)
    )


def boundary_of(store: "Store", facts: Study) -> Boundary | None:
    """The boundary of generalization on the plane of a study's two axes; None if it has none."""
    if len(facts.axes) != 2:
        return None
    try:
        return boundary(store, facts.name, definition=facts.definition)
    except SpecError:  # axes of words, or runs all on one side
        return None


def diagram(
    cells: list[dict[str, Any]], axes: list[str], found: Boundary | None = None, picked: alt.Parameter | None = None
) -> ChartType:
    """The marks for `cells` (see `read_cells`), x and y the first two of `axes`, without a title.

    `found` is the boundary to draw. `picked` is a selection of the marks' field `cell`; what it holds is outlined.
    """
    x, y, *rest = [*axes, "", ""][: max(2, len(axes))]
    xs, ys = (sorted({cell["point"].get(axis, "") for cell in cells}, key=order) for axis in (x, y))
    panel_of = [label({axis: cell["point"][axis] for axis in rest}) for cell in cells]
    rows = [
        {key: cell[key] for key in ("cell", "phase", "fraction", "start")}
        | {
            "x": cell["point"].get(x, ""),
            "y": cell["point"].get(y, ""),
            "panel": panel,
            "point": label(cell["point"]),
            "runs": f"{cell['runs']} of {cell['total']}",
            "interval": f"{cell['low']:.2f} to {cell['high']:.2f}",
        }
        for cell, panel in zip(cells, panel_of, strict=True)
    ]
    tooltip = ["point:N", "phase:N", "runs:N", alt.Tooltip("interval:N").title("Wilson 95%")]
    base = alt.Chart(alt.InlineData(values=rows)).encode(phase_color(row["phase"] for row in rows), tooltip=tooltip)
    continuous = max(len(xs), len(ys)) > MAX_TICKS
    marks = (_dots if continuous else _tiles)(base, (x, xs), (y, ys))
    if picked is not None:
        outline = alt.when(picked).then(alt.value("black"))
        width = alt.when(picked).then(alt.value(2)).otherwise(alt.value(0.5))
        marks = marks.encode(stroke=outline, strokeWidth=width).add_params(picked)
    panels = list(dict.fromkeys(panel_of))
    if len(panels) == 1:
        return marks if found is None else (_over_dots if continuous else _over_tiles)(marks, found, (x, xs), (y, ys))
    marks = marks.properties(width=200, height=160)
    return marks.facet(alt.Facet("panel:N", sort=panels, title=None), columns=math.ceil(len(panels) ** 0.5))


def _tiles(base: alt.Chart, x: Values, y: Values) -> alt.Chart:
    """One tile per cell and phase, as wide as its share of the cell."""
    corner = {"x": f"indexof({json.dumps(x[1])}, datum.x)", "y": f"indexof({json.dumps(y[1])}, datum.y)"}
    return (
        base.mark_rect()
        .transform_calculate(
            left=f"{corner['x']} + 0.03 + 0.94 * datum.start",
            right="datum.left + 0.94 * datum.fraction",
            bottom=f"{corner['y']} + 0.03",
            top="datum.bottom + 0.94",
        )
        .encode(_of_tiles(alt.X, "left", *x), _of_tiles(alt.Y, "bottom", *y), x2="right:Q", y2="top:Q")
        .properties(width=min(480, 72 * len(x[1])), height=min(340, 48 * len(y[1])))
    )


def _dots(base: alt.Chart, x: Values, y: Values) -> alt.Chart:
    """One dot per cell in the commonest phase of its runs; its opacity is that phase's fraction."""
    return (
        base.mark_circle(size=90, stroke="white", strokeWidth=0.5)
        .transform_window(rank="row_number()", groupby=["cell"], sort=[alt.SortField("fraction", order="descending")])
        .transform_filter("datum.rank == 1")
        .encode(
            _of_dots(alt.X, "x", *x),
            _of_dots(alt.Y, "y", *y),
            opacity=alt.Opacity("fraction:Q").scale(domain=[0, 1], range=[0, 1]).legend(None),
        )
    )


def _over_dots(marks: alt.Chart, found: Boundary, x: Values, y: Values) -> ChartType:
    """Band and line under the dots, whose colours and clicks come first."""
    plane, axes = (_of_dots(alt.X, "x", *x), _of_dots(alt.Y, "y", *y)), (x[0], y[0])
    return band(found, *plane, axes) + line(found, *plane, axes) + marks


def _over_tiles(marks: alt.Chart, found: Boundary, x: Values, y: Values) -> ChartType:
    """The line alone: a band over tiles changes their colours, and one under them is not seen."""
    plane, axes = (_of_tiles(alt.X, "x", *x), _of_tiles(alt.Y, "y", *y)), (x[0], y[0])
    across, up = (_between_tiles(found.scales[found.axes.index(axis)], values) for axis, values in (x, y))
    return marks + line(found, *plane, axes, (across, up))


def _of_tiles(kind: type[alt.X] | type[alt.Y], field: str, name: str, values: list) -> Channel:
    """A channel on which value i of an axis has the tile from i to i + 1."""
    centres = [i + 0.5 for i in range(len(values))]
    names = f"{json.dumps([show(value) for value in values])}[floor(datum.value)]"
    axis = alt.Axis(values=centres, labelExpr=names, title=name, grid=False, ticks=False, domain=False)
    return kind(f"{field}:Q", scale=alt.Scale(domain=[0, len(values)], nice=False), axis=axis)


def _of_dots(kind: type[alt.X] | type[alt.Y], field: str, name: str, values: list) -> Channel:
    """A channel for the values themselves."""
    if not all(isinstance(value, int | float) for value in values):
        return kind(f"{field}:N").title(name)
    log = values[0] > 0 and values[-1] / values[0] >= DECADES
    scale, axis = value_axis(name, log)
    return kind(f"{field}:Q", scale=scale, axis=axis)


def _between_tiles(scale: Scale, values: list) -> Place:
    """Where a value lies among tiles: those of the runs at their centres, others in proportion between them."""
    units, centres = scale.unit(values), [i + 0.5 for i in range(len(values))]
    return lambda value: float(np.interp(scale.unit(value), units, centres))
