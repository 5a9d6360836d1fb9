"""The circuit as maps of layer and position: after memorization, at the end, and the change in between.

source: Wang et al. 2024, arXiv 2405.15071, figures 4 and 5: the causal strength of each state on the answer, and how
well a logit lens finds the bridge entity, the relation or the compared values there.
"""

import json
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, label
from analysis.stored import read_cells, read_study, rows
from trainables.spec import RunSpec

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "The circuit, by layer and position"
READ = (
    "Layer 0 is the embedding. Causal strength is how often the answer changes when the state is replaced by that of "
    "an example with another token there. MRR is the mean reciprocal rank of a token when the state is read out as "
    "that of the last layer is. The left map is the first look after training accuracy 0.9, the middle map is the last "
    "look, and the right map is the change. Numbers are means over the runs of one cell."
)
METRICS = {
    "strength": "causal strength",
    "mrr_bridge": "MRR of the bridge entity",
    "mrr_r2": "MRR of r2",
    "mrr_v1": "MRR of the first value",
    "mrr_v2": "MRR of the second value",
    "recall_labels": "recall of the three labels",
}
"""The metrics that are drawn, with their titles."""
MOMENTS = ("before", "after", "change")


def chart(store: "Store", study: str, point: dict[str, Any] | None = None) -> ChartType:
    """The maps at `point`; None for the cell with the longest delay among those that generalize.

    NotApplicable where probes have not looked at a run twice, after it fitted its training split.
    """
    facts = read_study(store, study)
    store = store.of(study)
    found = rows(
        store,
        """with looks as (
            select run_id, point::text as key, step, layer, position, metric, value, train_step_90, test_step_90,
                max(step) over (partition by run_id) as last,
                min(step) filter (where step >= coalesce(train_step_90, 0)) over (partition by run_id) as first,
            from probes
            join study_runs using (run_id)
            join outcomes using (run_id)
            where study = $study
        )
        select key, layer, position, metric,
            (avg(value) filter (where step = first))::double as before,
            (avg(value) filter (where step = last))::double as after,
            count(distinct run_id)::integer as runs,
            avg(first)::double as first, avg(last)::double as last,
            coalesce(median(test_step_90 / train_step_90), 0)::double as delay,
        from looks where first < last group by all""",
        study=study,
    )
    found = [row for row in found if row["metric"] in METRICS]  # other probes have metrics that are not maps
    cells = [cell for cell in read_cells(store, facts) if any(row["key"] == cell["key"] for row in found)]
    if point is not None:
        cells = [cell for cell in cells if cell["point"] == facts.whole(point)]
    if not cells:
        raise NotApplicable(f"Study {study!r} has no findings of mechanistic probes before and after generalization.")
    delays = {row["key"]: row["delay"] for row in found}
    generalized = facts.definition.generalized
    cell = max(cells, key=lambda cell: (cell["phase"] in generalized and cell["fraction"] > 0.5, delays[cell["key"]]))
    shown = [row for row in found if row["key"] == cell["key"]]
    [spec] = rows(
        store,
        """select spec::text as spec from runs join study_runs using (run_id)
        where study = $study and point::text = $key limit 1""",
        study=study,
        key=cell["key"],
    )
    run = RunSpec.from_json(json.loads(spec["spec"]))
    if run.absent:
        raise NotApplicable(f"{' and '.join(run.absent)} is not here to say which positions there are")
    positions = list(run.task.positions)
    bands = [_band(name, [row for row in shown if row["metric"] == name], positions) for name in METRICS]
    first, last = (round(sum(row[end] for row in shown) / len(shown)) for end in ("first", "last"))
    note = f"{label(cell['point'])}: before is step {first:,}, after step {last:,}"
    subtitle = facts.subtitle(note, max(row["runs"] for row in shown))
    return alt.vconcat(*(band for band in bands if band is not None)).properties(
        title=alt.Title(facts.question, subtitle=subtitle)
    )


def _band(metric: str, found: list[dict[str, Any]], positions: list[str]) -> alt.HConcatChart | None:
    """One metric before, after, and its change, side by side; None where the study does not have it."""
    if not found:
        return None
    maps = []
    for moment in MOMENTS:
        values = [
            {"layer": row["layer"], "position": row["position"], "value": row["after"] - row["before"]}
            if moment == "change"
            else {"layer": row["layer"], "position": row["position"], "value": row[moment]}
            for row in found
        ]
        scheme, ends = ("purpleorange", [-1, 1]) if moment == "change" else ("blues", [0, 1])
        base = alt.Chart({"values": values}, title=alt.Title(moment, fontSize=13, fontWeight="normal")).encode(
            alt.X("position:N", sort=positions, title="position").axis(labelAngle=0),
            alt.Y("layer:O", sort="descending", title="layer"),
        )
        color = alt.Color("value:Q").scale(scheme=scheme, domain=ends).legend(None)
        strong = "abs(datum.value) > 0.65"
        ink = alt.condition(strong, alt.value("white"), alt.value("#333333"))
        text = base.mark_text(fontSize=11).encode(alt.Text("value:Q", format=".2f"), color=ink)
        maps.append((base.mark_rect().encode(color) + text).properties(width=46 * len(positions), height=alt.Step(24)))
    title = alt.Title(METRICS[metric], fontSize=14, fontWeight="normal", offset=6)
    return alt.hconcat(*maps, title=title).resolve_scale(color="independent")
