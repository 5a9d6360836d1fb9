"""How long runs take to generalize, those counted that do not: Kaplan-Meier curves by the values of each axis."""

import math
from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd
from altair.typing import ChartType

from analysis.answers import records
from analysis.charts import NotApplicable, show
from analysis.groups import grouped_by
from analysis.log_ranks import log_ranks
from analysis.stored import read_study
from analysis.survivals import curves, passages
from analysis.theme import step_axis
from analysis.words import words
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Steps to generalize"
READ = (
    "A curve is the share of runs that have not yet reached test accuracy 0.9, with its pointwise 95% interval, by the "
    "value of an axis, whatever the others are. Runs that never reached it count up to the end of their observation, "
    "where a stroke stands (the estimate of Kaplan and Meier); runs that diverged never reach it. A curve falls at the "
    "evaluation after the passage. The log-rank test compares runs that are alike on all other axes; its p is "
    "corrected for the number of axes by Holm's method."
)
MIN_RUNS = 5
"""Runs for each curve of an axis, on average: fewer make a curve of few steps within a band that covers all."""
MAX_PANELS = 4
"""The axes with the smallest p are drawn, this many at most."""


def chart(store: "Store", study: str, level: int = 90) -> ChartType:
    """One panel per axis, of a study in which some runs generalize and some do not: there a mean over those that do
    would mislead. `level` as in `analysis.survival`."""
    facts = read_study(store, study)
    store = store.of(study)
    try:
        found = passages(store, study, level)
    except SpecError as error:
        raise NotApplicable(str(error)) from None
    if found.reached_N.all() or not found.reached_N.any():
        raise NotApplicable(f"Study {study!r} has no runs of which some generalize and some do not.")
    tests = sorted(records(log_ranks(found)), key=lambda row: (math.isnan(row["p"]), row["p"]))
    groups = {row["axis"]: len(grouped_by(found.points, [row["axis"]])) for row in tests}
    tests = [row for row in tests if 1 < groups[row["axis"]] <= len(found.points) / MIN_RUNS]
    if not tests:
        raise NotApplicable(f"Study {study!r} has no axis with {MIN_RUNS} runs for each of several values.")
    panels = [_panel(curves(found, [row["axis"]]), row) for row in tests[:MAX_PANELS]]
    note = f"test accuracy {level / 100:g}, {found.reached_N.mean():.0%} reach it"
    title = alt.Title(facts.question, subtitle=facts.subtitle(note, len(found.points)))
    return alt.concat(*panels, columns=2).resolve_scale(color="independent").properties(title=title)


def _panel(table: pd.DataFrame, test: dict[str, Any]) -> ChartType:
    """The curves of an axis: bands, steps, and strokes where observations end."""
    values, table = list(map(show, table[test["axis"]].unique())), table.copy()
    table["group"] = table.pop(test["axis"]).map(show)
    first = table["step"][table["events"] > 0].min()
    table["step"] = table["step"].clip(lower=max(first / 2, 0.5))  # before the first passage nothing happens
    scale, axis = step_axis("optimizer step")
    axis.format = "~s"
    x = alt.X("step:Q", scale=scale, axis=axis)
    color = alt.Color("group:O").sort(values).scale(scheme=alt.SchemeParams("viridis", extent=[0.05, 0.85]))
    color = color.title(words(test["axis"])).legend(symbolType="stroke", symbolStrokeWidth=3)
    y = alt.Y("share:Q").scale(domain=[0, 1]).axis(format="%").title("not generalized yet")
    base = alt.Chart(table).encode(x, color)
    band = base.mark_area(opacity=0.15, interpolate="step-after").encode(alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(strokeWidth=2, interpolate="step-after").encode(y)
    ends = base.transform_filter("datum.censored > 0").mark_tick(thickness=2, size=9, orient="vertical").encode(y)
    p = test["p_holm"]
    said = "no runs to compare" if math.isnan(p) else "log-rank p < 0.001" if p < 0.001 else f"log-rank p = {p:.2g}"
    heading = alt.Title(f"{words(test['axis'])}: {said}", fontSize=13, fontWeight=600, offset=6)
    return alt.layer(band, line, ends).properties(title=heading, width=330, height=210)
