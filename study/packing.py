"""Which runs train together: runs of one shape, in packs sized by the device's memory and the number of workers.

Packs are settled once and remembered in the plan, so that an interrupted study goes on in the same packs and ends with
the same numbers as an undisturbed one.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from trainables.answers import example_bytes, num_answers
from trainables.spec import RunSpec

LARGEST_PACK = {"cpu": 64, "cuda": 1024}
"""Beyond this a device gains nothing (measured: tests/bench/engine.py)."""
CPU_CACHE_BYTES = 2e7
"""Activations of a pack on a CPU core: more do not stay in its caches, and a step per run becomes slower again."""
SATURATING_FLOPS = 2e11
"""Operations of a step that keep a GPU busy by themselves: more runs would not be trained sooner in one pack."""
FLOPS_PER_SECOND = {"cpu": 2e10, "cuda": 5e12}
"""A first guess of what one worker does, for estimates of time; a run that has trained gives a better one."""


@dataclass(frozen=True)
class Share:
    """What one pack gets of a machine: so many cores of a CPU, or so much of one GPU."""

    cores: int = 1
    gpu: float = 1.0

    def packs(self, device: str, cpus: float, gpus: float) -> int:
        """Packs that so many cores and GPUs train at a time. Beside its part of a GPU a pack takes a core."""
        return min(int(gpus) * int(1 / self.gpu), int(cpus)) if device == "cuda" else int(cpus) // self.cores


@dataclass(frozen=True)
class Machine:
    """What packs are sized for. `memory` is what one worker may use, in bytes."""

    device: str
    workers: int
    memory: float


@dataclass(frozen=True)
class PackPlan:
    """One Ray Tune trial: runs of one shape that start at one step."""

    pack_id: str
    run_ids: list[str]
    specs: list[RunSpec]
    horizon: int
    start_step: int
    packs_alike: float
    """Packs of this shape that one worker trains in the whole study, finished ones too."""
    checkpoints: list[str]
    """Names in the storage that hold the runs' state at `start_step`; empty at the beginning."""
    first_attempts: list[int]
    """For each run, how many attempts other packs have made at it."""
    bytes: float
    flops: float

    def __str__(self) -> str:
        """Its name alone: Ray makes names of what it is handed."""
        return self.pack_id

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackPlan":
        """Itself: Tune copies what it hands out several times, all specs of all runs."""
        return self


def is_done(state: Mapping[str, Any] | None, horizon: int, pruning: bool = False) -> bool:
    """True for a run that was observed up to the horizon, or that finished before it for a reason of its own.

    Being pruned is none, but where runs are pruned those that were are done.
    """
    if state is None:
        return False
    open_reasons = ("horizon",) if pruning else ("horizon", "pruned")
    return state["steps"] >= horizon or (state["status"] == "finished" and state["stop_reason"] not in open_reasons)


def make_packs(
    specs: Mapping[str, RunSpec],
    horizon: int,
    machine: Machine,
    pack_size: int | None,
    assigned: Mapping[str, str],
    attempts: Mapping[str, Mapping[str, int]],
    checkpoints: Mapping[str, tuple[str, int]],
    num_of_shape: Mapping[str, float],
) -> list[PackPlan]:
    """Packs for these runs, the most expensive first.

    Runs that already belong to a pack (`assigned`: run id -> pack id) stay together; the others are packed by shape,
    runs with as many examples beside each other. Runs whose checkpoints (name and step) are at different steps never
    share a pack.
    """
    groups: dict[tuple[str, int, str], list[str]] = {}
    files: dict[tuple[str, int, str], set[str]] = {}
    for run_id, spec in specs.items():
        step = checkpoints[run_id][1] if run_id in checkpoints else 0
        key = (assigned.get(run_id, ""), step, spec.pack_key)
        groups.setdefault(key, []).append(run_id)
        files.setdefault(key, set()).update(checkpoints[run_id][:1] if run_id in checkpoints else ())
    times_assigned = Counter(pack_id for pack_id, _, _ in groups)
    packs = []
    for key, run_ids in groups.items():
        pack_id, step, shape = key
        # Runs of one pack can come to be at different steps, when another study shares some of them. They become packs
        # of their own, and the name stays with those that go on from the pack's own state, which a pack overwrites.
        keeps_name = times_assigned[pack_id] == 1 or {PurePosixPath(name).stem for name in files[key]} == {pack_id}
        # Always in one order: on some processors a run's numbers depend, in the last digit, on its row in the pack.
        run_ids.sort(key=lambda run_id: (specs[run_id].task.num_train, run_id))
        for members in [run_ids] if pack_id else _cut(run_ids, specs, machine, pack_size):
            new_name = hashlib.blake2b("".join(members).encode(), digest_size=6).hexdigest()
            name = pack_id if pack_id and keeps_name else new_name
            others = [{k: n for k, n in attempts.get(r, {}).items() if k != name} for r in members]
            packs.append(
                PackPlan(
                    pack_id=name,
                    run_ids=members,
                    specs=[specs[r] for r in members],
                    horizon=horizon,
                    start_step=step,
                    packs_alike=num_of_shape[shape] / machine.workers / len(members),
                    checkpoints=sorted({checkpoints[r][0] for r in members if r in checkpoints}),
                    first_attempts=[max(known.values(), default=0) for known in others],
                    bytes=len(members) * run_bytes(specs[members[0]]),
                    flops=sum(run_flops(specs[r], horizon - step) for r in members),
                )
            )
    return sorted(packs, key=lambda pack: -pack.flops)


def run_bytes(spec: RunSpec) -> float:
    """Memory of one run in a pack, roughly: activations and their gradients, its data, its optimizer state."""
    task, model = spec.task, spec.model
    data = (task.num_examples + task.num_train) * example_bytes(task)
    weights = 4.0 * 8 * model.width * (12 * model.layers * model.width + 2 * task.vocab_size)
    return 2 * activation_bytes(spec) + data + weights


def activation_bytes(spec: RunSpec) -> float:
    """What one step of one run keeps for its backward pass, roughly."""
    return 4.0 * (spec.batch_size or spec.task.num_train) * spec.model.floats_per_example(spec.task)


def run_flops(spec: RunSpec, steps: int) -> float:
    """Operations of one run, roughly: 6 per weight, token that it works on, example and step."""
    model = spec.model
    read = num_answers(spec.task)
    weights = model.width * (spec.task.vocab_size + read * spec.task.num_classes)
    if hasattr(model, "heads"):  # all blocks but the last one work on every token, the last one where it is read
        depth = model.layers * getattr(model, "loops", 1)
        weights += 12 * model.width**2 * ((depth - 1) * spec.task.num_tokens + read)
    return 6.0 * weights * (spec.batch_size or spec.task.num_train) * steps


def estimated_seconds(packs: Sequence[PackPlan], machine: Machine) -> float:
    """Time for all packs on this machine, a guess before anything has run."""
    return (
        sum(pack.flops for pack in packs) / FLOPS_PER_SECOND[machine.device] / max(1, min(machine.workers, len(packs)))
    )


def _cut(run_ids: list[str], specs: Mapping[str, RunSpec], machine: Machine, pack_size: int | None) -> list[list[str]]:
    """Runs of one shape, by size, in equal packs: as many as fit, no more than are needed to keep every worker busy.

    Sizes are powers of two, so that a worker compiles for few of them.
    """
    if pack_size is None:
        fit = int(machine.memory // max(run_bytes(specs[r]) for r in run_ids))
        if machine.device == "cuda":
            fit = min(fit, int(SATURATING_FLOPS // run_flops(specs[run_ids[-1]], 1)))
        else:
            fit = min(fit, int(CPU_CACHE_BYTES // max(activation_bytes(specs[r]) for r in run_ids)))
        share = -(-len(run_ids) // machine.workers)
        most = max(1, min(fit, share, LARGEST_PACK[machine.device]))
        pack_size = 1 << (most.bit_length() - 1)
    return [run_ids[i : i + pack_size] for i in range(0, len(run_ids), pack_size)]
