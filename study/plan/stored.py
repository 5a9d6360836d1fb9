"""Specs from what a store keeps of a study: the only place of a search, and of a study whose file is elsewhere."""

import json
from pathlib import Path

from study.plan.plan import PlannedRun, planned_runs
from study.spec import CATALOG, StudySpec, find
from study.store.database import Store
from study.store.stored_json import check_point
from study.store.studies import stored_names, stored_spec
from trainables.components import available, closest
from trainables.errors import SpecError
from trainables.spec import RunSpec

ASKED = """
    select run_id, run_specs.spec, study_runs.point
    from study_runs join run_specs using (run_id)
    where study = ? order by study_runs.planned_at, run_id"""


def stored_study(store: Store, study: str) -> StudySpec:
    """The study as the store has it, whether it came from the catalog, a file or a search; SpecError for another."""
    store.check_known(study)
    spec = stored_spec(store, study)
    assert spec is not None
    try:
        return StudySpec.from_json(spec, study)
    except SpecError as error:  # of the base alone: a study's own names it
        raise SpecError(str(error) if str(error).startswith("study ") else f"study {study!r}: {error}") from None
    except (TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise SpecError(f"study {study!r} was stored by another version ({error}): run it from its file.") from None


def find_study(study: str, folder: str | Path) -> StudySpec:
    """The study of the catalog, of a file, or of the store in `folder` if there is one; SpecError for none of them."""
    if study.endswith(".py") or study in available(CATALOG):
        return find(study)
    stored = stored_names(folder)
    if study in stored:
        return stored_study(Store.open(folder), study)
    if not stored:
        return find(study)  # which says that there is none
    raise SpecError(
        f"study {study!r} is neither in the catalog nor in store '{folder}' (a path must end in .py). "
        f"{closest(study, sorted({*available(CATALOG), *stored}), '`study list` shows all.')}"
    )


def asked_runs(store: Store, study: str) -> list[PlannedRun]:
    """The runs that the store has planned for a study, in the order in which they were asked for."""
    return [planned_run(study, *row) for row in store.sql(ASKED, [study]).fetchall()]


def planned_run(study: str, run_id: str, spec: str, point: str) -> PlannedRun:
    """A run as the store has planned it for a study; SpecError where its spec cannot be one."""
    try:
        return PlannedRun(run_id, RunSpec.from_json(json.loads(spec)), check_point(study, point))
    except (ValueError, RecursionError) as error:  # a SpecError is a ValueError, and so is JSON that cannot be read
        raise SpecError(f"study {study!r}: run {run_id} cannot be read from this store: {error}") from None


def runs_of(study: StudySpec, store: Store | None, limit: int | None = None) -> list[PlannedRun]:
    """The study's runs, at most `limit`: those that its axes make, or those that a search has asked for by now."""
    if study.search is None and not study.absent:
        return planned_runs(study, limit)
    return asked_runs(store, study.name)[:limit] if store else []


def check_here(study: StudySpec) -> None:
    """SpecError for a stored study whose parts are a user's own, and are not imported."""
    if study.absent:
        raise SpecError(
            f"study {study.name!r} has parts of your own: {', '.join(study.absent)}. A name alone imports nothing, so "
            f"give the study's file, as in {study.name}.py; where it is of another version, that which the store has."
        )
