"""Which pack of a search is next: asked when a worker is free, answered from all that is finished by then.

No round waits for a straggler: while one pack trains, the sampler knows its runs as unfinished and goes on with the
others. One suggestion is one pack, unless its points differ in shape; then its packs wait for the next free workers.
"""

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from study.boundary_width import has_width, width
from study.packing import LARGEST_PACK, Machine, PackPlan
from study.past import Past
from study.plan import Plan, PlannedRun, known_runs, plan_runs, write
from study.search import Search
from study.spec import Point, point_key
from study.store import Store
from trainables.components import load

ROUNDS = 6
"""Suggestions that each worker's share of a search is cut into, at least: a sampler learns between them."""


class Handout:
    """The packs of one search on one machine. `planned` gets each new plan before its packs are handed out."""

    def __init__(
        self, search: Search, store: Store, machine: Machine, pack_size: int | None, pruning: bool = False
    ) -> None:
        self.search, self.store, self.machine = search, store, machine
        self.study, self.pack_size = search.study, pack_size
        self.past, self.pruning = Past(search, store, pruning), pruning
        self.planned: Callable[[Plan], None] = lambda plan: None
        self.num_runs = pack_size or batch_runs(search, machine)
        self.ended = ""
        """Why there is no more to ask for; '' while there is."""
        # What an earlier call has asked for and not finished comes first, in the packs that it was in.
        before = self.plan()
        self.waiting = list(before.packs)
        if _is_new(before, store):
            write(before, store)

    def plan(self) -> Plan:
        """All runs that were asked for, and the packs of those that are not finished."""
        runs = list(self.past.runs.values())
        return plan_runs(self.study, runs, self.store, self.machine, self.pack_size, pruning=self.pruning)

    def has_more(self) -> bool:
        """True if there is a pack to train; it may ask the sampler."""
        if not self.waiting:
            self.waiting = self._ask()
        return bool(self.waiting)

    def next(self) -> PackPlan | None:
        """The pack for a worker that is free now; None if there is none as things stand."""
        return self.waiting.pop(0) if self.has_more() else None

    def outcome(self) -> str:
        """Why the search has ended, and how well it knows the boundary, where it looked for one."""
        if self.search.objective is not None or not has_width(self.search.space):
            return self.ended
        known = width(self.search.space, self.past.seen())
        if known == 0 or math.isinf(known):
            return f"{self.ended}; no boundary was found"
        return f"{self.ended}; the boundary's band is {known:.1%} of the axes wide"

    def _ask(self) -> list[PackPlan]:
        """Packs of the sampler's next points, in the store's plan before anyone trains them; empty when the search
        is over, and then `ended` says why."""
        sampler, until = load("study.samplers", self.search.sampler), self.search.until_width
        while (left := self.search.runs - len(self.past.runs)) > 0:
            self.store.ingest()  # if somebody reads just now, the sampler knows a little less
            seen = self.past.seen()
            if until is not None and width(self.search.space, seen) <= until:
                self.ended = f"the boundary is known as well as was asked for, to {until:.1%} of the axes"
                return []
            count = max(1, min(self.num_runs, left) // self.study.seeds)
            points = sampler.suggest(self.search.space, seen, random.Random(self.search.seed), count)
            runs = self._new_runs(points)[:left]
            if not runs:
                self.ended = f"{self.search.sampler} has no more points in this space"
                return []
            plan = plan_runs(
                self.study,
                runs,
                self.store,
                replace(self.machine, workers=1),  # one pack for the one worker that is free
                self.pack_size,
                all_runs=max(len(runs), self.search.runs // self.machine.workers),
                pruning=self.pruning,
            )
            write(plan, self.store)
            self.past.runs |= {run.run_id: run for run in runs}
            self.planned(plan)
            if plan.packs:  # else other studies have trained them all
                return list(plan.packs)
        self.ended = f"the budget of {self.search.runs:,} runs is spent"
        return []

    def _new_runs(self, points: list[Point]) -> list[PlannedRun]:
        """`seeds` more runs at each point, with the seeds that follow those it has."""
        taken = Counter(point_key(run.point) for run in self.past.runs.values())
        runs: dict[str, PlannedRun] = {}
        for point in points:
            for _ in range(self.study.seeds):
                spec = self.study.run(point, taken[point_key(point)])
                taken[point_key(point)] += 1
                if spec.run_id not in self.past.runs:
                    runs[spec.run_id] = PlannedRun(spec.run_id, spec, point)
        return list(runs.values())


def batch_runs(search: Search, machine: Machine) -> int:
    """Runs of one suggestion: a power of two, large enough to train well together, small enough to learn from."""
    share = max(1, search.runs // (ROUNDS * machine.workers))
    most = min(max(share, search.study.seeds), LARGEST_PACK[machine.device])
    return 1 << (most.bit_length() - 1)


def _is_new(plan: Plan, store: Store) -> bool:
    """True if the store does not know the plan's packs as they are, or knows them for a shorter horizon."""
    known = known_runs(store, plan.study.name, [run.run_id for run in plan.runs])
    moved = any(known[run_id]["pack_id"] != pack.pack_id for pack in plan.packs for run_id in pack.run_ids)
    text = "select coalesce(max(horizon), 0)::bigint from study_runs where study = ?"
    [(horizon,)] = store.sql(text, [plan.study.name]).fetchall()
    return bool(plan.packs) and (moved or horizon < plan.study.horizon)
