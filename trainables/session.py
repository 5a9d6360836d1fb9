"""The bookkeeping of one call of `train_pack`: what was observed since the last flush, which runs leave and why, and
whose time it was.
"""

# R runs, W weights

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trainables.checkpoint import Checkpoint
from trainables.evaluation import ABSENT
from trainables.examine import columns, examine
from trainables.observation import Observation
from trainables.pack import Pack
from trainables.records import Flush, Row, RunState, metric_columns
from trainables.spec import RunSpec

GENERALIZED = 0.99
"""Test accuracy at which a run counts as generalized for leaving early."""
CHECKPOINT_SHARE = 0.05
"""At most this share of wall time goes into checkpoints; saving a large model takes seconds."""

SPANS = ("prepare", "compile", "evaluate", "save")
"""What of a pack's time a RunState tells apart."""

Prune = Callable[[int, dict[str, float]], set[str]]
"""Asked at every evaluation, with the step and the test accuracies of the runs that would go on, which of them end."""


class Session:
    """A pack while it trains, and what has been observed of it."""

    def __init__(
        self,
        pack: Pack,
        specs: Sequence[RunSpec],
        horizon: int,
        record: Callable[[Flush], None],
        observe: Observation,
        prune: Prune | None,
    ) -> None:
        self.pack, self.horizon, self.record, self.observe, self.prune = pack, horizon, record, observe, prune
        self.timer = pack.timer
        self.specs = {spec.run_id: spec for spec in specs}
        self.states = {run_id: RunState(run_id, horizon, pack.step) for run_id in pack.run_ids}
        self.unflushed = dict(self.states)
        self.rows: list[Row] = []
        self.left: list[Checkpoint] = []
        self.findings: dict[str, list[Any]] = {}
        self.snapshots: list[Checkpoint] = []
        self.next_checkpoint_at = 0.0
        self.flushed_at = time.monotonic()

    def look(self, with_probes: bool, keep: bool) -> None:
        """Run the mechanistic probes on every run, and keep its weights, as asked."""
        self.pack.wait()  # else the time of steps would count as that of the evaluation
        for run_id in self.pack.run_ids if with_probes or keep else ():
            weights_W = self.pack.weights_of(run_id)
            if with_probes:
                with self.timer.within("evaluate"):
                    found = examine(self.specs[run_id], weights_W, self.observe.probes)
                for name, column in columns(run_id, self.pack.step, found).items():
                    self.findings.setdefault(name, []).extend(column)
            if keep:
                with self.timer.within("save"):
                    kept = {"weights": weights_W[None].cpu().clone()}
                self.snapshots.append(Checkpoint([run_id], self.pack.step, kept, self.pack.layout.digest))

    def evaluate(self) -> None:
        """Record every metric of every run at this step, and let the runs go that are done."""
        step, run_ids = self.pack.step, list(self.pack.run_ids)
        with self.timer.within("evaluate"):
            values = self.pack.evaluate()
        for (split, metric), values_R in values.items():
            self.rows.append((run_ids, step, split, metric, values_R))
        reasons = self._reasons(values)
        if any(reasons):
            gone = [i for i, reason in enumerate(reasons) if reason]
            for i in gone:
                state = self.states[run_ids[i]]
                state.status, state.stop_reason = "finished", reasons[i]
            with self.timer.within("save"):
                whole = self.pack.checkpoint(gone)
                self.left += [whole.select([run_ids[i]]) for i in gone]
            self._share_time()  # with those that leave
            self.pack.keep([i for i, reason in enumerate(reasons) if not reason])
            self.flush()

    def flush(self) -> None:
        """Hand over what has been observed since the last flush."""
        self.pack.wait()
        with self.timer.within("save"):
            self._flush()

    def _flush(self) -> None:
        self._share_time()
        started = time.monotonic()
        due = self.pack.run_ids and started >= self.next_checkpoint_at
        running = self.pack.checkpoint() if due else None
        states = list(self.unflushed.values())
        self.record(Flush(metric_columns(self.rows), states, running, self.left, self.findings, self.snapshots))
        self.rows, self.left, self.findings, self.snapshots = [], [], {}, []
        self.unflushed = {run_id: self.states[run_id] for run_id in self.pack.run_ids}
        self.flushed_at = time.monotonic()
        if due:
            self.next_checkpoint_at = self.flushed_at + (self.flushed_at - started) / CHECKPOINT_SHARE

    def _reasons(self, values: dict[tuple[str, str], np.ndarray]) -> list[str | None]:
        """Why each run ends at this step, or None if it goes on."""
        finite_R = np.isfinite(values["train", "loss"]) & np.isfinite(values["model", "weight_norm"])
        if ("test", "accuracy") in values:
            self.pack.note_generalized(values["test", "accuracy"] >= GENERALIZED)
        step, since_R = self.pack.step, self.pack.generalized_at_R.numpy()
        enough_R = np.maximum(2 * since_R, since_R + self.horizon // 10)
        stable_R = (since_R >= 0) & (step >= enough_R) & self.observe.leave_when_generalized
        reasons: list[str | None] = []
        for finite, stable in zip(finite_R, stable_R, strict=True):
            end = "horizon" if step >= self.horizon else None
            reasons.append("diverged" if not finite else "generalized" if stable and not end else end)
        if self.prune is not None and ("test", "accuracy") in values:
            pairs = zip(self.pack.run_ids, values["test", "accuracy"].tolist(), reasons, strict=True)
            # A run without a test split is compared with none.
            ended = self.prune(step, {r: value for r, value, reason in pairs if not reason and value != ABSENT})
            reasons = ["pruned" if r in ended else reason for r, reason in zip(self.pack.run_ids, reasons, strict=True)]
        return reasons

    def _share_time(self) -> None:
        spent = self.timer.taken()
        for run_id in self.pack.run_ids:
            state = self.states[run_id]
            state.steps = self.pack.step
            state.wall_seconds += (sum(spent.values()) - spent.get("prepare", 0.0)) / len(self.pack.run_ids)
            for span in SPANS:
                name = f"{span}_seconds"
                setattr(state, name, getattr(state, name) + spent.get(span, 0.0) / len(self.pack.run_ids))
