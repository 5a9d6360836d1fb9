"""Training and test accuracy over the steps of the runs of one cell, one thin line per run."""

from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd

from analysis.charts import NotApplicable, label, read_cells, read_study, rows
from analysis.theme import SPLITS, step_axis
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store

TITLE = "Learning curves"
READ = "Each line is one run; grokking is the distance along the step axis between the training and the test lines."
PER_DECADE = 20
"""Records per decade of steps that are drawn."""
LATE = ("grokking", "generalized_in_distribution", "systematic")
"""Phases in which the test split follows the training split, if at all, later."""
MAX_RUNS = 400
"""Runs whose curves are drawn: the first seeds of every cell, as many as this allows."""


def chart(store: "Store", study: str, point: dict[str, Any] | None = None) -> alt.Chart:
    """The curves at `point`, {axis path: value}; None = where grokking is commonest."""
    facts = read_study(store, study)
    cells = read_cells(store, facts)
    if point is not None:
        cells = [cell for cell in cells if cell["point"] == point]
        if not cells:
            raise SpecError(f"Study {study!r} has no cell at {point}. Its axes are {', '.join(facts.axes)}.")
    values = read_curves(store, study, example(cells)["key"]) if cells else []
    if not values:
        raise NotApplicable(f"Study {study!r} has no records to draw.")
    cell = example(cells)
    title = alt.Title(facts.question, subtitle=facts.subtitle(label(cell["point"]), cell["total"]))
    return lines(values).properties(title=title)


def example(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of `read_cells` with the most late generalization, else with the clearest phase."""
    return max(cells, key=lambda cell: (cell["phase"] in LATE, cell["phase"] != "unresolved", cell["fraction"]))


def read_curves(store: "Store", study: str, key: str | None = None) -> list[dict[str, Any]]:
    """Thinned accuracies of the study's runs, or of those at the point stored as `key`; `run` is a number from 1."""
    return rows(
        store,
        f"""with chosen as (
            select
                run_id, point::text as key,
                row_number() over (partition by point::text order by seed, data_seed) as turn
            from study_runs
            join runs using (run_id)
            where study = $study and point::text = coalesce($key, point::text) and status <> 'planned'
            order by turn, run_id
            limit {MAX_RUNS}
        )
        select
            key,
            dense_rank() over (order by run_id)::integer as run,
            greatest(step, 0.5)::double as step,
            if(isnan(train_accuracy), 0, round(train_accuracy, 3)) as train,
            if(isnan(test_accuracy), 0, round(test_accuracy, 3)) as test,
            if(isnan(ood_accuracy), 0, round(ood_accuracy, 3)) as ood
        from curves
        join chosen using (run_id)
        qualify row_number() over (
            partition by run_id, floor({PER_DECADE} * log10(greatest(step, 0.5))) order by step desc
        ) = 1
        order by run, step""",
        study=study,
        key=key,
    )


def lines(values: list[dict[str, Any]]) -> alt.Chart:
    """The lines of rows as `read_curves` gives them; a split that no run has is left out."""
    splits: list[Any] = [split for split in SPLITS if any(row[split] is not None for row in values)]
    scale, axis = step_axis("optimizer step")
    return (
        alt.Chart(pd.DataFrame(values))  # a frame: Altair would validate and copy inline rows one by one, for seconds
        .transform_fold(splits, as_=["split", "accuracy"])
        .mark_line(strokeWidth=1.2, opacity=0.75)
        .encode(
            alt.X("step:Q", scale=scale, axis=axis),
            alt.Y("accuracy:Q").scale(domain=[0, 1]).title("accuracy"),
            alt.Color("split:N")
            .scale(domain=splits, range=[SPLITS[split] for split in splits])
            .legend(symbolType="stroke"),
            detail="run:N",
        )
    )
