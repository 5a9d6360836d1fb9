"""Which runs of a study in the store are to go on to a longer horizon."""

import json

from study.plan.plan import PlannedRun
from study.plan.stored import planned_run
from study.spec import StudySpec
from study.store.database import Store
from study.store.errors import StoreError
from trainables.errors import SpecError

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


def chosen_runs(store: Store, study: StudySpec, where: str | None) -> list[PlannedRun]:
    """The study's runs for which an SQL condition holds, over the columns of `runs` and `outcomes` and over `phase`, by
    the study's own definition; SpecError for text that is no condition, or that holds for no run."""
    named = {"study": study.name, "definition": study.definition}
    store, condition = store.of(study.name, definition=study.phase_definition), "true" if where is None else where
    _check_whole(store, condition)
    try:
        kinds = store.sql(f"{CHOSEN} select (\n{condition}\n) from chosen limit 0", named).to_arrow_table().schema.types
        if [str(kind) for kind in kinds] != ["bool"]:
            raise StoreError("this is not one true or false per run; compare a column with something.")
        text = f"{CHOSEN} select run_id, spec, point from chosen where (\n{condition}\n) order by run_id"
        rows = store.sql(text, named).fetchall()
    except StoreError as error:
        said = getattr(error, "details", str(error)).partition("\n\n")[0]  # without the line: it is of our query
        raise SpecError(f"--where {where!r}: {said} Columns are those of `runs` and `outcomes`, and phase.") from None
    if not rows:
        raise SpecError(f"--where {where!r} holds for no run of study {study.name!r}; see `study status {study.name}`.")
    return [planned_run(study.name, *row) for row in rows]


def _check_whole(store: Store, condition: str) -> None:
    """SpecError for text that is not one whole condition, such as `true) or (true`: inside the query's parentheses it
    would choose other runs. Text that parses both ways is one expression without a clause after it."""
    [(tree,)] = store.sql("select json_serialize_sql(?)", [f"select\n{condition}"]).fetchall()
    if problem := json.loads(tree).get("error_message"):
        raise SpecError(
            f"--where {condition!r} is not one SQL condition ({problem}): write something like \"phase = 'grokking'\"."
        )
