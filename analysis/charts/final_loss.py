"""Final loss of every split against the axis with most values: what fitting costs, and where more of it is worse."""

import json
import math
from typing import TYPE_CHECKING

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, label, order, read_study, rows, t_interval
from analysis.theme import SPLITS, value_axis

if TYPE_CHECKING:
    from study.store import Store

TITLE = "Final loss by split"
READ = (
    "Each panel is a split, with a scale of its own: a line that rises and falls again is a double descent of the "
    "loss. Bars are 95% t intervals of the mean over the finished runs of a cell."
)
MIN_VALUES, MAX_LINES = 4, 12
FACTOR = 20
"""An axis whose largest value is so many times the smallest has a log scale."""


def chart(store: "Store", study: str) -> ChartType:
    """Means over finished runs; NotApplicable without an axis of numbers with at least MIN_VALUES values, or with more
    than MAX_LINES combinations of the others."""
    facts = read_study(store, study)
    cells = rows(
        store,
        """with last as (
            select run_id, split, arg_max(value, step) as loss
            from metrics semi join study_runs using (run_id) where metric = 'loss' group by run_id, split
        )
        select point::text as point, split, avg(loss)::double as mean, stddev_samp(loss)::double as sd,
            count(*)::integer as runs
        from last join study_runs using (run_id) join runs using (run_id)
        where study = $study and status = 'finished' and isfinite(loss)
        group by point::text, split order by point, split""",
        study=study,
    )
    cells = [cell | {"point": json.loads(cell["point"])} for cell in cells]
    cells = [cell for cell in cells if set(cell["point"]) == set(facts.axes)]
    values = {axis: {cell["point"][axis] for cell in cells} for axis in facts.axes}
    numeric = [axis for axis in facts.axes if all(isinstance(value, (int, float)) for value in values[axis])]
    x = max(numeric, key=lambda axis: len(values[axis]), default="")
    points, names = [], {}
    for cell in cells:
        rest = {axis: cell["point"][axis] for axis in facts.axes if axis != x}
        names[label(rest)] = [*map(order, rest.values())]
        interval = t_interval(cell["mean"], cell["sd"], cell["runs"])
        kept = {name: cell[name] for name in ("split", "mean", "runs")}
        points.append(kept | interval | {"x": cell["point"].get(x), "line": label(rest)})
    if len(values.get(x, ())) < MIN_VALUES or len(names) > MAX_LINES:
        raise NotApplicable(f"Study {study!r} has no axis of {MIN_VALUES} numbers, or too many lines along it.")
    known = sorted(values[x])
    log = known[0] > 0 and known[-1] / known[0] >= FACTOR
    scale, _ = value_axis(x, log=log)
    axis = alt.Axis(values=known, format="~g", labelOverlap="greedy", title=x)
    lines = sorted(names, key=names.__getitem__)
    many = alt.Color("line:N", sort=lines).scale(scheme="viridis").title(None)
    color = many if len(lines) > 1 else alt.value(SPLITS["test"])
    base = alt.Chart(alt.InlineData(values=points)).encode(alt.X("x:Q", scale=scale, axis=axis), color=color)
    y = alt.Y("mean:Q").scale(zero=False).title("final loss, mean")
    tooltip = ["split:N", "line:N", "x:Q", alt.Tooltip("mean:Q", format=".4g"), "runs:Q"]
    bars = base.mark_rule(opacity=0.6).encode(y="low:Q", y2="high:Q").transform_filter("isValid(datum.low)")
    layers = base.mark_line(point=alt.OverlayMarkDef(size=30)).encode(y, tooltip=tooltip) + bars
    splits = list(dict.fromkeys(cell["split"] for cell in cells))
    first = [split for split in SPLITS if split in splits]
    panel = alt.Facet("split:N", sort=[*first, *sorted(set(splits) - set(first))], title=None)
    subtitle = facts.subtitle("means with 95% t intervals", sum(c["runs"] for c in cells if c["split"] == splits[0]))
    drawn = layers.properties(width=300, height=200).facet(panel, columns=math.ceil(len(splits) ** 0.5))
    return drawn.resolve_scale(y="independent").properties(title=alt.Title(facts.question, subtitle=subtitle))
