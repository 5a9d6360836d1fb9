"""How many times longer a model takes to generalize than to fit, against the ratio of inferred to atomic facts.

source: Wang et al. 2024, arXiv 2405.15071, section 3.2: the ratio, not the amount of data, sets how fast a model
generalizes. Their points: figure 1 (7.2), an independent reproduction (12.6, Davide011/Thesis_public) and the statement
that at 18 test accuracy is 0.967 before training saturates, drawn at 1.
"""

import json
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, label, read_study, rows
from analysis.theme import PHASES

if TYPE_CHECKING:
    from study.store import Store

TITLE = "Delay of generalization by ratio"
READ = (
    "Steps to test accuracy 0.9 over steps to training accuracy 0.9, a mark for each run and a line through medians "
    "where at least half of the runs got there; triangles had not by the end of their observation, and lie above."
)
RATIO = "task.ratio"
PUBLISHED = ((7.2, 150_000 / 12_000), (12.6, 30_000 / 12_000), (18.0, 1.0))
"""Ratio, and the steps to 0.9 of the published curves, test over train_inferred."""
OURS, THEIRS = "this study", "Wang et al. 2024, 2,000 entities"


def chart(store: "Store", study: str) -> ChartType:
    """The runs of a composition study that has the ratio as an axis; other axes in colours of their own."""
    facts = read_study(store, study)
    if RATIO not in facts.axes:
        raise NotApplicable(f"Study {study!r} has no axis {RATIO}.")
    found = rows(
        store,
        """select
            ratio, point::text as point, seed, task,
            (coalesce(test_step_90, outcomes.horizon) / train_step_90)::double as delay,
            if(test_step_90 is null, 'not by the end', 'reached') as test,
        from outcomes
        join study_runs using (run_id)
        join runs using (run_id)
        where study = $study and train_step_90 > 0 and outcomes.status = 'finished'
        order by ratio, point, seed""",
        study=study,
    )
    if not found:
        raise NotApplicable(f"Study {study!r} has no run that fits its training split.")
    values: list[dict[str, Any]] = []
    for row in found:
        others = {axis: value for axis, value in json.loads(row["point"]).items() if axis != RATIO}
        values.append({**row, "curve": label(others) or OURS})
    published = [{"ratio": ratio, "delay": delay, "curve": THEIRS} for ratio, delay in PUBLISHED]
    published = published if found[0]["task"] == "composition" else []
    curves = list(dict.fromkeys(value["curve"] for value in values))
    colors = [PHASES["grokking"], PHASES["forgetting"], PHASES["progression"], PHASES["semi_grokking"]]
    palette = [colors[i % len(colors)] for i in range(len(curves))] + [PHASES["memorization"]]
    color = alt.Color("curve:N").scale(domain=[*curves, THEIRS][: len(palette) - (not published)], range=palette)
    x = alt.X("ratio:Q").scale(zero=False, padding=14).title("ratio of inferred to atomic facts in training")
    y = alt.Y("delay:Q").scale(type="log", nice=False, padding=14).title("steps to generalize / steps to fit")
    marks = (
        alt.Chart(alt.InlineData(values=values))
        .mark_point(filled=True, size=50, opacity=0.8)
        .encode(
            x,
            y,
            color.title(None),
            alt.Shape("test:N")
            .scale(domain=["reached", "not by the end"], range=["circle", "triangle-up"])
            .title("test accuracy 0.9"),
            tooltip=["curve:N", "ratio:Q", "seed:Q", alt.Tooltip("delay:Q", format=".2f"), "test:N"],
        )
    )
    medians = (
        alt.Chart(alt.InlineData(values=_medians(values)))
        .mark_line()
        .encode(alt.X("ratio:Q"), alt.Y("delay:Q"), color.title(None))
    )
    layers = marks + medians
    if published:
        theirs = alt.Chart(alt.InlineData(values=published)).encode(
            alt.X("ratio:Q"), alt.Y("delay:Q"), color.title(None)
        )
        layers += theirs.mark_line(strokeDash=[5, 4]) + theirs.mark_point(filled=True, shape="diamond", size=70)
    title = alt.Title(facts.question, subtitle=facts.subtitle("runs that fit their training split", len(values)))
    return layers.properties(title=title)


def _medians(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The median delay at each point where it was reached; a run that did not get there counts as longer than all."""
    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for value in values:
        groups.setdefault((value["curve"], value["ratio"]), []).append(value)
    medians = []
    for (curve, ratio), runs in groups.items():
        ordered = sorted(runs, key=lambda run: (run["test"] != "reached", run["delay"]))
        middle = ordered[(len(ordered) - 1) // 2]
        if middle["test"] == "reached":
            medians.append({"curve": curve, "ratio": ratio, "delay": middle["delay"]})
    return medians
