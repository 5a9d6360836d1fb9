"""The phase diagram beside the learning curves of the cell that one clicks."""

from typing import TYPE_CHECKING

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, label, read_cells, read_study
from analysis.charts.learning_curves import example, lines, read_curves
from analysis.charts.phase_diagram import boundary_of, diagram

if TYPE_CHECKING:
    from study.store import Store

TITLE = "Phase diagram and learning curves"
READ = (
    "Each cell is divided among the phases of its runs, so one colour means that all seeds agree; point at it for "
    "counts and Wilson 95% intervals, click it for the accuracies of its runs. On a black line half of the seeds "
    "generalize; in the grey band around it, drawn where cells are dots, the runs do not tell on which side a point is."
)


def chart(store: "Store", study: str, definition: str | None = None) -> ChartType:
    """Diagram over the study's first two axes, and curves; the cell where grokking is commonest is picked at first."""
    facts = read_study(store, study, definition)
    cells = read_cells(store, facts)
    numbers = {cell["key"]: cell["cell"] for cell in cells}
    curves = [row for row in read_curves(store, study) if row["key"] in numbers]
    if not curves:
        raise NotApplicable(f"Study {study!r} has no records to explore.")
    for row in curves:
        row["cell"] = numbers[row.pop("key")]
    first = example(cells)["cell"]
    picked = alt.selection_point("picked", fields=["cell"], value=first, toggle=False, clear=False, empty=False)
    points = [{"cell": cell["cell"], "point": label(cell["point"])} for cell in cells if cell["start"] == 0]
    name = alt.Chart(alt.InlineData(values=points)).transform_filter(picked).mark_text(align="left", baseline="bottom")
    shown = lines(curves).transform_filter(picked) + name.encode(text="point:N", x=alt.value(0), y=alt.value(-8))
    marks = diagram(cells, facts.axes, boundary_of(store, facts), picked)
    join = alt.vconcat if isinstance(marks, alt.FacetChart) else alt.hconcat
    return join(marks, shown.properties(width=320, height=260)).resolve_scale(color="independent")
