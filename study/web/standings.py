"""Where studies stand: runs by state and phase, and how fast they go just now."""

from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException

from study.store.database import Store
from study.store.status import counted, phases_by_study
from study.store.studies import own_definitions
from study.web.kept import Kept

SILENT_SECONDS = 120
"""A running attempt that nobody has heard of for so long is of a driver that is gone."""

STUDIES = """
    with training as (
        select study, count(distinct coalesce(attempts.pack_id, attempts.trial_id))::integer as packs,
            max(updated_at) as running_at
        from attempts join study_runs using (run_id) where status = 'running' group by study
    )
    select
        study,
        coalesce(spec ->> 'question', '') as question,
        coalesce(spec ->> 'search', 'null') <> 'null' as is_search,
        packs,
        running_at,
    from studies left join training using (study)
    where $study::varchar is null or study = $study"""


def standings(kept: Kept, study: str | None = None) -> list[dict[str, Any]]:
    """One row for each study (None: of all, the latest first), with `phases` as `Definition.legend`
    has them. What depends on the clock is of this moment: `heard_seconds`, and while it trains `packs`,
    `rate` in run-steps per second and `seconds_left`, None where there is no telling."""
    rows = kept.get(("standings", study), lambda: _made(kept, study))
    now = datetime.now(UTC).replace(tzinfo=None)
    return [row | _times(row, now) for row in rows]


def row_of(kept: Kept, name: str) -> dict[str, Any]:
    """The study's row of the first page; 404 where the store has no such study."""
    if found := standings(kept, name):
        return found[0]
    raise HTTPException(404, f"This store has no study {name[:100]!r}.")


def is_silent(heard_at: datetime | None, now: datetime) -> bool:
    """True where a driver that was heard of at this time, in UTC, is gone."""
    return heard_at is None or (now - heard_at).total_seconds() > SILENT_SECONDS


def _times(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    heard = (now - row["heard_at"]).total_seconds() if row["heard_at"] else None
    silent = is_silent(row["running_at"], now)
    rate = None if silent else row["rate"]
    left = None if rate is None or row["is_search"] else row["steps_left"] / rate  # a search asks for more
    return {"heard_seconds": heard, "packs": None if silent else row["packs"], "rate": rate, "seconds_left": left}


def _made(kept: Kept, study: str | None) -> list[dict[str, Any]]:
    store: Store = kept.store
    with store.together():
        told = {row["study"]: row for row in store.sql(STUDIES, {"study": study}).to_arrow_table().to_pylist()}
        rows = [row | told[row["study"]] for row in counted(store, study)]
        known = own_definitions(store, study)
        counts = phases_by_study(store, {row["study"]: known[row["study"]] for row in rows})
    rows.sort(key=lambda row: row["heard_at"] or datetime.min, reverse=True)
    for row in rows:
        row["phases"] = known[row["study"]].legend(counts[row["study"]])
        row["rate"] = kept.pace.heard(row["study"], row["steps"])
    return rows
