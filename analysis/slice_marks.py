"""Slices through a model as panels: its band and line at each, and the runs near it, fainter the farther they are."""

import warnings
from collections.abc import Sequence

import altair as alt
from altair.typing import ChartType

from analysis.arrangement import Arrangement
from analysis.charts import label
from analysis.marks import Side, dots, over_dots
from analysis.model_slices import Cut
from analysis.pooled import Cell
from analysis.slices import numbers
from analysis.stored import Study
from analysis.theme import phase_color

FAINT = 0.75
"""What a dot at the edge of a slice has lost of its opacity."""


def slice_panels(
    cells: Sequence[Cell],
    rows: Sequence[Sequence[Cut]],
    places: Arrangement,
    facts: Study,
    picked: alt.Parameter | None = None,
) -> ChartType:
    """The panels of slices without a title, in their rows; `picked` as for the phase diagram."""
    drawn = [[_panel(cells, cut, places, facts, picked) for cut in row] for row in rows]
    with warnings.catch_warnings():  # Altair says that the panels have one selection, as they should
        warnings.simplefilter("ignore")
        joined = [alt.hconcat(*row, spacing=16) for row in drawn]
        joined = joined[0] if len(joined) == 1 else alt.vconcat(*joined, spacing=16)
    return joined.resolve_scale(x="shared", y="shared")


def _panel(
    cells: Sequence[Cell], cut: Cut, places: Arrangement, facts: Study, picked: alt.Parameter | None
) -> ChartType:
    """One slice, with all that is held in it above."""
    near = cut.distances(cells)
    x, y = (Side(axis, numbers(cells, axis), cut.scales[axis], facts.axes) for axis in (places.x, places.y))
    rows = [
        {key: cell[key] for key in ("cell", "phase", "fraction")}
        | {
            "x": x.place(cell["point"][places.x]),
            "y": y.place(cell["point"][places.y]),
            "seen": cell["fraction"] * (1 - FAINT * near[cell["cell"]]),
            "point": label(cell["point"], facts.axes),
            "runs": f"{cell['runs']} of {cell['total']}",
        }
        for cell in cells
        if cell["cell"] in near
    ]
    base = alt.Chart({"values": rows}).encode(
        phase_color(facts.definition, (cell["phase"] for cell in cells)), tooltip=["point:N", "phase:N", "runs:N"]
    )
    opacity = alt.Opacity("seen:Q").scale(domain=[0, 1], range=[0, 1]).legend(None)
    marks = dots(base, x, y, small=True).encode(opacity=opacity)
    if picked is not None:
        outline = alt.when(picked).then(alt.value("black")).otherwise(alt.value("white"))
        width = alt.when(picked).then(alt.value(2)).otherwise(alt.value(0.5))
        marks = marks.encode(stroke=outline, strokeWidth=width).add_params(picked)
    panel = marks if cut.found is None else over_dots(marks, cut.found, x, y)
    held = {**cut.held, **cut.near}
    first = {axis: value for axis, value in held.items() if axis == cut.varied or axis in {*cut.held} - {*places.held}}
    rest = {axis: value for axis, value in held.items() if axis not in first}
    texts = [label(part, facts.axes) for part in (first, rest) if part]
    title = alt.Title(texts[0], subtitle=texts[1:], fontSize=12, anchor="middle", offset=6, subtitlePadding=2)
    return panel.properties(title=title)
