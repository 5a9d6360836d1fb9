"""The runs of a study as a report holds them: a table to read, and all of its columns to take away."""

import json
import shlex
from typing import TYPE_CHECKING, Any

from analysis.charts import label
from analysis.stored import Study, order, rows
from analysis.theme import phase_colors

if TYPE_CHECKING:
    from study.store.database import Store

MAX_RUNS = 5000
"""A page holds no more of them; of a larger study it says how to get them."""
FACTS = {
    "seed": "seed",
    "phase": "phase",
    "status": "status",
    "stop_reason": "ended by",
    "judged_at": "judged at step",
    "train_step_95": "steps to fit",
    "test_step_95": "steps to generalize",
    "final_train_accuracy": "train accuracy",
    "final_test_accuracy": "test accuracy",
    "final_ood_accuracy": "ood accuracy",
    "train_loss": "train loss",
    "test_loss": "test loss",
}
"""Columns behind the run and its point, and their headings; those that no run has are left out."""
RUNS = """
    with last as (
        select run_id, arg_max(train_loss, step) as train_loss, arg_max(test_loss, step) as test_loss
        from curves semi join (from study_runs where study = $study) using (run_id) group by run_id
    )
    select run_id, point::text as point, seed, phase, observed.status, observed.stop_reason,
        if(observed.status = 'finished', observed.cut, null) as judged_at,
        train_step_95, test_step_95, final_train_accuracy, final_test_accuracy, final_ood_accuracy,
        train_loss, test_loss
    from study_runs
    join observed using (study, run_id)
    join run_specs using (run_id)
    join outcomes using (run_id)
    left join (from phases where definition = $definition) as judged using (run_id)
    left join last using (run_id)
    where study = $study"""
COMMAND = (
    "select run_id, point, seed, phase, study_outcomes.* exclude (study, run_id) "
    "from study_runs join study_outcomes using (study, run_id) join run_specs using (run_id) "
    "join study_phases using (study, run_id) where study = {study} and definition = {definition}"
)


def runs_of(store: "Store", facts: Study, numbers: bool) -> dict[str, Any]:
    """The runs as a table: `points`, each in words and its values on `axes`; `columns` and their `headings`; `colors`
    of phases; `runs`, of each its id, the number of its point, and its columns.

    Of more runs than MAX_RUNS it has none of this, but a `command` that gives them. `numbers` says that answers are
    numbers: runs have no phases then.
    """
    scoped = store.of(facts.name, definition=facts.definition)
    asked = {"study": facts.name, "definition": facts.definition.name}
    [count] = rows(scoped, "select count(*)::integer as runs from study_runs where study = $study", study=facts.name)
    if count["runs"] > MAX_RUNS:
        query = COMMAND.format(**{name: "'" + text.replace("'", "''") + "'" for name, text in asked.items()})
        command = f"study sql {shlex.quote(query)} --store {shlex.quote(str(store.path))} --format csv > runs.csv"
        return {"count": count["runs"], "command": command}
    found = rows(scoped, RUNS, **asked)
    skipped = {"phase"} if numbers else set()
    columns = [name for name in FACTS if name not in skipped and any(row[name] is not None for row in found)]
    points = {row["point"]: json.loads(row["point"]) for row in found}
    keys = sorted(points, key=lambda key: [order(facts.whole(points[key]).get(axis)) for axis in facts.axes])
    turn = {key: number for number, key in enumerate(keys)}
    found.sort(key=lambda row: (turn[row["point"]], row["seed"] is None, row["seed"], row["run_id"]))
    axes = [*facts.axes, *sorted({axis for point in points.values() for axis in point} - {*facts.axes})]
    return {
        "count": count["runs"],
        "name": facts.name,
        "axes": axes,
        "points": [[label(points[key], axes), *(points[key].get(axis) for axis in axes)] for key in keys],
        "columns": columns,
        "colors": {} if numbers else phase_colors(facts.definition, {row["phase"] for row in found} - {None}),
        "headings": [FACTS[name] for name in columns],
        "runs": [[row["run_id"], turn[row["point"]], *(_short(row[name]) for name in columns)] for row in found],
    }


def _short(value: Any) -> Any:
    """A fraction in six digits; what is not finite is None, since JSON has no place for it."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if abs(value) < float("inf") else None
