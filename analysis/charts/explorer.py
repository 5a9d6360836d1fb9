"""The phase diagram beside the learning curves of a cell, which a click on the diagram picks."""

import json
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.arrangement import arranged
from analysis.charts import NotApplicable, label
from analysis.charts.learning_curves import example, have_accuracies, lines, read_curves
from analysis.charts.phase_diagram import READ as DIAGRAM
from analysis.charts.phase_diagram import content, picture
from analysis.stored import read_cells, read_study

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Phase diagram and learning curves"
READ = f"{DIAGRAM} Click a cell for the accuracies of its runs."


def chart(store: "Store", study: str, definition: str | None = None, **plane: Any) -> ChartType:
    """The diagram, and curves; at first those of the cell with the most grokking. `plane`: `x`, `y`, `at` and `pooled`
    as for the phase diagram."""
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    cells = read_cells(store, facts)
    places = arranged(cells, facts, **plane)
    numbers = {cell["key"]: cell["cell"] for cell in cells}
    cells, slices = content(store, facts, cells, places)
    shown_in = {numbers[key]: cell["cell"] for cell in cells for key in cell["keys"]}
    curves = [row for row in read_curves(store, study) if numbers.get(row["key"]) in shown_in]
    if not have_accuracies(curves):
        raise NotApplicable(f"Study {study!r} has no records of accuracies to explore.")
    for row in curves:
        row["cell"] = numbers[row.pop("key")]
    first = example(cells, facts.definition)["cell"]
    picked = alt.selection_point("picked", fields=["cell"], value=first, toggle=False, clear=False, empty=False)
    points = [{"cell": cell["cell"], "point": label(cell["point"], facts.axes)} for cell in cells if cell["start"] == 0]
    name = alt.Chart({"values": points}).transform_filter(picked).mark_text(align="left", baseline="bottom")
    drawn = lines(curves)
    if not slices and (places.held or places.pooled):  # then cells of the study are not the cells of the picture
        cell_of = [shown_in.get(number) for number in range(len(numbers))]
        drawn = drawn.transform_calculate(cell=f"{json.dumps(cell_of)}[datum.cell]")
    shown = drawn.transform_filter(picked) + name.encode(text="point:N", x=alt.value(0), y=alt.value(-8))
    marks = picture(store, facts, cells, places, slices, picked)
    join = alt.hconcat if isinstance(marks, alt.Chart | alt.LayerChart) else alt.vconcat
    return join(marks, shown.properties(width=320, height=260)).resolve_scale(color="independent")
