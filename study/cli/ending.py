"""What came of training: one object for programs, one sentence for people."""

from typing import Any

from study.cli.output import print_json
from study.plan.plan import Plan
from study.spec import StudySpec
from study.store.database import Store
from trainables.answers import asks_for_numbers

PHASES = """
    select phase, count(*)::integer as runs from phases join study_runs using (run_id)
    where study = ? and definition = ? group by phase order by runs desc, phase"""

STATES = """
    select
        count(*) filter (where status = 'failed')::integer as failed,
        count(*) filter (where stop_reason = 'pruned')::integer as pruned,
        mode(error) filter (where status = 'failed') as error,
    from runs join study_runs using (run_id) where study = ?"""


def ending(store: Store, study: StudySpec, plan: Plan) -> dict[str, Any]:
    """How the runs of a plan stand after training, and the phases of all runs of the study.

    `error` is the one that most of the failed runs have; None where none has failed. `has_accuracy` is False where all
    answers are numbers: then every run is `unresolved`.
    """
    scoped = store.of(study.name, definition=study.phase_definition)
    [(failed, pruned, error)] = store.sql(STATES, [study.name]).fetchall()
    return {
        "study": study.name,
        "planned": len(plan.runs),
        "finished": len(plan.finished),
        "missing": plan.missing,
        "failed": failed,
        "pruned": pruned,
        "error": error,
        "definition": study.definition,
        "phases": dict(scoped.sql(PHASES, [study.name, study.definition]).fetchall()),
        "horizon": study.horizon,
        "has_accuracy": not all(asks_for_numbers(run.spec.task) for run in plan.runs),
    }


def finish(end: dict[str, Any], as_json: bool) -> None:
    """Print an ending, and leave with exit code 1 where runs are missing."""
    if as_json:
        print_json(end)
    else:
        print(sentence(end))
    if end["missing"]:
        raise SystemExit(1)


def sentence(end: dict[str, Any]) -> str:
    """An ending for people: how many runs are in, why others are missing, and in which phases they are."""
    state = f"all {end['planned']:,} runs are in"
    if end["pruned"]:
        state += f", {end['pruned']:,} of them pruned (the same call without --prune goes on with these)"
    if end["missing"]:
        error = f" ({end['error']})" if end["error"] else ""
        state = f"{end['missing']:,} of {end['planned']:,} runs are missing{error}"
    if not end["has_accuracy"]:
        return f"{end['study']}: {state}; no phases, because the task's answers are numbers: `curves` has the losses"
    found = ", ".join(f"{runs:,} {phase}" for phase, runs in end["phases"].items())
    return f"{end['study']}: {state}; {end['definition']}: {found}"
