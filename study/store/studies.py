"""The studies of a store by name, without what trains them: reading commands answer before torch would be imported."""

import json
from pathlib import Path
from typing import Any

from study.store.database import FILE, Store
from trainables.errors import SpecError


def stored_names(folder: str | Path) -> list[str]:
    """Names of the studies in the store in `folder`; none where there is no store."""
    if not (Path(folder) / FILE).exists():
        return []
    return [name for (name,) in Store.open(folder).sql("select study from studies order by 1").fetchall()]


def stored_spec(store: Store, study: str) -> dict[str, Any] | None:
    """What the store keeps of a study, as its `to_json`; None if it has none of this name."""
    found = store.sql("select spec from studies where study = ?", [study]).fetchall()
    return json.loads(found[0][0]) if found else None


def judged(store: Store, study: str, horizon: int | None) -> Store:
    """The store as the study has it, with its runs judged at `horizon` steps (None: see `Store.of`); SpecError for a
    study that this store has no plan of, and where no run was observed so far."""
    store.check_known(study)
    scoped = store.of(study, horizon)
    if horizon is not None:
        text = """select max(steps), count(*) filter (where steps >= ?)
            from runs semi join (from study_runs where study = ?) using (run_id)"""
        [(longest, reached)] = scoped.sql(text, [horizon, study]).fetchall()
        if not reached:
            raise SpecError(
                f"--at-horizon {horizon}: no run of study {study!r} was observed so far; "
                f"the longest has {longest or 0} steps."
            )
    return scoped
