"""How many times longer a model takes to generalize than to fit, against the ratio of inferred to atomic facts.

source: Wang et al. 2024, arXiv 2405.15071, section 3.2: the ratio, not the amount of data, sets how fast a model
generalizes. The published points are from figure 1 (ratio 7.2), from an independent reproduction (ratio 12.6,
Davide011/Thesis_public), and from the statement that at ratio 18 test accuracy is 0.967 before training saturates,
which is drawn as 1.
"""

import json
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, label
from analysis.stored import read_study, rows
from analysis.theme import BLUE, GREEN, ORANGE, PINK, YELLOW

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Delay of generalization by ratio"
READ = (
    "A mark is a run: its steps to test accuracy 0.9 divided by its steps to training accuracy 0.9. The line goes "
    "through the medians of points at which at least half of the runs reached both. A triangle is a run that had not "
    "reached test accuracy 0.9 when its observation ended: its delay is longer."
)
RATIO = "task.ratio"
PUBLISHED = ((7.2, 150_000 / 12_000), (12.6, 30_000 / 12_000), (18.0, 1.0))
"""The ratio of facts, and the steps to accuracy 0.9 of the published curves: test divided by train_inferred."""
OURS, THEIRS = "this study", "Wang et al. 2024, 2,000 entities"
MAX_CURVES = 8
"""More combinations of the other axes than this are one curve: nobody tells so many colours apart."""


def chart(store: "Store", study: str) -> ChartType:
    """The runs of a study with the ratio as an axis; each combination of the other axes has its own colour."""
    facts = read_study(store, study)
    store = store.of(study)
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
        others_said = label(others, facts.axes)
        values.append({**row, "curve": others_said or OURS, "others": others_said})
    if len({value["curve"] for value in values}) > MAX_CURVES:
        values = [value | {"curve": OURS} for value in values]
    published = [{"ratio": ratio, "delay": delay, "curve": THEIRS} for ratio, delay in PUBLISHED]
    published = published if found[0]["task"] == "composition" else []
    curves = list(dict.fromkeys(value["curve"] for value in values))
    colors = [BLUE, PINK, GREEN, YELLOW]
    palette = [colors[i % len(colors)] for i in range(len(curves))] + [ORANGE]
    color = alt.Color("curve:N").scale(domain=[*curves, THEIRS][: len(palette) - (not published)], range=palette)
    x = alt.X("ratio:Q").scale(zero=False, padding=14).title("ratio of inferred to atomic facts in training")
    y = alt.Y("delay:Q").scale(type="log", nice=False, padding=14).title("steps to generalize / steps to fit")
    marks = (
        alt.Chart({"values": values})
        .mark_point(filled=True, size=50, opacity=0.8)
        .encode(
            x,
            y,
            color.title(None),
            alt.Shape("test:N")
            .scale(domain=["reached", "not by the end"], range=["circle", "triangle-up"])
            .title("test accuracy 0.9"),
            tooltip=["curve:N", "others:N", "ratio:Q", "seed:Q", alt.Tooltip("delay:Q", format=".2f"), "test:N"],
        )
    )
    medians = (
        alt.Chart({"values": _medians(values)})
        .mark_line()
        .encode(alt.X("ratio:Q"), alt.Y("delay:Q"), color.title(None))
    )
    layers = marks + medians
    if published:
        theirs = alt.Chart({"values": published}).encode(alt.X("ratio:Q"), alt.Y("delay:Q"), color.title(None))
        layers += theirs.mark_line(strokeDash=[5, 4]) + theirs.mark_point(filled=True, shape="diamond", size=70)
    title = alt.Title(facts.question, subtitle=facts.subtitle("runs that fit their training split", len(values)))
    return layers.properties(title=title)


def _medians(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The median delay at each point, where it was reached; runs that did not generalize count as the slowest."""
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
