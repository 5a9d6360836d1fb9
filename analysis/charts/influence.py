"""Which axis decides: how much of the variance between runs each axis, each pair of axes, and seeds explain."""

from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.all_axes import Field, field
from analysis.answers import MIN_AXES, records
from analysis.charts import NotApplicable
from analysis.shares import HIGHER, PAIR, SEEDS, shares
from analysis.stored import read_study, resolved_runs
from analysis.theme import BLUE, GREY, LIGHT, SKY
from analysis.words import listed, words
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Which axis decides"
READ = (
    "A bar is the share of all variance between runs, generalized or not, that follows from one axis by itself, from "
    "two axes beyond what each does by itself, or from more of them; what is left lies between seeds of one point. All "
    "shares add up to 100%. The thin line is its 95% interval. Pairs that are surely below 1% are left out."
)
KINDS = {1: ("axis", BLUE), 2: ("pair of axes", SKY), 3: ("more axes", GREY), 0: ("seeds", LIGHT)}
"""Kinds of bars by the order of terms, in the order in which they are drawn, and their colours."""
LEAST = 0.01


def chart(store: "Store", study: str, definition: str | None = None) -> ChartType:
    """The shares of a study with three or more axes of numbers: with two, its phase diagram shows which one decides."""
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    found = field_of(store, study, facts.definition.name, len(facts.axes))
    rows = [row for row in records(shares(found)) if row["order"] != 2 or row["high"] >= LEAST]
    rows.sort(key=lambda row: (list(KINDS).index(row["order"]), -row["share"]))
    values = [_bar(row) for row in rows]
    runs = len(resolved_runs(store, study, facts.definition))
    y = alt.Y("term:N").sort([value["term"] for value in values]).title(None).axis(labelLimit=320, ticks=False)
    x = alt.X("share:Q").scale(domainMax=1.1 * max(value["high"] for value in values), nice=False)  # room for numbers
    x = x.axis(format="%", tickCount=6).title("share of the variance between runs")
    color = alt.Color("kind:N").scale(domain=[k for k, _ in KINDS.values()], range=[c for _, c in KINDS.values()])
    tooltip = ["term:N", *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("share", "low", "high"))]
    base = alt.Chart({"values": values}).encode(y, tooltip=tooltip)
    bars = base.mark_bar(height={"band": 0.62}).encode(x, color.legend(None))
    interval = base.mark_rule(color="black", strokeWidth=1.5).encode(alt.X("low:Q"), x2="high:Q")
    text = base.mark_text(align="left", dx=6, color="#444444", fontSize=12).encode(alt.X("high:Q"), text="text:N")
    title = alt.Title(facts.question, subtitle=facts.subtitle(f"phases by {facts.definition.name}", runs))
    return (bars + interval + text).properties(title=title, height=alt.Step(26))


def field_of(store: "Store", study: str, definition: str, axes: int) -> Field:
    """The field of a study with enough axes; NotApplicable for other studies, and where all runs are on one side."""
    if axes < MIN_AXES:
        raise NotApplicable(f"Study {study!r} has {axes} axes: its phase diagram shows which of them decides.")
    try:
        found = field(store, study, definition=definition)
    except SpecError as error:
        raise NotApplicable(str(error)) from None
    if len(found.axes) < MIN_AXES:
        raise NotApplicable(f"Study {study!r} has fewer than {MIN_AXES} axes with several values.")
    return found


def _bar(row: dict[str, Any]) -> dict[str, Any]:
    names = {HIGHER: HIGHER, SEEDS: "between seeds"}
    term = names.get(row["term"]) or listed([words(axis) for axis in row["term"].split(PAIR)])
    kind, _ = KINDS[row["order"]]
    return {name: row[name] for name in ("share", "low", "high")} | {
        "term": term,
        "kind": kind,
        "text": f"{row['share']:.0%}" if row["share"] >= LEAST else f"< {LEAST:.0%}",
    }
