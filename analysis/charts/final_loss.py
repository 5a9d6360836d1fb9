"""Final loss of every split along the axis with the most values: where does more of it make the loss worse?"""

import json
import math
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, label, show, t_interval, words
from analysis.scale import ABSENT, Scale
from analysis.stored import Study, order, read_study, rows
from analysis.theme import SPLITS, value_axis

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Final loss by split"
READ = (
    "Each panel is a split with its own scale. A line that rises and falls again is a double descent of the loss. Bars "
    "are 95% t intervals of the mean over the finished runs of a cell."
)
MIN_VALUES, MAX_LINES = 4, 12
POINTS = "select distinct point::text as point from study_runs where study = $study"


def chart(store: "Store", study: str) -> ChartType:
    """Means over the finished runs of each cell.

    NotApplicable where no numeric axis has MIN_VALUES values, or the other axes have more than MAX_LINES combinations.
    """
    facts = read_study(store, study)
    store = store.of(study)
    x = _axis(facts, [json.loads(row["point"]) for row in rows(store, POINTS, study=study)])
    cells: list[dict[str, Any]] = rows(
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
    cells = [cell | {"point": facts.whole(cell["point"])} for cell in cells if set(cell["point"]) <= set(facts.axes)]
    cells = [cell for cell in cells if cell["point"][x] != ABSENT]
    values = sorted({cell["point"][x] for cell in cells})
    if len(values) < MIN_VALUES:
        raise NotApplicable(f"Study {study!r} has finished runs at {len(values)} values of {x}, not {MIN_VALUES}.")
    points, names = [], {}
    for cell in cells:
        rest = {axis: cell["point"][axis] for axis in facts.axes if axis != x}
        names[label(rest, facts.axes)] = [*map(order, rest.values())]
        interval = t_interval(cell["mean"], cell["sd"], cell["runs"])
        kept = {name: cell[name] for name in ("split", "mean", "runs")}
        points.append(kept | interval | {"value": cell["point"][x], "line": label(rest, facts.axes)})
    of = Scale.of(x, values)
    named = {of.drawn(value): show(value) for value in values}
    scale, axis = value_axis(words(x, facts.axes), of.log, named=named)
    points = [point | {"x": of.drawn(point["value"])} for point in points]
    lines = sorted(names, key=names.__getitem__)
    many = alt.Color("line:N", sort=lines).scale(scheme="viridis").title(None)
    color = many if len(lines) > 1 else alt.value(SPLITS["test"])
    base = alt.Chart({"values": points}).encode(alt.X("x:Q", scale=scale, axis=axis), color=color)
    y = alt.Y("mean:Q").scale(zero=False).title("final loss, mean")
    tooltip = [
        "split:N",
        "line:N",
        alt.Tooltip("value:Q").title(words(x, facts.axes)),
        alt.Tooltip("mean:Q", format=".4g"),
        "runs:Q",
    ]
    bars = base.mark_rule(opacity=0.6).encode(y="low:Q", y2="high:Q").transform_filter("isValid(datum.low)")
    layers = base.mark_line(point=alt.OverlayMarkDef(size=30)).encode(y, tooltip=tooltip) + bars
    splits = list(dict.fromkeys(cell["split"] for cell in cells))
    first = [split for split in SPLITS if split in splits]
    panel = alt.Facet("split:N", sort=[*first, *sorted(set(splits) - set(first))], title=None)
    subtitle = facts.subtitle("means with 95% t intervals", sum(c["runs"] for c in cells if c["split"] == splits[0]))
    drawn = layers.properties(width=300, height=200).facet(panel, columns=math.ceil(len(splits) ** 0.5))
    return drawn.resolve_scale(y="independent").properties(title=alt.Title(facts.question, subtitle=subtitle))


def _axis(facts: Study, points: list[dict[str, Any]]) -> str:
    """The axis of numbers with the most values; NotApplicable without a good one, before all losses are read."""
    known = [facts.whole(point) for point in points if set(point) <= set(facts.axes)]
    values = {axis: {point[axis] for point in known} - {ABSENT} for axis in facts.axes}
    numeric = [axis for axis in facts.axes if all(isinstance(value, (int, float)) for value in values[axis])]
    x = max(numeric, key=lambda axis: len(values[axis]), default="")
    lines = {tuple(point[axis] for axis in facts.axes if axis != x) for point in known if point.get(x) != ABSENT}
    if len(values.get(x, ())) < MIN_VALUES or len(lines) > MAX_LINES:
        raise NotApplicable(
            f"Study {facts.name!r} has no numeric axis with {MIN_VALUES} values, or too many lines along it."
        )
    return x
