"""What the store knows of the runs of a plan: their states, their packs, their furthest checkpoints."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from study.store.checkpoints import readable, run_state, states_below
from study.store.database import Store
from study.store.storage import storage_at
from trainables.spec import RunSpec

STATE = """if(ends.run_id is null, status, 'finished') as status,
    coalesce(ends.reason, if(ends.generalized_at is null, stop_reason, 'generalized')) as stop_reason, steps"""
"""The state of a run for `is_done`, from `runs left join ends`: what ended it stays, whatever a later attempt says."""


def known_runs(store: Store, study: str, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the store knows of each of these runs, by id; `source` is that of the latest attempt.

    Runs count by their attempts, planned or not: where the part of a plan was damaged, nothing is trained again.
    """
    text = f"""
        with asked as (select unnest($asked::varchar[]) as run_id),
        last_tries as (
            select run_id, pack_id, max(attempt) as attempt
            from attempts semi join asked using (run_id) group by all
        ),
        tries as (
            select run_id, map_from_entries(list((pack_id, attempt))) as attempts from last_tries group by run_id
        ),
        latest as (
            select run_id, status, stop_reason, source, max(steps) over (partition by run_id) as steps
            from attempts semi join asked using (run_id)
            qualify attempt = max(attempt) over (partition by run_id)
        ),
        states as (
            select run_id, coalesce(status, 'planned') as status, stop_reason, coalesce(steps, 0) as steps, source
            from asked left join latest using (run_id)
        )
        select run_id, {STATE}, mine.pack_id, tries.attempts, source
        from states
        left join ends using (run_id)
        left join tries using (run_id)
        left join (select run_id, pack_id from study_runs where study = $study) as mine using (run_id)"""
    rows = store.sql(text, {"study": study, "asked": list(run_ids)}).to_arrow_table().to_pylist()
    return {row["run_id"]: row for row in rows}


def tries_of(store: Store, pack_ids: Set[str]) -> dict[str, int]:
    """How many tries at these packs the store knows, by their parts, `<pack>/<try>-<flush>.parquet`."""
    text = """
        select parse_dirpath(part) as pack_id, max(try_cast(split_part(parse_filename(part), '-', 1) as integer))
        from parts where pack_id in (select unnest($asked::varchar[])) group by pack_id"""
    return {pack_id: tries or 0 for pack_id, tries in store.sql(text, {"asked": list(pack_ids)}).fetchall()}


def checkpoints_of(store: Store, specs: Mapping[str, RunSpec], horizon: int) -> dict[str, tuple[str, int]]:
    """The furthest usable state of each run and its step: of the pack it is in, or of its own if it left one."""
    if not specs:
        return {}
    storage, own = storage_at(store.place), {run_state(run_id) for run_id in specs}
    names = [*states_below(storage, "packs"), *(name for name in states_below(storage, "runs") if name in own)]
    found: dict[str, tuple[str, int]] = {}
    for name, (run_ids, step) in readable(storage, names).items():
        for run_id in run_ids:
            if run_id in specs and step < horizon and (run_id not in found or found[run_id][1] < step):
                found[run_id] = (name, step)
    return found
