"""Train many runs of one shape as one batched model.

A run does not depend on its neighbours: weights, split and batches come from its own seeds, and every operation is
batched over runs. Runs leave the pack when they are done, and the pack is compacted. The engine knows neither Ray nor a
store: what it observes goes to `record`, one Flush at a time.
"""

# R runs, N examples, L tokens, W weights

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from trainables.checkpoint import Checkpoint
from trainables.errors import SpecError
from trainables.examine import check_probes, columns, examine
from trainables.pack import Pack
from trainables.schedule import evaluation_steps, looking_steps
from trainables.spec import RunSpec

GENERALIZED = 0.99
"""Test accuracy at which a run counts as generalized for leaving early."""
CHECKPOINT_SHARE = 0.05
"""Of the time at most that goes into checkpoints: those of a large model take seconds."""
BLOCK_STEPS = 64
"""Steps between looks at the clock; batches are drawn for so many steps at a time."""


@dataclass
class RunState:
    """Where one run stands.

    `status`: running, finished, failed; `stop_reason`: None, horizon, generalized, diverged, pruned.
    """

    run_id: str
    horizon: int
    steps: int
    status: str = "running"
    stop_reason: str | None = None
    wall_seconds: float = 0.0
    """This run's share of its pack's time, in this attempt."""


@dataclass
class Flush:
    """What happened since the last flush.

    `metrics` are equally long columns run_id, step, split, metric, value; `states` speak of every run that was in the
    pack; `running` is the state of those still in it (None if there is none, or if it is not time for one), `left` of
    those that have left. `findings` are columns run_id, step, probe, layer, position, metric, value; `snapshots` are
    states to keep, with weights alone.
    """

    metrics: dict[str, Any]
    states: list[RunState]
    running: Checkpoint | None
    left: list[Checkpoint] = field(default_factory=list)
    findings: dict[str, list[Any]] = field(default_factory=dict)
    snapshots: list[Checkpoint] = field(default_factory=list)


def resolve_device(device: str) -> torch.device:
    """`auto` is CUDA where there is one; SpecError for CUDA where there is none."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise SpecError(f"device {device!r} is not known. Use auto, cpu, cuda or cuda:N.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SpecError(f"device {device!r}: torch sees no CUDA device here. Use --device cpu, or auto.")
    return torch.device(device)


def train_pack(
    specs: Sequence[RunSpec],
    *,
    horizon: int,
    record: Callable[[Flush], None],
    checkpoint: Checkpoint | None = None,
    device: str = "auto",
    compile: str = "auto",
    per_decade: int = 24,
    evaluation_examples: int | None = None,
    leave_when_generalized: bool = False,
    flush_seconds: float = 30.0,
    packs_alike: float = 1.0,
    probes: Sequence[str] = (),
    probes_per_decade: int = 4,
    snapshots_per_decade: int = 0,
    prune: Callable[[int, dict[str, float]], set[str]] | None = None,
) -> list[RunState]:
    """Train runs that share a `pack_key` up to `horizon` steps and return their final states.

    Args:
        record: called with a Flush when runs leave, at the end, and at least every `flush_seconds` or so. What it
            raises ends the training.
        checkpoint: go on from here instead of from the beginning; it must hold every run of `specs`.
        device: `auto`, `cpu`, `cuda` or `cuda:1`.
        compile: `auto`, `on` or `off`.
        per_decade: evaluations per decade of steps.
        evaluation_examples: evaluate at most so many examples of each split; None = all.
        leave_when_generalized: a run ends once its test accuracy has stayed at 0.99 for as long again as it took to get
            there, and for at least a tenth of the horizon. Off by default: some runs generalize and later forget.
        packs_alike: packs of this shape that this process will train: compiling is paid for once and serves them all.
        probes: mechanistic probes to run `probes_per_decade` times per decade of steps, from step 100 on.
        snapshots_per_decade: weights to keep per decade of steps, from step 100 on.
        prune: asked at every evaluation, with the step and the test accuracies of the runs that would go on, which of
            them end here.
    """
    for spec in specs:
        check_probes(spec, probes)
    if evaluation_examples is not None and evaluation_examples < 1:
        raise SpecError(f"evaluation_examples must be 1 or larger, got {evaluation_examples}; None is all.")
    num_evaluations = packs_alike * len(evaluation_steps(horizon, per_decade))
    pack = Pack(
        specs,
        resolve_device(device),
        compile,
        packs_alike * horizon,
        num_evaluations,
        evaluation_examples,
        checkpoint,
    )
    session = _Session(pack, specs, horizon, record, leave_when_generalized, prune)
    looks = set(looking_steps(horizon, probes_per_decade if probes else 0))
    snapshots = set(looking_steps(horizon, snapshots_per_decade))
    after = pack.step if checkpoint else -1
    for target in sorted(
        {step for step in {*evaluation_steps(horizon, per_decade), *looks, *snapshots} if step > after}
    ):
        while pack.step < target:
            # Before training on, not after: a checkpoint at an evaluation step is one whose evaluation is on record.
            if time.monotonic() - session.flushed_at > flush_seconds:
                session.flush()
            pack.train(min(BLOCK_STEPS, target - pack.step))
        session.look(probes if target in looks else (), target in snapshots)
        session.evaluate()
        if not pack.run_ids:
            break
    return list(session.states.values())


class _Session:
    """The bookkeeping of one `train_pack` call: rows since the last flush, who left, whose time it was."""

    def __init__(
        self,
        pack: Pack,
        specs: Sequence[RunSpec],
        horizon: int,
        record: Callable[[Flush], None],
        leave_when_generalized: bool,
        prune: Callable[[int, dict[str, float]], set[str]] | None,
    ) -> None:
        self.pack, self.horizon, self.record, self.prune = pack, horizon, record, prune
        self.specs = {spec.run_id: spec for spec in specs}
        self.leave_when_generalized = leave_when_generalized
        self.states = {run_id: RunState(run_id, horizon, pack.step) for run_id in pack.run_ids}
        self.unflushed = dict(self.states)
        self.rows: list[tuple[list[str], int, str, str, np.ndarray]] = []
        self.left: list[Checkpoint] = []
        self.findings: dict[str, list[Any]] = {}
        self.snapshots: list[Checkpoint] = []
        self.next_checkpoint_at = 0.0
        self.flushed_at = self.timed_at = time.monotonic()

    def look(self, probes: Sequence[str], keep: bool) -> None:
        """Run mechanistic probes on every run, and keep its weights, as asked."""
        for run_id in self.pack.run_ids if probes or keep else ():
            weights_W = self.pack.weights_of(run_id)
            if probes:
                found = examine(self.specs[run_id], weights_W, probes)
                for name, column in columns(run_id, self.pack.step, found).items():
                    self.findings.setdefault(name, []).extend(column)
            if keep:
                self.snapshots.append(Checkpoint([run_id], self.pack.step, {"weights": weights_W[None].cpu().clone()}))

    def evaluate(self) -> None:
        """Record every metric of every run at this step; let those go that are done."""
        step, run_ids = self.pack.step, list(self.pack.run_ids)
        values = self.pack.evaluate()
        for (split, metric), values_R in values.items():
            self.rows.append((run_ids, step, split, metric, values_R))
        reasons = self._reasons(values)
        self._share_time()
        if any(reasons):
            gone = [i for i, reason in enumerate(reasons) if reason]
            for i in gone:
                state = self.states[run_ids[i]]
                state.status, state.stop_reason = "finished", reasons[i]
            whole = self.pack.checkpoint()
            self.left += [whole.select([run_ids[i]]) for i in gone]
            self.pack.keep([i for i, reason in enumerate(reasons) if not reason])
            self.flush()

    def flush(self) -> None:
        """Hand over what has been observed since the last flush."""
        self._share_time()
        started = time.monotonic()
        due = self.pack.run_ids and started >= self.next_checkpoint_at
        running = self.pack.checkpoint() if due else None
        states = list(self.unflushed.values())
        self.record(Flush(self._columns(), states, running, self.left, self.findings, self.snapshots))
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
        stable_R = (since_R >= 0) & (step >= enough_R) & self.leave_when_generalized
        reasons: list[str | None] = []
        for finite, stable in zip(finite_R, stable_R, strict=True):
            end = "horizon" if step >= self.horizon else None
            reasons.append("diverged" if not finite else "generalized" if stable and not end else end)
        if self.prune is not None and ("test", "accuracy") in values:
            pairs = zip(self.pack.run_ids, values["test", "accuracy"].tolist(), reasons, strict=True)
            # A run without a test split has -inf there: it is compared with none.
            ended = self.prune(step, {r: value for r, value, reason in pairs if not reason and value != -np.inf})
            reasons = ["pruned" if r in ended else reason for r, reason in zip(self.pack.run_ids, reasons, strict=True)]
        return reasons

    def _share_time(self) -> None:
        now = time.monotonic()
        share = (now - self.timed_at) / max(1, len(self.pack.run_ids))
        for run_id in self.pack.run_ids:
            state = self.states[run_id]
            state.steps, state.wall_seconds = self.pack.step, state.wall_seconds + share
        self.timed_at = now

    def _columns(self) -> dict[str, Any]:
        lengths = [len(run_ids) for run_ids, *_ in self.rows]
        columns = {
            "run_id": [run_id for run_ids, *_ in self.rows for run_id in run_ids],
            "step": np.repeat([row[1] for row in self.rows], lengths).astype(np.int64),
            "split": np.repeat([row[2] for row in self.rows], lengths),
            "metric": np.repeat([row[3] for row in self.rows], lengths),
            "value": np.concatenate([row[4] for row in self.rows]) if self.rows else np.empty(0),
        }
        # A run without examples in a split (no test split, say) has no value there; a diverged loss is NaN and stays.
        present = ~np.isneginf(columns["value"])
        columns["run_id"] = [run_id for run_id, here in zip(columns["run_id"], present, strict=True) if here]
        return {name: column if name == "run_id" else column[present] for name, column in columns.items()}
