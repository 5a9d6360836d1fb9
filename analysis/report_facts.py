"""What a report says of a study in words and tables: where its runs stand, its phases, failures, provenance, spec."""

import itertools
from typing import TYPE_CHECKING, Any

from analysis.stored import Study, rows

if TYPE_CHECKING:
    from study.store.database import Store

TABLES = {
    "recorded": """
        select count(*)::integer as runs from recorded join study_runs using (run_id) where study = $study""",
    "ended": """
        select coalesce(stop_reason, 'unknown') as reason, count(*)::integer as runs
        from observed where study = $study and status = 'finished' group by reason order by runs desc, reason""",
    "judged_at": """
        select cut::bigint as step, count(*)::integer as runs
        from observed where study = $study and status = 'finished' group by cut order by cut""",
    "failures": """
        select run_id, point::text as point, steps, error
        from runs join study_runs using (run_id)
        where study = $study and status = 'failed' order by run_id""",
    "attempts": """
        select host, device, threads, versions::text as versions, git_sha, git_dirty, count(*)::integer as attempts,
            date_trunc('second', min(started_at)) as first_start,
            date_trunc('second', max(coalesce(ended_at, updated_at))) as last_end,
            sum(attempts.wall_seconds)::double as seconds
        from attempts join study_runs using (run_id)
        where study = $study
        group by host, device, threads, attempts.versions::text, git_sha, git_dirty order by first_start""",
    "specs": """
        select spec::text as spec, date_trunc('second', created_at) as created_at
        from studies where study = $study""",
}
PHASES = """
    select definition, phase, count(*)::integer as runs
    from phases join study_runs using (run_id) where study = $study group by all order by definition"""


def standing_of(store: "Store", study: str) -> dict[str, Any]:
    """The study's runs by status, as `counted` has them; all 0 where it has none."""
    from study.store.status import counted

    none = dict.fromkeys(("runs", "finished", "earlier", "running", "planned", "failed"), 0) | {"has_accuracy": True}
    return next(iter(counted(store, study)), none)


def tables_of(store: "Store", study: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of TABLES by name; `store` is the store as the study has it."""
    return {name: rows(store, sql, study=study) for name, sql in TABLES.items()}


def phases_of(store: "Store", facts: Study) -> list[dict[str, Any]]:
    """The definitions that apply, the study's own first: those that give some run a phase other than `unresolved`.

    `definition`, and its `phases` as `Definition.legend` has them.
    """
    from study.store.definitions import NO_PHASE
    from study.store.studies import definition_of

    found = []
    counted = rows(store.of(facts.name, definition=facts.definition), PHASES, study=facts.name)
    for name, of in itertools.groupby(counted, lambda row: row["definition"]):
        runs = {row["phase"]: row["runs"] for row in of}
        if not runs.keys() - {NO_PHASE}:
            continue
        definition = facts.definition if name == facts.definition.name else definition_of(store, facts.name, name)
        found.append({"definition": name, "phases": definition.legend(runs)})
    return sorted(found, key=lambda row: row["definition"] != facts.definition.name)
