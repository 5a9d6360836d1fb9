"""Where the studies of a store stand, and their phases, as rows."""

from typing import Any

from study.storage import storage_at
from study.store import Store
from trainables.components import closest
from trainables.errors import SpecError

STATUS = """
    select
        study,
        count(*)::integer as runs,
        count(*) filter (where status = 'finished')::integer as finished,
        count(*) filter (where status = 'running')::integer as running,
        count(*) filter (where status = 'planned')::integer as planned,
        count(*) filter (where status = 'failed')::integer as failed,
        (sum(steps) / nullif(sum(wall_seconds), 0))::double as run_steps_per_worker_second,
        max(attempts.updated_at)::varchar as last_heard,
        arg_max(runs.error, attempts.updated_at) as last_error,
    from study_runs
    join runs using (run_id)
    left join (select run_id, max(updated_at) as updated_at from attempts group by run_id) as attempts using (run_id)
    where ?::varchar is null or study = ?
    group by study order by study"""

PHASES = """
    select
        definition,
        phase,
        count(*)::integer as runs,
        (count(*) / sum(count(*)) over (partition by definition))::double as fraction,
    from phases join study_runs using (run_id)
    where study = ? and (?::varchar is null or definition = ?)
    group by definition, phase order by definition, runs desc, phase"""

CELLS = """
    select point::varchar as point, phase, runs, fraction, low, high
    from cells where study = ? and definition = ? order by point, runs desc"""


def status_rows(store: Store, study: str | None) -> list[dict[str, Any]]:
    """One row per study, with its runs by status; SpecError for a study that the store does not know."""
    if study is not None:
        check_known(store, study)
    rows = store.sql(STATUS, [study, study]).to_arrow_table().to_pylist()
    for row in rows:
        phases = store.sql(PHASES, [row["study"], "unified", "unified"]).to_arrow_table().to_pylist()
        row["phases"] = ", ".join(f"{p['runs']} {p['phase']}" for p in phases)
    return rows


def phase_rows(store: Store, study: str, definition: str | None) -> list[dict[str, Any]]:
    """One row per definition and phase, or with a definition one row per cell and phase."""
    check_known(store, study)
    if definition is None:
        return store.sql(PHASES, [study, None, None]).to_arrow_table().to_pylist()
    known = [name for (name,) in store.sql("select distinct definition from phases order by 1").fetchall()]
    if definition not in known:
        raise SpecError(f"phase definition {definition!r} is not known. {closest(definition, known)}")
    return store.sql(CELLS, [study, definition]).to_arrow_table().to_pylist()


def skipped_parts(store: Store) -> list[tuple[str, str]]:
    """Parts that could not be brought in, and why: torn or foreign files. What they held is trained again."""
    known = store.sql("select part, error from parts where error is not null order by part").fetchall()
    storage = storage_at(store.place)
    return [(part, error) for part, error in known if storage.exists(f"parts/{part}")]


def check_known(store: Store, study: str) -> None:
    """SpecError for a study that this store has no plan of."""
    known = [name for (name,) in store.sql("select study from studies order by 1").fetchall()]
    if study not in known:
        hint = closest(study, known) if known else "It has none yet: `study run first_map` makes the first."
        raise SpecError(f"study {study!r} is not in this store. {hint}")
