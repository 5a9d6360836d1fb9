"""The critical value of one axis, at which half of the seeds generalize, against the values of three others."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.all_axes import Field
from analysis.answers import leading, looked_at, records
from analysis.channel import channel
from analysis.charts import show
from analysis.charts.influence import field_of
from analysis.criticals import ABOVE, BELOW, INSIDE, criticals
from analysis.stored import read_study, resolved_runs
from analysis.words import listed, words

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Critical values"
READ = (
    "On a line half of the seeds generalize. It has a 95% interval, within which the phases of the runs do not tell on "
    "which side a point lies. A triangle at the edge says that the critical value lies beyond what was studied; there "
    "it has no number. Values come from one model of all runs over all axes."
)
PLACES = 25
"""The line over a range is drawn through this many places."""
MARKS = {INSIDE: "circle", ABOVE: "triangle-up", BELOW: "triangle-down"}


def chart(store: "Store", study: str, axis: str | None = None, definition: str | None = None) -> ChartType:
    """The critical values of `axis`, None for that which decides most among those with more than three values.

    Of the other axes the most influential is x, the next has lines, one more has panels; further ones are held in the
    middle of what was studied.
    """
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    found = field_of(store, study, facts.definition.name, len(facts.axes))
    axis, (x, lines, *rest) = leading(found, axis)
    panels, held = (rest or [None])[0], {other: looked_at(found, other) for other in rest[1:]}
    held = {other: values[len(values) // 2] for other, values in held.items()}
    along = list(found.levels[found.index(x)]) or _line(found, x)
    levels = {x: along} | {other: looked_at(found, other) for other in (lines, panels) if other}
    table = records(criticals(found, axis, levels | {other: [value] for other, value in held.items()}))
    turns: dict[Any, int] = {}
    rows = []
    for row in table:
        place = tuple(row[other] for other in levels)
        turns[place] = turns.get(place, -1) + 1
        rows.append(_drawn(found, axis, x, lines, panels, row) | {"turn": turns[place]})
    runs = len(resolved_runs(store, study, facts.definition))
    note = f"phases by {facts.definition.name}"
    note += "".join(f", {words(other)} {show(value)}" for other, value in held.items())
    title = alt.Title(facts.question, subtitle=facts.subtitle(note, runs))
    marks = _marks(found, axis, x, lines, rows)
    marks = marks.properties(width=230 if panels else 420, height=270)
    if panels is None:
        return marks.properties(title=title)
    header = alt.Facet("panel:N", sort=list(dict.fromkeys(row["panel"] for row in rows)), title=None)
    return marks.facet(header, columns=4).properties(title=title)


def _marks(found: Field, axis: str, x: str, lines: str, rows: list[dict[str, Any]]) -> ChartType:
    """Bands, lines, and a mark for each critical value, from one table, so that they can be panels. The line goes
    through the first where there are several."""
    across, up = (replace(found.scales[found.index(path)], path=words(path)) for path in (x, axis))
    name = f"critical {words(axis)}"
    levels = found.levels[found.index(x)]
    whole = bool(levels) and all(level.is_integer() for level in levels)
    plane = channel(alt.X, "x", across, whole=whole), channel(alt.Y, "value", replace(up, path=name))
    order = list(dict.fromkeys(row["line"] for row in rows))
    color = alt.Color("line:O").sort(order).scale(scheme=alt.SchemeParams("viridis", extent=[0.05, 0.8]))
    color = color.title(words(lines)).legend(symbolType="stroke", symbolStrokeWidth=3)
    base = alt.Chart({"values": rows}).encode(plane[0], color)
    one = base.transform_filter("datum.turn == 0")
    band = one.mark_area(opacity=0.18).encode(channel(alt.Y, "low", replace(up, path=name)), y2="high:Q")
    line = one.mark_line(strokeWidth=2).encode(channel(alt.Y, "inside", replace(up, path=name)))
    shape = alt.Shape("where:N").scale(domain=list(MARKS), range=list(MARKS.values())).legend(None)
    tooltip = [alt.Tooltip(f"{field}:N").title(title) for field, title in
               (("place", "at"), ("where", "critical value"), ("text", name))]  # fmt: skip
    size = alt.when(f"datum.where == '{INSIDE}'").then(alt.value(48 if levels else 8))
    dots = base.mark_point(filled=True, opacity=1).encode(
        plane[1], shape, size=size.otherwise(alt.value(48)), tooltip=tooltip
    )
    return alt.layer(band, line, dots)


def _drawn(found: Field, axis: str, x: str, lines: str, panels: str | None, row: dict[str, Any]) -> dict[str, Any]:
    """A critical value as it is drawn; what is open or lies beyond the values studied ends at their edge."""
    across, up = found.scales[found.index(x)], found.scales[found.index(axis)]
    edges = up.value(0), up.value(1)
    value = {INSIDE: row["value"], BELOW: edges[0], ABOVE: edges[1]}[row["where"]]
    low, high = np.clip([row["low"], row["high"]], *edges).tolist()
    ends = [show(end) if np.isfinite(end) else "beyond" for end in (row["low"], row["high"])]
    return {
        "x": across.drawn(row[x]),
        "value": up.drawn(value),
        "inside": up.drawn(value) if row["where"] == INSIDE else None,  # the line breaks here
        "low": up.drawn(low),
        "high": up.drawn(high),
        "where": row["where"],
        "line": show(row[lines]),
        "panel": f"{words(panels)} {show(row[panels])}" if panels else "",
        "place": listed([f"{words(other)} {show(row[other])}" for other in (x, lines, panels) if other]),
        "text": f"{show(row['value'])} [{' to '.join(ends)}]" if row["where"] == INSIDE else row["where"],
    }


def _line(found: Field, axis: str) -> list[float]:
    """Places along a range."""
    return [found.scales[found.index(axis)].value(i / (PLACES - 1)) for i in range(PLACES)]
