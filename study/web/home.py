"""The first page: every study of the store, how far it is, how fast it goes, and its runs by phase."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from study.store.database import Store
from study.store.status import phases_by_study
from study.store.studies import own_definitions, source_notes
from study.web.pace import Pace
from study.web.pages import page

SILENT_SECONDS = 120
"""A running attempt that nobody has heard of for so long is of a driver that is gone."""

STUDIES = """
    with heard as (
        select run_id, max(updated_at) as updated_at, arg_max(error, updated_at) as error from attempts group by run_id
    ),
    standing as (
        select study, run_id, observed.status, cut, list_max(study_runs.horizons) as asked, steps, chance_accuracy
        from study_runs join observed using (study, run_id) join runs using (run_id)
    ),
    training as (
        select study, count(distinct coalesce(attempts.pack_id, attempts.trial_id))::integer as packs
        from attempts join study_runs using (run_id)
        where attempts.status = 'running' and attempts.updated_at > $now::timestamp - to_seconds($silent::integer)
        group by study
    )
    select
        study,
        coalesce(any_value(studies.spec ->> 'question'), '') as question,
        any_value(studies.spec -> 'search') is not null
            and any_value(studies.spec ->> 'search') <> 'null' as is_search,
        coalesce(json_keys(any_value(studies.spec), '$.axes'), []) as axes,
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
        arg_max(heard.error, heard.updated_at) as last_error,
    from standing
    join studies using (study)
    left join heard using (run_id)
    left join training using (study)
    group by study order by heard_at desc nulls last, study"""


def home(request: Request) -> HTMLResponse:
    """Every study of the store."""
    kept = request.app.state.kept
    studies = kept.get("studies", lambda: studies_of(kept.store, kept.pace))
    return page(request, "home.html", studies=studies, notes=kept.get("notes", lambda: source_notes(kept.store)))


def studies_of(store: Store, pace: Pace) -> list[dict[str, Any]]:
    """One row per study, the latest first, with `phases`: name, runs, colour and words of each, in the definition's
    order."""
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = store.sql(STUDIES, {"now": now, "silent": SILENT_SECONDS}).to_arrow_table().to_pylist()
    known = own_definitions(store)
    counts = phases_by_study(store, known)
    for row in rows:
        definition, found = known[row["study"]], counts[row["study"]]
        row["definition"] = definition.name
        row["phases"] = [
            {"name": phase.name, "runs": found[phase.name], "color": phase.color, "words": phase.words}
            for phase in definition.phases
            if phase.name in found
        ]
        row["heard_seconds"] = (now - row["heard_at"]).total_seconds() if row["heard_at"] else None
        row["rate"] = pace.heard(row["study"], row["steps"]) if row["packs"] else None
        row["seconds_left"] = row["steps_left"] / row["rate"] if row["rate"] else None
    return rows
