"""The phases of a study over two of its axes: every cell is divided among the phases of its runs.

Axes with few values make a grid of cells. Where a sampler drew values from a range, a cell is a dot in the commonest
phase of its runs, fainter if fewer of them agree. Further axes become panels, one for each value, or for each slice of
an axis with more values than that. Over two numeric axes the diagram also shows the boundary of generalization, if
there is one. An axis that does not apply to a point has a place for it, `-`.
"""

import json
import math
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.band import Place, band, line
from analysis.boundaries import Boundary, boundary
from analysis.channel import Channel, channel
from analysis.charts import NotApplicable, label, show
from analysis.scale import ABSENT, Scale
from analysis.slices import arranged, panels_of
from analysis.stored import Study, order, read_cells, read_study
from analysis.theme import phase_color
from study.store.definitions import Definition
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Phase diagram"
READ = (
    "Each cell is divided among the phases of its runs: one colour means that all seeds agree. Point at a cell for the "
    "counts and their Wilson 95% intervals. On a black line half of the seeds generalize. In the grey band around it, "
    "which is drawn where cells are dots, the runs do not tell on which side a point lies."
)
MAX_TICKS = 24
"""An axis with more values than this is continuous."""
Values = tuple[str, list, Scale | None]
"""An axis: its path, its sorted values, and its scale where it is drawn as numbers."""


def chart(
    store: "Store", study: str, definition: str | None = None, x: str | None = None, y: str | None = None
) -> ChartType:
    """The diagram over the axes `x` and `y`.

    `x` and `y` are dotted paths; None for the first axis that is left. `definition` is a phase definition by name, path
    or text; None for the study's own.
    """
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    facts.check_axes(axis for axis in (x, y) if axis is not None)
    cells = read_cells(store, facts)
    if not cells:
        raise NotApplicable(f"Study {study!r} has no runs on its axes.")
    others = [axis for axis in facts.axes if axis not in (x, y)]
    others = arranged(cells, others, MAX_TICKS)
    axes = [axis or (others.pop(0) if others else "") for axis in (x, y)]
    subtitle = facts.subtitle(f"phases by {facts.definition.name}", sum(cell["runs"] for cell in cells))
    return diagram(cells, axes + others, facts.definition, boundary_of(store, facts)).properties(
        title=alt.Title(facts.question, subtitle=subtitle)
    )


def boundary_of(store: "Store", facts: Study) -> Boundary | None:
    """The boundary of generalization of a study with two axes; None if there is none."""
    if len(facts.axes) != 2:
        return None
    try:
        return boundary(store, facts.name, definition=facts.definition)
    except SpecError:  # axes that are not numeric, or all runs on one side
        return None


def diagram(
    cells: list[dict[str, Any]],
    axes: list[str],
    definition: Definition,
    found: Boundary | None = None,
    picked: alt.Parameter | None = None,
) -> ChartType:
    """The diagram without a title: `cells` as from `read_cells`, with the first two of `axes` as x and y.

    `found` is the boundary to draw. `picked` is a selection by the field `cell`; its cells are outlined.
    """
    x, y, *rest = [*axes, "", ""][: max(2, len(axes))]
    values = [sorted({cell["point"].get(axis, "") for cell in cells}, key=order) for axis in (x, y)]
    panel_of, panels, sliced = panels_of(cells, rest)
    continuous = sliced or max(map(len, values)) > MAX_TICKS  # tiles of one slice would lie on each other
    scales = [_scale(axis, of, found) if continuous else None for axis, of in zip((x, y), values, strict=True)]
    xs, ys = zip((x, y), values, scales, strict=True)
    rows = [
        {key: cell[key] for key in ("cell", "phase", "fraction", "start")}
        | {
            "x": _drawn(cell["point"].get(x, ""), scales[0]),
            "y": _drawn(cell["point"].get(y, ""), scales[1]),
            "panel": panel,
            "point": label(cell["point"]),
            "runs": f"{cell['runs']} of {cell['total']}",
            "interval": f"{cell['low']:.2f} to {cell['high']:.2f}",
        }
        for cell, panel in zip(cells, panel_of, strict=True)
    ]
    tooltip = ["point:N", "phase:N", "runs:N", alt.Tooltip("interval:N").title("Wilson 95%")]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        phase_color(definition, (row["phase"] for row in rows)), tooltip=tooltip
    )
    marks = (_dots if continuous else _tiles)(base, xs, ys)
    if picked is not None:
        outline = alt.when(picked).then(alt.value("black"))
        width = alt.when(picked).then(alt.value(2)).otherwise(alt.value(0.5))
        marks = marks.encode(stroke=outline, strokeWidth=width).add_params(picked)
    if len(panels) == 1:
        return marks if found is None else (_over_dots if continuous else _over_tiles)(marks, found, xs, ys)
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
        .encode(_of_tiles(alt.X, "left", x), _of_tiles(alt.Y, "bottom", y), x2="right:Q", y2="top:Q")
        .properties(width=min(480, 72 * len(x[1])), height=min(340, 48 * len(y[1])))
    )


def _dots(base: alt.Chart, x: Values, y: Values) -> alt.Chart:
    """One dot per cell in the commonest phase of its runs; its opacity is that phase's fraction."""
    return (
        base.mark_circle(size=90, stroke="white", strokeWidth=0.5)
        .transform_window(rank="row_number()", groupby=["cell"], sort=[alt.SortField("fraction", order="descending")])
        .transform_filter("datum.rank == 1")
        .encode(
            _of_dots(alt.X, "x", x),
            _of_dots(alt.Y, "y", y),
            opacity=alt.Opacity("fraction:Q").scale(domain=[0, 1], range=[0, 1]).legend(None),
        )
    )


def _over_dots(marks: alt.Chart, found: Boundary, x: Values, y: Values) -> ChartType:
    """Band and line under the dots, so that they hide no colour and take no click."""
    plane, axes = (_of_dots(alt.X, "x", x), _of_dots(alt.Y, "y", y)), (x[0], y[0])
    return band(found, *plane, axes) + line(found, *plane, axes) + marks


def _over_tiles(marks: alt.Chart, found: Boundary, x: Values, y: Values) -> ChartType:
    """The line alone: a band over the tiles changes their colours, and a band under them cannot be seen."""
    plane, axes = (_of_tiles(alt.X, "x", x), _of_tiles(alt.Y, "y", y)), (x[0], y[0])
    across, up = (_between_tiles(found.scales[found.axes.index(axis)], values) for axis, values, _ in (x, y))
    return marks + line(found, *plane, axes, (across, up))


def _of_tiles(kind: type[alt.X] | type[alt.Y], field: str, of: Values) -> Channel:
    """A channel on which value i of an axis has the range from i to i + 1."""
    name, values, _ = of
    centres = [i + 0.5 for i in range(len(values))]
    names = f"{json.dumps([show(value) for value in values])}[floor(datum.value)]"
    axis = alt.Axis(values=centres, labelExpr=names, title=name, grid=False, ticks=False, domain=False)
    return kind(f"{field}:Q", scale=alt.Scale(domain=[0, len(values)], nice=False), axis=axis)


def _of_dots(kind: type[alt.X] | type[alt.Y], field: str, of: Values) -> Channel:
    """A channel for numbers by their scale, and for words by their order."""
    name, values, scale = of
    if scale is None:
        return kind(f"{field}:N", sort=values).title(name)
    return channel(kind, field, scale, absent=ABSENT in values)


def _drawn(value: Any, scale: Scale | None) -> Any:
    return value if scale is None else scale.drawn(value)


def _scale(name: str, values: list, found: Boundary | None) -> Scale | None:
    """The scale of an axis of numbers, that of the boundary where it has the axis; None for words and single values."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if found is not None and name in found.axes:
        return found.scales[found.axes.index(name)]
    return Scale.of(name, numbers) if len(numbers) > 1 and {*values} <= {*numbers, ABSENT} else None


def _between_tiles(scale: Scale, values: list) -> Place:
    """The place of a value among tiles: values of the runs are at their tiles' centres, others linear in between."""
    tiles = [(float(scale.unit(value)), i + 0.5) for i, value in enumerate(values) if value != ABSENT]
    units, centres = zip(*tiles, strict=True)
    return lambda value: float(np.interp(scale.unit(value), units, centres))
