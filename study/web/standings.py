"""Where studies stand: runs by state and phase, and how fast they go just now."""

from datetime import UTC, datetime
from typing import Any

from study.store.database import Store
from study.store.status import phases_by_study
from study.store.studies import own_definitions
from study.web.kept import Kept

SILENT_SECONDS = 120
"""A running attempt that nobody has heard of for so long is of a driver that is gone."""

STUDIES = """
    with heard as (select run_id, max(updated_at) as updated_at from attempts group by run_id),
    standing as (
        select study, run_id, observed.status, cut, list_max(study_runs.horizons) as asked, steps, chance_accuracy,
            runs.error
        from study_runs join observed using (study, run_id) join runs using (run_id)
        where $study::varchar is null or study = $study
    ),
    training as (
        select study, count(distinct coalesce(attempts.pack_id, attempts.trial_id))::integer as packs,
            max(attempts.updated_at) as running_at
        from attempts join study_runs using (run_id) where attempts.status = 'running' group by study
    )
    select
        study,
        coalesce(any_value(studies.spec ->> 'question'), '') as question,
        any_value(studies.spec -> 'search') is not null
            and any_value(studies.spec ->> 'search') <> 'null' as is_search,
        count(*)::integer as runs,
        count(*) filter (where status = 'finished' and cut = asked)::integer as finished,
        count(*) filter (where status = 'finished' and cut < asked)::integer as earlier,
        count(*) filter (where status = 'running')::integer as running,
        count(*) filter (where status = 'failed')::integer as failed,
        count(chance_accuracy) > 0 as has_accuracy,
        sum(if(status = 'failed' or status = 'finished' and cut = asked, 0, greatest(0, asked - steps)))::double
            as steps_left,
        sum(steps)::double as steps,
        max(heard.updated_at) as heard_at,
        any_value(training.packs) as packs,
        any_value(training.running_at) as running_at,
        arg_max(error, heard.updated_at) as last_error,
    from standing
    join studies using (study)
    left join heard using (run_id)
    left join training using (study)
    group by study order by heard_at desc nulls last, study"""


def standings(kept: Kept, study: str | None = None) -> list[dict[str, Any]]:
    """One row for each study (None: of all, the latest first), with `phases` as `Definition.legend`
    has them. What depends on the clock is of this moment: `heard_seconds`, and while it trains `packs`,
    `rate` in run-steps per second and `seconds_left`, None where there is no telling."""
    rows = kept.get(("standings", study), lambda: _made(kept, study))
    now = datetime.now(UTC).replace(tzinfo=None)
    return [row | _times(row, now) for row in rows]


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
    rows = store.sql(STUDIES, {"study": study}).to_arrow_table().to_pylist()
    known = own_definitions(store, study)
    counts = phases_by_study(store, {row["study"]: known[row["study"]] for row in rows})
    for row in rows:
        row["phases"] = known[row["study"]].legend(counts[row["study"]])
        row["rate"] = kept.pace.heard(row["study"], row["steps"])
    return rows
