"""How far a study is, how fast it goes and when it will be done: from the heartbeats of its packs."""

import threading
import time
from collections.abc import Callable
from typing import Any

from study.plan.packing import PackPlan
from study.plan.plan import Plan
from study.train.pace import Pace
from study.train.phases_so_far import PhasesSoFar
from study.train.standing import Standing


class Progress:
    """Collects heartbeats; `say` gets the Standing with each of them, and when `show` is called.

    The share of the steps is that of the whole study, so that it goes on where an interrupted call stood. The rate is
    that of this call, from its first pack's start on: starting Ray says nothing about training.
    """

    def __init__(
        self,
        plan: Plan,
        say: Callable[[Standing], None],
        clock: Callable[[], float] = time.monotonic,
        total: int | None = None,
        phases: PhasesSoFar | None = None,
    ) -> None:
        """`total` is the number of runs in the end, where packs are added as the study goes on."""
        self.say, self.name, self.clock = say, plan.study.name, clock
        self.total, self.finished = max(total or 0, len(plan.runs)), set(plan.finished)
        self.horizon = plan.study.horizon
        self.steps: dict[str, int] = {}
        self.left = self.total * self.horizon - len(self.finished) * self.horizon
        """Steps that are left to train. Kept, as those of a hundred thousand runs take a while to add up."""
        self.trained = 0
        """Steps trained in this call."""
        self.errors: dict[str, str] = {}
        self.started = clock()
        self.pace, self.phases = Pace(), phases
        self.known: dict[str, PackPlan] = {}
        self.waiting: dict[str, float] = {}
        """Operations of each pack that no worker has begun."""
        self.compiling: set[str] = set()
        self.asked: set[str] = set(plan.finished)
        """Runs that are in a pack, or finished; a search asks for others later."""
        self.heard_at: float | None = None
        self.lock = threading.Lock()
        self._begin(plan)

    def add(self, plan: Plan) -> None:
        """More runs were planned; some of them may be finished, by another study."""
        with self.lock:
            for run_id in plan.finished:
                self._note(run_id, self.steps.get(run_id, 0), finished=True)
            self._begin(plan)

    def _begin(self, plan: Plan) -> None:
        """The plan's packs go on where they were left: this call has not trained that."""
        for pack in plan.packs:
            self.known[pack.pack_id] = pack
            self.waiting[pack.pack_id] = pack.flops
            self.asked |= set(pack.run_ids)
            for run_id in pack.run_ids:
                self._note(run_id, pack.start_step, finished=False)
                self.trained -= pack.start_step

    def _note(self, run_id: str, steps: int, finished: bool) -> None:
        """A run is at this step."""
        self.left -= self._left(run_id)
        self.trained += steps - self.steps.get(run_id, 0)
        self.steps[run_id] = steps
        if finished:
            self.finished.add(run_id)
        self.left += self._left(run_id)

    def _left(self, run_id: str) -> int:
        """Steps that a run is still to train."""
        return 0 if run_id in self.finished else self.horizon - self.steps.get(run_id, 0)

    def heard(self, message: dict[str, Any]) -> None:
        """A heartbeat of a pack: how far each of its runs is. `states` is empty when it begins."""
        with self.lock:
            self.heard_at = self.clock()
            if "error" in message:
                self.errors[message["pack_id"]] = message["error"]
            for run_id, (steps, status) in message["states"].items():
                self._note(run_id, steps, status == "finished")
            self._note_pack(message)
        self.show()

    def _note_pack(self, message: dict[str, Any]) -> None:
        """How far the pack itself is, and whether it compiles."""
        pack_id, pack = message["pack_id"], self.known.get(message["pack_id"])
        training = [steps for steps, status in message["states"].values() if status == "running"]
        start, flops = (pack.start_step, pack.flops) if pack else (0, 1.0)
        self.waiting.pop(pack_id, None)
        if message.get("compiling"):
            self.compiling.add(pack_id)
        elif max(training, default=self.horizon) > start or "error" in message:  # else it may compile its step now
            self.compiling.discard(pack_id)
        if "error" in message:
            self.pace.failed(pack_id)
            return
        ended = "compiling" not in message and not training
        steps = None if ended else max(training, default=start)
        self.pace.heard(self.heard_at or 0.0, self.trained, pack_id, steps, self.horizon, start, flops)

    def refresh(self, at_once: bool = False) -> None:
        """Say how things stand, with phases that are at most some seconds old. Not for the thread that trains."""
        self.look(at_once)
        self.show()

    def look(self, at_once: bool = False) -> None:
        """Ask the store for the phases so far, where that is not too early."""
        if self.phases is not None:
            self.phases.look(at_once)

    def show(self) -> None:
        """Say how things stand now."""
        with self.lock:
            self.say(self._standing(self.clock()))

    def _standing(self, now: float) -> Standing:
        return Standing(
            study=self.name,
            finished=len(self.finished),
            total=self.total,
            share=1 - self.left / (self.total * self.horizon),
            elapsed=now - self.started,
            started=self.heard_at is not None,
            rate=self.pace.rate(),
            seconds_left=self.pace.seconds_left(
                now, self.horizon, list(self.waiting.values()), (self.total - len(self.asked)) * self.horizon
            ),
            quiet=0.0 if self.heard_at is None else now - self.heard_at,
            failed=len(self.errors),
            phases=self.phases.counts if self.phases else {},
            compiling=len(self.compiling),
        )
