"""Which pack of a search is next? Asked whenever a worker is free, answered from all runs that are finished by then.

There are no rounds, so nothing waits for a straggler: while a pack trains, the sampler sees its runs as unfinished and
continues from the others. One suggestion is one pack, unless its points differ in shape; then the further packs wait
for the next free workers.
"""

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from study.plan.known import known_runs
from study.plan.packing import Machine, PackPlan
from study.plan.plan import Plan, PlannedRun, plan_runs
from study.plan.write import write
from study.search.boundary.width import has_width, width
from study.search.history import Past
from study.search.request import Search
from study.search.space import Seen
from study.spec import Point, point_key, sampler_of
from study.store.database import Store
from trainables.device import PROFILES
from trainables.errors import SpecError

ROUNDS = 6
"""Smallest number of suggestions in each worker's share of a search, because a sampler learns between them."""
PATIENCE = 1000
"""So many points in a row that cannot be run end a search."""


@dataclass(frozen=True)
class Outcome:
    """How a search has ended."""

    why: str
    sought: bool = False
    """True where it looked for a boundary."""
    band_width: float | None = None
    """Of the boundary's 95% band, in ranges of the axes; None where no boundary was found, or sought."""
    passed_over: int = 0
    """Points that this call's sampler suggested and that cannot be run."""
    because: str = ""
    """Why the first of them cannot."""

    def __str__(self) -> str:
        parts = [self.why]
        if self.passed_over:
            points = f"{self.passed_over:,} point{'s' * (self.passed_over > 1)}"
            parts.append(f"{points} that cannot be run passed over ({self.because.rstrip('.')})")
        if self.sought and self.band_width is None:
            parts.append("no boundary was found")
        if self.sought and self.band_width is not None:
            parts.append(f"the boundary's band is {self.band_width:.1%} of the axes wide")
        return "; ".join(parts)


class Handout:
    """The packs of one search on one machine. `planned` is called with each new plan before its packs are trained."""

    def __init__(
        self, search: Search, store: Store, machine: Machine, pack_size: int | None, pruning: bool = False
    ) -> None:
        self.search, self.store, self.machine = search, store, machine
        self.study, self.pack_size = search.study, pack_size
        self.past, self.pruning = Past(search, store, pruning), pruning
        self.planned: Callable[[Plan], None] = lambda plan: None
        self.num_runs = pack_size or batch_runs(search, machine)
        self.ended = ""
        """Why the search has ended; '' while it goes on."""
        self.refused: dict[str, tuple[Point, str]] = {}
        """Points that a spec refuses, by their key, with the reason. A new call draws and passes over them again."""
        # Runs that an earlier call has asked for and not finished come first, in their old packs.
        before = self.plan()
        self.waiting = list(before.packs)
        if _is_new(before, store):
            write(before, store)

    def plan(self) -> Plan:
        """All runs that were asked for, and packs of those that are not finished."""
        runs = list(self.past.runs.values())
        return plan_runs(self.study, runs, self.store, self.machine, self.pack_size, pruning=self.pruning)

    def has_more(self) -> bool:
        """True if there is a pack to train; asks the sampler if no pack is waiting."""
        if not self.waiting:
            self.waiting = self._ask()
        return bool(self.waiting)

    def next(self) -> PackPlan | None:
        """The pack for a worker that is free now; None if there is none at the moment."""
        return self.waiting.pop(0) if self.has_more() else None

    def outcome(self) -> Outcome:
        """Why the search has ended, and how well it knows the boundary, where it looked for one."""
        refused = {"passed_over": len(self.refused), "because": next((why for _, why in self.refused.values()), "")}
        if self.search.objective is not None or not has_width(self.search.space):
            return Outcome(self.ended, **refused)
        known = width(self.search.space, self.past.seen())
        found = known > 0 and math.isfinite(known)
        return Outcome(self.ended, sought=True, band_width=known if found else None, **refused)

    def _ask(self) -> list[PackPlan]:
        """Packs of the sampler's next points, which are in the store's plan before they are trained.

        [] if there is nothing to train; `ended` then says why.
        """
        until = self.search.until_width
        while (left := self.search.runs - len(self.past.runs)) > 0:
            self.store.ingest()  # may bring in nothing while somebody reads: then the sampler knows a little less
            seen = self.past.seen()
            if until is not None and width(self.search.space, seen) <= until:
                self.ended = f"the boundary is known as well as was asked for, to {until:.1%} of the axes"
                return []
            count = max(1, min(self.num_runs, left) // self.study.seeds)
            runs = self._new_runs(self._suggested(seen, count))[:left]
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
            if plan.packs:  # none if other studies have trained all of these runs
                return list(plan.packs)
        self.ended = f"the budget of {self.search.runs:,} runs is spent"
        return []

    def _suggested(self, seen: list[Seen], count: int) -> list[Point]:
        """Up to `count` of the sampler's points that can be run; to it, the others have ended without a result."""
        sampler, found, in_vain = sampler_of(self.search.sampler), list[Point](), 0
        while len(found) < count and in_vain < PATIENCE:
            refused = [Seen(point, finished=True) for point, _ in self.refused.values()]
            known = [*seen, *refused, *(Seen(point, finished=False) for point in found)]
            points = sampler.suggest(self.search.space, known, random.Random(0), count - len(found))
            fit = [point for point in points if self._can_be_run(point)]
            found += fit
            if len(fit) == len(points):  # all that there are, too
                break
            in_vain = 0 if fit else in_vain + len(points)
        return found

    def _can_be_run(self, point: Point) -> bool:
        try:
            self.study.run(point, 0)
        except SpecError as error:
            self.refused[point_key(point)] = (point, str(error))
            return False
        return True

    def _new_runs(self, points: list[Point]) -> list[PlannedRun]:
        """`seeds` more runs at each point, whose seeds follow those that the point has."""
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
    """Runs per suggestion: a power of two, large enough for efficient packs and small enough to learn between them."""
    share = max(1, search.runs // (ROUNDS * machine.workers))
    most = min(max(share, search.study.seeds), PROFILES[machine.device].largest_pack)
    return 1 << (most.bit_length() - 1)


def _is_new(plan: Plan, store: Store) -> bool:
    """True if the store does not have these packs, or has them with a shorter horizon."""
    known = known_runs(store, plan.study.name, [run.run_id for run in plan.runs])
    moved = any(known[run_id]["pack_id"] != pack.pack_id for pack in plan.packs for run_id in pack.run_ids)
    text = "select coalesce(max(horizon), 0)::bigint from study_runs where study = ?"
    [(horizon,)] = store.sql(text, [plan.study.name]).fetchall()
    return bool(plan.packs) and (moved or horizon < plan.study.horizon)
