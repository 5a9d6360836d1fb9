"""Accuracies by optimizer step, one thin line for each run of a cell and each split."""

from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd

from analysis.charts import NotApplicable, label
from analysis.stored import read_cells, read_study, rows
from analysis.theme import SPLITS, step_axis
from study.store.definitions import Definition
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Learning curves"
READ = (
    "A run has one line for each split. Grokking is the distance along the step axis from its training line to its "
    "test line."
)
PER_DECADE = 20
"""At most this many records per decade of steps are drawn."""
MAX_RUNS = 400
"""At most this many runs are drawn: the first seeds of every cell."""


def chart(store: "Store", study: str, point: dict[str, Any] | None = None) -> alt.Chart:
    """The curves of the cell at `point`, {axis path: value}; None for the cell that `example` picks."""
    facts = read_study(store, study)
    store = store.of(study)
    cells = read_cells(store, facts)
    if point is not None:
        cells = [cell for cell in cells if cell["point"] == facts.whole(point)]
        if not cells:
            raise SpecError(f"Study {study!r} has no cell at {point}. Its axes are {', '.join(facts.axes)}.")
    values = read_curves(store, study, example(cells, facts.definition)["key"]) if cells else []
    if not have_accuracies(values):
        raise NotApplicable(f"Study {study!r} has no records of accuracies to draw.")
    cell = example(cells, facts.definition)
    title = alt.Title(facts.question, subtitle=facts.subtitle(label(cell["point"]), cell["total"]))
    return lines(values).properties(title=title)


def example(cells: list[dict[str, Any]], definition: Definition) -> dict[str, Any]:
    """The row of `read_cells` with the most runs in a generalized phase, in the last of the definition if there are
    several (late generalization comes after early); without one, the row with the clearest phase."""
    generalized = definition.generalized

    def interest(cell: dict[str, Any]) -> tuple[int, bool, float]:
        rank = generalized.index(cell["phase"]) if cell["phase"] in generalized else -1
        return rank, cell["phase"] != "unresolved", cell["fraction"]

    return max(cells, key=interest)


THINNED = """
    with chosen as (
        select
            run_id, seed, point::text as key,
            row_number() over (partition by point::text order by seed, data_seed) as turn
        from study_runs
        join runs using (run_id)
        where study = $study and point::text = coalesce($key, point::text) and status <> 'planned'
        order by turn, run_id
        limit $most
    ),
    thinned as (
        select chosen.* exclude (turn), curves.* exclude (run_id)
        from curves
        join chosen using (run_id)
        qualify row_number() over (
            partition by run_id, floor($per_decade * log10(greatest(step, 0.5))) order by step desc
        ) = 1
    )"""
"""The thinned curves of the study's runs, or of those at the point with this key (NULL = all)."""


def thinned(store: "Store", study: str, select: str, key: str | None = None) -> list[dict[str, Any]]:
    """The rows of a query on `thinned`."""
    return rows(store, THINNED + select, study=study, key=key, most=MAX_RUNS, per_decade=PER_DECADE)


def read_curves(store: "Store", study: str, key: str | None = None) -> list[dict[str, Any]]:
    """Thinned accuracies of the study's runs, or of those at the point with this `key`; `run` is a number from 1."""
    return thinned(
        store,
        study,
        """select
            key,
            dense_rank() over (order by run_id)::integer as run,
            greatest(step, 0.5)::double as step,
            if(isnan(train_accuracy), 0, round(train_accuracy, 3)) as train,
            if(isnan(test_accuracy), 0, round(test_accuracy, 3)) as test,
            if(isnan(ood_accuracy), 0, round(ood_accuracy, 3)) as ood
        from thinned
        order by run, step""",
        key,
    )


def have_accuracies(values: list[dict[str, Any]]) -> bool:
    """True if rows of `read_curves` hold any: answers that are numbers have none."""
    return any(row[split] is not None for row in values for split in SPLITS)


def lines(values: list[dict[str, Any]]) -> alt.Chart:
    """The lines for rows of `read_curves`; a split that no run has is left out."""
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
