"""What a search has asked for and what came of it, read from the store: `Seen`, one per run."""

import json
import math
import tempfile
from typing import Any

from study.packing import is_done
from study.plan import PlannedRun
from study.search import Search
from study.space import Seen
from study.store import Store
from study.stored import asked_runs
from trainables.components import closest
from trainables.errors import SpecError

STATES = """
    select run_id, status, stop_reason, steps
    from runs semi join (select unnest(?::varchar[]) as run_id) using (run_id)"""


class Past:
    """The runs of a search, in the order in which they were asked for. The store is the truth of what came of them."""

    def __init__(self, search: Search, store: Store, pruning: bool = False) -> None:
        self.search, self.store, self.pruning = search, store, pruning
        check_same(search, store)
        self.runs: dict[str, PlannedRun] = {run.run_id: run for run in asked_runs(store, search.study.name)}
        self.known: dict[str, Seen] = {}
        """Runs that are finished: they do not change any more, and outcomes of thousands are not asked for again."""

    def seen(self) -> list[Seen]:
        """Every run that was asked for, with all that is finished by now."""
        horizon = self.search.study.horizon
        open_runs = [run_id for run_id in self.runs if run_id not in self.known]
        rows = self.store.sql(STATES, [open_runs]).to_arrow_table().to_pylist()
        ended = [row for row in rows if is_done(row, horizon, self.pruning) or row["status"] == "failed"]
        if ended:
            results = self._results([row["run_id"] for row in ended])
            for row in ended:
                run_id = row["run_id"]
                facts = results.get(run_id, {}) if row["status"] == "finished" else {}
                self.known[run_id] = self._seen(run_id, facts)
        return [self.known.get(run_id) or Seen(run.point, finished=False) for run_id, run in self.runs.items()]

    def _seen(self, run_id: str, facts: dict[str, Any]) -> Seen:
        value, phase = facts.get("value"), facts.get("phase")
        value = float(value) if value is not None and math.isfinite(value) else None
        if value is not None and self.search.objective and self.search.objective.startswith("max:"):
            value = -value
        positive = None if phase in (None, "unresolved") else phase in self.search.phases
        return Seen(self.runs[run_id].point, True, value, positive, facts.get("step"))

    def _results(self, run_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Objective, first passage and phase of these runs."""
        column = self.search.objective.partition(":")[2] if self.search.objective else None
        listed = ", ".join(f"'{run_id}'" for run_id in run_ids)  # constants: they are looked for before curves are made
        text = f"""
            select run_id, {f'outcomes."{column}"::double' if column else "null"} as value,
                outcomes.test_step_90::double as step, phases.phase,
            from outcomes left join phases using (run_id)
            where phases.definition = ? and outcomes.run_id in ({listed}) and phases.run_id in ({listed})"""
        rows = self.store.sql(text, [self.search.study.definition]).to_arrow_table().to_pylist()
        return {row["run_id"]: row for row in rows}


def check_same(search: Search, store: Store) -> None:
    """SpecError for a store where another study has this name: their points would not lie in one space."""
    stored = store.sql("select spec from studies where study = ?", [search.study.name]).fetchall()
    if not stored:
        return
    about, asked = json.loads(stored[0][0]), search.study.to_json()
    over, sought = about.get("search", {}).get("over"), asked["search"]["over"]
    for what, old, new in (("other axes", over, sought), ("another base run", about["base"], asked["base"])):
        if old != new:
            raise SpecError(
                f"--name {search.study.name!r} is taken in this store, by a study with {what}. "
                f"Take another --name, or repeat that study's own options."
            )


def check_objective(search: Search) -> None:
    """SpecError for an objective that is no number of `outcomes`. Asks a store of its own: a mistake leaves none."""
    if search.objective is None:
        return
    numbers = "'DOUBLE', 'BIGINT', 'INTEGER', 'FLOAT', 'BOOLEAN'"
    text = f"select column_name from (describe outcomes) where column_type in ({numbers}) order by 1"
    with tempfile.TemporaryDirectory() as folder:
        known = [name for (name,) in Store.open(folder, write=True).sql(text).fetchall()]
    column = search.objective.partition(":")[2]
    if column not in known:
        raise SpecError(
            f"--objective {search.objective!r}: {column!r} is no number of outcomes. {closest(column, known)}"
        )
