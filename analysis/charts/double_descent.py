"""Final test accuracy against model width, one line per data size: do larger models get worse before they get better?

source: Huang et al. 2024, arXiv 2402.15175, Figures 6 and 7
"""

import json
import math
from typing import TYPE_CHECKING

import altair as alt
from altair.typing import ChartType

from analysis.charts import DATA_SIZES, WIDTH, NotApplicable, label, t_interval, words
from analysis.stored import order, read_study, rows

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Final test accuracy against model width"
READ = (
    "A line that falls and rises again with the width is double descent. Bars are 95% t intervals of the mean over the "
    "finished runs of a cell."
)
MIN_WIDTHS = 3


def chart(store: "Store", study: str) -> ChartType:
    """Means over the resolved runs at every width and data size; the study's other axes become panels."""
    facts = read_study(store, study)
    store = store.of(study)
    cells = rows(
        store,
        """select
            point::text as point,
            any_value(width)::integer as width,
            any_value(data_size)::bigint as data_size,
            avg(final_test_accuracy)::double as mean,
            stddev_samp(final_test_accuracy)::double as sd,
            count(*)::integer as runs,
        from outcomes
        join phases using (run_id)
        join study_runs using (run_id)
        join runs using (run_id)
        where study = $study and definition = 'unified' and phase <> 'unresolved' and final_test_accuracy is not null
        group by point::text
        order by width, data_size, point""",
        study=study,
    )
    values, panels = [], {}
    for cell in cells:
        point = json.loads(cell.pop("point"))
        if set(point) == set(facts.axes):
            rest = {axis: point[axis] for axis in facts.axes if axis not in (WIDTH, *DATA_SIZES)}
            panels[label(rest, facts.axes)] = [*map(order, rest.values())]
            values.append(
                cell | t_interval(cell["mean"], cell["sd"], cell["runs"]) | {"panel": label(rest, facts.axes)}
            )
    widths = sorted({value["width"] for value in values})
    if WIDTH not in facts.axes or len(widths) < MIN_WIDTHS:
        raise NotApplicable(
            f"Study {study!r} needs finished runs at {MIN_WIDTHS} values of {WIDTH}; it has {len(widths)}."
        )

    base = alt.Chart({"values": values}).encode(
        alt.X("width:Q").scale(type="log", base=2, nice=False).axis(values=widths).title(words(WIDTH)),
        alt.Color("data_size:O").scale(scheme="viridis", reverse=True).title("training examples"),
    )
    y = alt.Y("mean:Q").scale(domain=[0, 1]).title("final test accuracy, mean")
    tooltip = ["panel:N", "width:Q", "data_size:Q", alt.Tooltip("mean:Q", format=".3f"), "runs:Q"]
    bars = base.mark_rule(clip=True, opacity=0.6).encode(y="low:Q", y2="high:Q").transform_filter("isValid(datum.low)")
    layers = base.mark_line(point=alt.OverlayMarkDef(size=30)).encode(y, tooltip=tooltip) + bars
    subtitle = facts.subtitle("means with 95% t intervals", sum(value["runs"] for value in values))
    title = alt.Title(facts.question, subtitle=subtitle)
    if len(panels) == 1:
        return layers.properties(title=title)
    panel = alt.Facet("panel:N", sort=sorted(panels, key=panels.__getitem__), title=None)
    columns = math.ceil(len(panels) ** 0.5)
    return layers.properties(width=240, height=180).facet(panel, columns=columns).properties(title=title)
