"""Which runs of a study in the store are to go on to a longer horizon."""

import json

from study.plan import PlannedRun
from study.spec import StudySpec
from study.status import check_known
from study.store import Store, StoreError
from trainables.errors import SpecError
from trainables.spec import RunSpec

CHOSEN = """
    with chosen as (
        select study_runs.run_id, study_runs.point, phases.phase, run_specs.* exclude (run_id, label_corruption,
            chance_accuracy, planned_at), runs.steps, runs.error, outcomes.* exclude (run_id),
        from study_runs
        join run_specs using (run_id)
        join runs using (run_id)
        left join outcomes using (run_id)
        left join phases on phases.run_id = study_runs.run_id and phases.definition = $definition
        where study_runs.study = $study
    )"""


def stored_study(store: Store, study: str) -> StudySpec:
    """The study as the store has it, whether it came from the catalog, a file or a search; SpecError for another."""
    check_known(store, study)
    [(text,)] = store.sql("select spec from studies where study = ?", [study]).fetchall()
    try:
        return StudySpec.from_json(json.loads(text), study)
    except (TypeError, KeyError) as error:
        raise SpecError(f"study {study!r} was stored by another version ({error}): run it from its file.") from None


def chosen_runs(store: Store, study: StudySpec, where: str | None) -> list[PlannedRun]:
    """The study's runs for which an SQL condition holds, over the columns of `runs` and `outcomes` and over `phase`, by
    the study's own definition; SpecError for a condition that is none or that holds for no run."""
    named = {"study": study.name, "definition": study.definition}
    if where is not None and (";" in where or not where.strip()):
        raise SpecError(f"--where {where!r} is not one SQL condition: write something like \"phase = 'memorization'\".")
    try:
        # Once in a select list, where an unbalanced parenthesis or another clause is an error, then as a condition.
        store.sql(f"{CHOSEN} select count(case when (\n{where or 'true'}\n) then 1 end) from chosen", named)
        text = f"{CHOSEN} select run_id, spec, point from chosen where (\n{where or 'true'}\n) order by run_id"
        rows = store.sql(text, named).fetchall()
    except StoreError as error:
        known = store.sql(f"{CHOSEN} select * from chosen limit 0", named).to_arrow_table().column_names
        raise SpecError(f"--where {where!r}: {error} Available: {', '.join(known)}.") from None
    if not rows:
        raise SpecError(f"--where {where!r} holds for no run of study {study.name!r}; see `study status {study.name}`.")
    return [PlannedRun(run_id, RunSpec.from_json(json.loads(spec)), json.loads(point)) for run_id, spec, point in rows]
