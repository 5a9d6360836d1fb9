"""Steps to generalize against steps to fit, one mark per run. Grokking is the distance above the diagonal."""

import json
from typing import TYPE_CHECKING

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, label
from analysis.stored import read_study, rows
from analysis.theme import phase_color, step_axis

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Steps to generalize against steps to fit"
READ = (
    "On the diagonal a run generalizes as soon as it fits; ten times above it, generalizing takes ten times as many "
    "steps as fitting. A triangle is a run that had not generalized when its observation ended: its mark would lie "
    "higher."
)
MAX_RUNS = 3000
"""At most this many runs are drawn: a random sample of a larger study."""


def chart(store: "Store", study: str, definition: str | None = None) -> ChartType:
    """First passages of accuracy 0.9, for the runs that fit their training split, coloured by phase."""
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    runs = rows(
        store,
        f"""select
            greatest(train_step_90, 0.5)::double as train_step,
            greatest(coalesce(test_step_90, outcomes.horizon), 0.5)::double as test_step,
            if(test_step_90 is null, 'not by the end', 'reached') as test,
            phase,
            point::text as point,
            seed,
            count(*) over ()::integer as total,
        from outcomes
        join phases using (run_id)
        join study_runs using (run_id)
        join runs using (run_id)
        where study = $study and definition = $definition and train_step_90 is not null
            and final_test_accuracy is not null
        order by hash(run_id)
        limit {MAX_RUNS}""",
        study=study,
        definition=facts.definition.name,
    )
    if not runs:
        raise NotApplicable(f"Study {study!r} has no run that fits its training split.")
    total = max(run.pop("total") for run in runs)
    runs = [run | {"point": label(json.loads(run["point"]))} for run in runs]
    ends = [min(run["train_step"] for run in runs), max(run["test_step"] for run in runs)]
    scale, x_axis = step_axis("steps to fit the training split (accuracy 0.9)", padding=10)
    _, y_axis = step_axis("steps to generalize (test accuracy 0.9)", padding=10)
    diagonal = alt.Chart({"values": [{"step": end} for end in ends]}).mark_line(color="#bbbbbb", strokeWidth=1)
    marks = (
        alt.Chart({"values": runs})
        .mark_point(filled=True, size=45, opacity=0.8)
        .encode(
            alt.X("train_step:Q", scale=scale, axis=x_axis),
            alt.Y("test_step:Q", scale=scale, axis=y_axis),
            phase_color(facts.definition, (run["phase"] for run in runs)),
            alt.Shape("test:N").scale(domain=["reached", "not by the end"], range=["circle", "triangle-up"]),
            tooltip=["point:N", "seed:Q", "phase:N", "train_step:Q", "test_step:Q", "test:N"],
        )
    )
    sample = f", a sample of {len(runs):,} from {total:,} runs that fit" if total > len(runs) else ""
    title = alt.Title(facts.question, subtitle=facts.subtitle(f"phases by {facts.definition.name}{sample}", len(runs)))
    return (diagonal.encode(x="step:Q", y="step:Q") + marks).properties(title=title)
