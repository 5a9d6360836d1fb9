"""What a page needs to draw a map anew when somebody picks other axes: the cells once, and each axis as it is drawn.

analysis/menus.js counts runs together and lays out panels as analysis/pooled.py and the phase diagram do.
"""

from typing import Any

import altair as alt

from analysis.arrangement import MAX_TICKS, arranged
from analysis.charts import label, words
from analysis.charts.phase_diagram import MAX_COLUMNS, diagram
from analysis.held import holds
from analysis.marks import Side, tile_size
from analysis.pooled import counted_together
from analysis.slices import MAX_VALUES
from analysis.stored import Study, order

READ = (
    "Each cell is divided among the phases of its runs, which are those of all its seeds and of all values of the axes "
    "that are shown all together. Point at a cell for the counts and their Wilson 95% intervals. The menus choose the "
    "axes across and up, and whether each of the others makes panels, is held at one value, or is shown all together."
)
Menus = dict[str, Any]


def menus(facts: Study, cells: list[dict[str, Any]], plane: dict[str, Any]) -> tuple[dict[str, Any], Menus] | None:
    """The spec of a picture of one panel for a page to begin from, and the menus; None for a study that needs none.

    That is one with less than three axes of several values, or with more values on one than a grid has. `cells` are as
    `read_cells` gives them, `plane` is what the page shows first: `x`, `y` and `at`.
    """
    values = {axis: sorted({cell["point"][axis] for cell in cells}, key=order) for axis in facts.axes}
    if sum(len(known) > 1 for known in values.values()) < 3 or max(map(len, values.values())) > MAX_TICKS:
        return None
    opening = arranged(cells, facts, **plane)
    if not (opening.x and opening.y):  # all but one axis are held
        return None
    axes = [axis for axis in facts.axes if len(values[axis]) > 1 or axis in (opening.x, opening.y)]
    others = [axis for axis in facts.axes if axis not in (opening.x, opening.y)]
    pooled = arranged(cells, facts, opening.x, opening.y, pooled=others)
    chart = diagram(counted_together(cells, others), pooled, facts)
    places: dict[str, Any] = {opening.x: "x", opening.y: "y"} | dict.fromkeys(opening.panels, "panels")
    for axis, value in opening.held.items():
        places[axis] = next(i for i, known in enumerate(values[axis]) if holds({axis: known}, {axis: value}))
    return chart.to_dict(), {
        "axes": [
            {
                "name": words(axis, facts.axes),
                "values": values[axis],
                "labels": [label({axis: value}, facts.axes) for value in values[axis]],
                "place": places.get(axis, "pooled"),
                "panels": len(values[axis]) <= MAX_VALUES,
                **_sides(Side(axis, values[axis], None, facts.axes)),
            }
            for axis in axes
        ],
        "cells": [
            [[values[axis].index(cell["point"][axis]) for axis in axes]]
            + [cell[key] for key in ("cell", "phase", "runs")]
            for cell in cells
        ],
        "generalized": facts.definition.generalized,
        "most_columns": MAX_COLUMNS,
    }


def _sides(side: Side) -> dict[str, Any]:
    """The axis as x and as y, and its sizes alone and in panels."""
    return {
        "x": side.of_tiles(alt.X, "left").to_dict(),
        "y": side.of_tiles(alt.Y, "bottom").to_dict(),
        "width": [tile_size("x", side, small) for small in (False, True)],
        "height": [tile_size("y", side, small) for small in (False, True)],
    }
