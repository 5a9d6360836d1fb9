"""The runs that a search has asked for and their results, read from the store: one `Seen` per run."""

import math
import tempfile
from typing import Any

from study.plan.done import has_ended
from study.plan.known import STATE
from study.plan.plan import PlannedRun
from study.plan.same import changed
from study.plan.stored import asked_runs
from study.search.request import Search
from study.search.space import Seen
from study.store.database import Store
from study.store.studies import stored_spec
from trainables.components import closest
from trainables.errors import SpecError

STATES = f"""
    select run_id, {STATE}
    from runs left join ends using (run_id) semi join (select unnest(?::varchar[]) as run_id) using (run_id)"""


class Past:
    """The runs of a search, in the order in which they were asked for. Their results come from the store alone."""

    def __init__(self, search: Search, store: Store, pruning: bool = False) -> None:
        self.search, self.store, self.pruning = search, store, pruning
        check_same(search, store)
        self.runs: dict[str, PlannedRun] = {
            run.run_id: run for run in asked_runs(store, search.study.name) if not run.spec.absent
        }
        self.known: dict[str, Seen] = {}
        """Finished runs. They no longer change, so the outcomes of thousands are not queried again."""

    def seen(self) -> list[Seen]:
        """Every run that was asked for, with the results of those that are finished by now."""
        study = self.search.study
        open_runs = [run_id for run_id in self.runs if run_id not in self.known]
        rows = self.store.sql(STATES, [open_runs]).to_arrow_table().to_pylist()
        ended = [row for row in rows if has_ended(row, study.horizon, self.pruning, study.leave_when_generalized)]
        if ended:
            results = self._results([row["run_id"] for row in ended])
            for row in ended:
                self.known[row["run_id"]] = self._seen(row["run_id"], results.get(row["run_id"], {}))
        return [self.known.get(run_id) or Seen(run.point, finished=False) for run_id, run in self.runs.items()]

    def _seen(self, run_id: str, facts: dict[str, Any]) -> Seen:
        value, phase = facts.get("value"), facts.get("phase")
        if facts.get("stop_reason") == "diverged":
            value = None  # what it had before, such as the norm of its initial weights, is no optimum
        value = float(value) if value is not None and math.isfinite(value) else None
        if value is not None and self.search.objective and self.search.objective.startswith("max:"):
            value = -value
        positive = None if phase in (None, "unresolved") else phase in self.search.phases
        return Seen(self.runs[run_id].point, True, value, positive, facts.get("step"))

    def _results(self, run_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Objective, first passage and phase of those of these runs that have finished."""
        column = self.search.objective.partition(":")[2] if self.search.objective else None
        listed = ", ".join(f"'{run_id}'" for run_id in run_ids)  # constants, so that filters come first
        text = f"""
            select run_id, {f'outcomes."{column}"::double' if column else "null"} as value,
                outcomes.test_step_90::double as step, phases.phase, outcomes.stop_reason,
            from outcomes left join phases using (run_id)
            where outcomes.status = 'finished' and phases.definition = ?
                and outcomes.run_id in ({listed}) and phases.run_id in ({listed})"""
        study = self.search.study
        store = self.store.of(study.name, definition=study.phase_definition)
        rows = store.sql(text, [study.definition]).to_arrow_table().to_pylist()
        return {row["run_id"]: row for row in rows}


def check_same(search: Search, store: Store) -> None:
    """SpecError if another study in the store has this name, because their points would not lie in one space."""
    stored, asked = stored_spec(store, search.study.name), search.study.to_json()
    if stored is None:
        return
    change = changed(stored, asked)
    if not change and stored["search"]["over"] != asked["search"]["over"]:
        change = "other axes"
    if change:
        raise SpecError(
            f"--name {search.study.name!r} is taken in this store, by a study with {change}. "
            f"Take another --name, or repeat that study's own options."
        )


def check_objective(search: Search) -> None:
    """SpecError unless the objective is a numeric column of `outcomes`.

    The columns come from a temporary store, so that a mistyped objective does not create one.
    """
    if search.objective is None:
        return
    numbers = "'DOUBLE', 'BIGINT', 'INTEGER', 'FLOAT', 'BOOLEAN'"
    text = f"select column_name from (describe outcomes) where column_type in ({numbers}) order by 1"
    with tempfile.TemporaryDirectory() as folder:
        known = [name for (name,) in Store.open(folder, write=True).sql(text).fetchall()]
    column = search.objective.partition(":")[2]
    if column not in known:
        near = closest(column, known, '`study sql "describe outcomes"` shows all.')
        raise SpecError(f"--objective {search.objective!r}: {column!r} is no number of outcomes. {near}")
