"""The phases of a study over two of its axes: every cell is divided among the phases of its runs.

Axes with few values make a grid of cells. Where a sampler drew values from a range, a cell is a dot in the commonest
phase of its runs, fainter if fewer of them agree. Up to two further axes become rows and columns of panels, one for
each value, or for each slice of an axis with more values than that; others are held at a value, or pooled: then a cell
has the runs of all their values. Over two numeric axes the diagram also shows the boundary of generalization, if there
is one. An axis that does not apply to a point has a place for it, `-`.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.arrangement import MAX_TICKS, Arrangement, arranged
from analysis.boundaries import Boundary, boundary
from analysis.charts import NotApplicable, label, words
from analysis.marks import Side, dots, over_dots, over_tiles, tiles
from analysis.model_slices import Cut, cuts
from analysis.pooled import Cell
from analysis.scale import ABSENT, Scale
from analysis.slice_marks import slice_panels
from analysis.slices import Panels, panels_of
from analysis.stored import Study, order, read_cells, read_study
from analysis.theme import phase_color
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Phase diagram"
READ = (
    "Each cell is divided among the phases of its runs: one colour means that all seeds agree. Point at a cell for the "
    "counts and their Wilson 95% intervals. On a black line half of the seeds generalize. In the grey band around it, "
    "which is drawn where cells are dots, the runs do not tell on which side a point lies. A search over more axes is "
    "shown in slices: line and band are those at the values that are held, and dots are the runs within a quarter of "
    "the range from these values, fainter the farther they are."
)
MOST_POINTS = 2000
"""A boundary is drawn over so many cells at most: to fit it to more takes minutes, and cells so dense show it."""
MAX_COLUMNS = 4
"""Panels of one axis are in rows of at most this many."""


def chart(
    store: "Store",
    study: str,
    definition: str | None = None,
    x: str | None = None,
    y: str | None = None,
    at: Mapping[str, Any] | None = None,
    pooled: Collection[str] = (),
) -> ChartType:
    """The diagram over the axes `x` and `y`; None for those with the most values.

    `at`: axes to hold at a value, {axis: value}. `pooled`: axes whose values are counted together. Up to two further
    axes become rows and columns of panels. Axes are named by their path, or by its last part where only one ends in it.
    `definition` is a phase definition by name, path or text; None for the study's own.
    """
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    cells = read_cells(store, facts)
    places = arranged(cells, facts, x, y, at, pooled)
    if not cells:
        raise NotApplicable(f"Study {study!r} has no runs on its axes.")
    cells, slices = content(store, facts, cells, places)
    subtitle = facts.subtitle(said(places, facts, slices), sum(cell["runs"] for cell in cells))
    return picture(store, facts, cells, places, slices).properties(title=alt.Title(facts.question, subtitle=subtitle))


def content(store: "Store", facts: Study, cells: list[Cell], places: Arrangement) -> tuple[list[Cell], list[list[Cut]]]:
    """The cells that a picture shows, with the `keys` of the study's cells in each, and the slices near which they are;
    none for a picture without slices."""
    slices = cuts(store, facts, cells, places)
    if not slices:
        return places.of(cells), []
    near = set().union(*(cut.distances(cells) for row in slices for cut in row))
    return [cell | {"keys": [cell["key"]]} for cell in cells if cell["cell"] in near], slices


def picture(
    store: "Store",
    facts: Study,
    cells: list[Cell],
    places: Arrangement,
    slices: list[list[Cut]],
    picked: alt.Parameter | None = None,
) -> ChartType:
    """The diagram without a title. `picked` is a selection by the field `cell`; its cells are outlined."""
    if slices:
        return slice_panels(cells, slices, places, facts, picked)
    return diagram(cells, places, facts, boundary_of(store, facts, cells, places), picked)


def said(places: Arrangement, facts: Study, slices: list[list[Cut]]) -> str:
    """What a subtitle says of the definition, and of the axes that are not in the picture."""
    pooled = " and ".join(words(axis, facts.axes) for axis in places.pooled)
    held = places.held | places.near
    if slices:
        [cut, *_], *_ = slices
        pooled, held = "", places.held | {axis: value for axis, value in cut.near.items() if axis != cut.varied}
    parts = [f"phases by {facts.definition.name}", *([label(held, facts.axes)] if held else [])]
    return ", ".join([*parts, *([f"all {pooled}"] if pooled else [])])


def boundary_of(store: "Store", facts: Study, cells: Sequence[Cell], places: Arrangement) -> Boundary | None:
    """The boundary of generalization on the plane of a picture with one panel and nothing pooled; None without one, and
    where the cells are so many that a fit takes minutes."""
    if places.panels or places.pooled or not places.y:
        return None
    if {places.x, places.y, *places.held} != set(facts.axes) or len(cells) > MOST_POINTS:
        return None
    try:
        return boundary(store, facts.name, definition=facts.definition, at=places.held)
    except SpecError:  # axes that are not numeric, or all runs on one side
        return None


def diagram(
    cells: list[Cell],
    places: Arrangement,
    facts: Study,
    found: Boundary | None = None,
    picked: alt.Parameter | None = None,
) -> ChartType:
    """The diagram of cells as `places.of` gives them; `found` is the boundary to draw."""
    values = [sorted({cell["point"].get(axis, "") for cell in cells}, key=order) for axis in (places.x, places.y)]
    panels = panels_of(cells, places.panels, facts.axes)
    several = len(panels.names) > 1
    continuous = panels.sliced or max(map(len, values)) > MAX_TICKS  # tiles of one slice would lie on each other
    x, y = (
        Side(axis, of, _scale(axis, of, found) if continuous else None, facts.axes)
        for axis, of in zip((places.x, places.y), values, strict=True)
    )
    rows = [
        {key: cell[key] for key in ("cell", "phase", "fraction", "start")}
        | {
            "x": x.place(cell["point"].get(places.x, "")),
            "y": y.place(cell["point"].get(places.y, "")),
            "point": label(cell["point"], facts.axes),
            "runs": f"{cell['runs']} of {cell['total']}",
            "interval": f"{cell['low']:.2f} to {cell['high']:.2f}",
        }
        | (_panel(parts, panels.full) if several else {})
        for cell, parts in zip(cells, panels.of, strict=True)
    ]
    tooltip = ["point:N", "phase:N", "runs:N", alt.Tooltip("interval:N").title("Wilson 95%")]
    base = alt.Chart({"values": rows}).encode(
        phase_color(facts.definition, (row["phase"] for row in rows)), tooltip=tooltip
    )
    marks = (dots if continuous else tiles)(base, x, y, several)
    if picked is not None:
        outline = alt.when(picked).then(alt.value("black"))
        width = alt.when(picked).then(alt.value(2)).otherwise(alt.value(0.5))
        marks = marks.encode(stroke=outline, strokeWidth=width).add_params(picked)
    if several:
        return _faceted(marks, panels)
    return marks if found is None else (over_dots if continuous else over_tiles)(marks, found, x, y)


def _panel(parts: tuple[str, ...], full: bool) -> dict[str, str]:
    """The fields by which panels are laid out: row and column where no panel is empty."""
    return dict(zip(("row", "column"), parts, strict=True)) if len(parts) == 2 and full else {"panel": ", ".join(parts)}


def _faceted(marks: alt.Chart, panels: Panels) -> ChartType:
    """Panels in rows and columns; where a combination has no cell, or for one axis, one after the other."""
    if len(panels.labels) == 2 and panels.full:
        row = alt.Row("row:N", sort=panels.labels[0], title=None).header(labelAngle=0, labelAlign="left")
        column = alt.Column("column:N", sort=panels.labels[1], title=None)
        return marks.facet(row=row, column=column, spacing=14)
    columns = min(len(panels.names), MAX_COLUMNS if len(panels.names) <= 2 * MAX_COLUMNS else MAX_COLUMNS + 1)
    columns = math.ceil(len(panels.names) / math.ceil(len(panels.names) / columns))
    return marks.facet(alt.Facet("panel:N", sort=panels.names, title=None), columns=columns, spacing=14)


def _scale(name: str, values: list, found: Boundary | None) -> Scale | None:
    """The scale of an axis of numbers, that of the boundary where it has the axis; None for words and single values."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if found is not None and name in found.axes:
        return found.scales[found.axes.index(name)]
    return Scale.of(name, numbers) if len(numbers) > 1 and {*values} <= {*numbers, ABSENT} else None
