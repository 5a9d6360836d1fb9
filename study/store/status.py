"""Where the studies of a store stand, and their phases, as rows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from study.store.database import Store
from study.store.definitions import Definition
from study.store.errors import QueryError
from study.store.storage import storage_at
from study.store.studies import definition_of, judged, own_definitions
from study.store.thresholds import with_params

STATUS = """
    select
        study,
        count(*)::integer as runs,
        count(*) filter (where observed.status = 'finished' and cut = asked)::integer as finished,
        count(*) filter (where observed.status = 'finished' and cut < asked)::integer as earlier,
        count(*) filter (where observed.status = 'running')::integer as running,
        count(*) filter (where observed.status = 'planned')::integer as planned,
        count(*) filter (where observed.status = 'failed')::integer as failed,
        count(chance_accuracy) > 0 as has_accuracy,
        sum(steps)::double as steps,
        sum(if(observed.status = 'failed' or observed.status = 'finished' and cut = asked, 0,
            greatest(0, asked - steps)))::double as steps_left,
        (sum(steps) / nullif(sum(wall_seconds), 0))::double as run_steps_per_worker_second,
        max(heard_at) as heard_at,
        max(heard_at)::varchar as last_heard,
        arg_max(error, heard_at) as last_error,
    from observed join runs using (run_id)
    where study is not null and (?::varchar is null or study = ?)
    group by study order by study"""

STORED = """
    select
        study,
        coalesce(spec ->> 'question', '') as question,
        coalesce(json_keys(spec, '$.axes'), []) as axes,
        planned,
        finished,
    from studies
    join (
        select study, count(*)::integer as planned,
            count(*) filter (where status = 'finished' and cut = asked)::integer as finished
        from observed group by study
    ) using (study)
    order by study"""

SHOWN = ("study", "runs", "finished", "earlier", "running", "planned", "failed", "has_accuracy", "definition",
         "run_steps_per_worker_second", "last_heard", "last_error", "phases")  # fmt: skip
"""What `study status` says of a study."""

PHASES = """
    select
        definition,
        phase,
        count(*)::integer as runs,
        (count(*) / sum(count(*)) over (partition by definition))::double as fraction,
    from phases join study_runs using (run_id)
    where study = ? and (?::varchar is null or definition = ?)
    group by definition, phase order by definition, runs desc, phase"""

OWN_PHASES = """
    with outcomes as materialized (
        select {{'study': study, 'run_id': run_id}} as run_id, * exclude (study, run_id)
        from study_outcomes where study in (select unnest(?::varchar[]))
    ),
    phases as (
        {}
    )
    select run_id.study as study, phase, count(*)::integer as runs
    from phases group by all order by study, runs desc, phase"""

STANDING = """
    select status, cut::bigint as horizon, asked::bigint as planned_horizon, count(*)::integer as runs
    from observed where study = ? group by all order by all"""

CELLS = """
    select point::varchar as point, phase, runs, fraction, low, high
    from cells where study = ? and definition = ? order by point, runs desc"""


def stored_studies(store: Store) -> dict[str, dict[str, Any]]:
    """The studies of a store by name: runs that are planned and finished, and what their specs say."""
    return {row["study"]: row for row in store.sql(STORED).to_arrow_table().to_pylist()}


def counted(store: Store, study: str | None) -> list[dict[str, Any]]:
    """One row per study, or of one: its runs by status, their steps, when and of what the store heard last.

    `has_accuracy` is False where all answers are numbers: then no definition has a phase. A run is `finished`
    at the longest horizon that was asked of it, or `earlier` at a shorter one. `steps_left` are those that the others
    are asked for, without failed runs.
    """
    return store.sql(STATUS, [study, study]).to_arrow_table().to_pylist()


def status_rows(store: Store, study: str | None) -> list[dict[str, Any]]:
    """What `study status` shows of each study: the runs of `counted`, and by phase under the study's own definition;
    SpecError for a study that the store does not know."""
    if study is not None:
        store.check_known(study)
    rows = counted(store, study)
    known = own_definitions(store, study)
    phases = phases_by_study(store, known)
    told = {
        study: {
            "definition": known[study].name,
            "phases": ", ".join(f"{runs} {phase}" for phase, runs in phases[study].items()),
        }
        for study in phases
    }
    return [{name: (row | told[row["study"]])[name] for name in SHOWN} for row in rows]


def phases_by_study(store: Store, known: Mapping[str, Definition]) -> dict[str, dict[str, int]]:
    """How many runs of each of these studies are in which phase of its own definition, the most first: one query for
    each definition, and one for each study where a definition fails on the runs of some."""
    found: dict[str, dict[str, int]] = {study: {} for study in known}
    for definition in set(known.values()):
        studies = [study for study, own in known.items() if own == definition]
        try:
            rows = store.sql(OWN_PHASES.format(definition.select), [studies]).fetchall()
        except QueryError:
            rows = []
            for study in studies:
                own = store.of(study).sql(PHASES, [study, definition.name, definition.name]).fetchall()
                rows += [(study, phase, runs) for _, phase, runs, _ in own]
        for study, phase, runs in rows:
            found[study][phase] = runs
    return found


def standing_rows(store: Store, study: str) -> list[dict[str, Any]]:
    """What the store has of a study: its runs by status, by the horizon at which they are judged, and by the longest
    that was asked of them."""
    return store.sql(STANDING, [study]).to_arrow_table().to_pylist()


def phase_rows(
    store: Store,
    study: str,
    definition: str | None,
    horizon: int | None = None,
    params: Mapping[str, float] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """One row per definition and phase, or one row per cell and phase under a definition (`definition_of`) with other
    thresholds, `params`; None for the study's own. `horizon` as in `Store.of`."""
    store = judged(store, study, horizon)
    if definition is None and not params:
        return store.sql(PHASES, [study, None, None]).to_arrow_table().to_pylist()
    found = with_params(definition_of(store, study, definition), params)
    return store.of(study, definition=found).sql(CELLS, [study, found.name]).to_arrow_table().to_pylist()


def skipped_parts(store: Store) -> list[tuple[str, str]]:
    """Parts that could not be brought in, and why: torn or foreign files. What they held is trained again."""
    text = "select part, coalesce(archive, part), error from parts where error is not null order by part"
    storage = storage_at(store.place)
    return [(part, error) for part, file, error in store.sql(text).fetchall() if storage.exists(f"parts/{file}")]
