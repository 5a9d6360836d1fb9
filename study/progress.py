"""One line that says how far a study is, how fast it goes and when it will be done."""

import threading
import time
from collections.abc import Callable
from typing import Any

from study.plan import Plan


class Progress:
    """Collects heartbeats; `say` gets the line, at most as often as `show` is called.

    The share of the steps is that of the whole study, so that it goes on where an interrupted call stood. The rate is
    that of this call, from its first pack's start to the last heartbeat: starting Ray says nothing about training.
    """

    def __init__(
        self,
        plan: Plan,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        total: int | None = None,
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
        self.training_since: float | None = None
        self.heard_at = self.started
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
            if self.training_since is None:
                self.training_since = self.heard_at
            if "error" in message:
                self.errors[message["pack_id"]] = message["error"]
            for run_id, (steps, status) in message["states"].items():
                self._note(run_id, steps, status == "finished")
        self.show()

    def show(self) -> None:
        """Say the line now."""
        with self.lock:
            now = self.clock()
            share = 1 - self.left / (self.total * self.horizon)
            if self.training_since is None:
                outlook = "starting workers"
            elif self.trained > 0 and self.heard_at > self.training_since:
                rate = self.trained / (self.heard_at - self.training_since)
                seconds_left = max(0.0, self.left / rate - (now - self.heard_at))
                outlook = f"{rate:,.0f} run-steps/s - {duration(seconds_left)} left"
            else:
                outlook = "training"
            failed = f" - {len(self.errors)} packs failed" if self.errors else ""
            line = f"{len(self.finished)}/{self.total} runs - {share:.0%} of the steps"
            self.say(f"{self.name}: {line} - {duration(now - self.started)} - {outlook}{failed}")


def duration(seconds: float) -> str:
    """`45s`, `3m20s`, `2h05m`, `3d04h`."""
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days}d{hours % 24:02}h"
    if hours:
        return f"{hours}h{minutes % 60:02}m"
    return f"{minutes}m{whole % 60:02}s" if minutes else f"{whole}s"
