"""Which runs train together: runs of one shape, in packs sized by the device's memory and the number of workers.

Packs are settled once and remembered in the plan, so that an interrupted study goes on in the same packs and ends with
the same numbers as an undisturbed one.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from trainables.answers import example_bytes
from trainables.device import PROFILES, Device
from trainables.engine import BLOCK_STEPS
from trainables.flops import STEP, compiling_pays, run_flops
from trainables.limits import Limits
from trainables.size import size_of
from trainables.spec import RunSpec

BACKWARD, BACKWARD_COMPILED = 2.25, 1.35
"""Peak memory of a step over what its forward pass keeps. `torch.func.grad` keeps what the backward pass computes, too;
the compiler throws some of it away. Measured: 1.8 to 2.7 and 1.3 to 1.4, over models, depths and tokens."""
UPDATE_COPIES = 4
"""Vectors as large as the weights that a step makes: gradients, and what an optimizer computes of them."""
INDEX_BYTES = 8
BFLOAT16_BYTES = 2.75
"""Of a kept activation in mixed precision: norms, shares and logits stay in float32."""


@dataclass(frozen=True)
class Share:
    """What one pack gets of a machine: so many cores of a CPU, or so much of one GPU."""

    cores: int = 1
    gpu: float = 1.0

    @property
    def packs_per_gpu(self) -> int:
        """Packs that lie beside each other on one GPU."""
        return int(1 / self.gpu)

    def packs(self, device: str, cpus: float, gpus: float) -> int:
        """Packs that so many cores and GPUs train at a time. Beside its part of a GPU a pack takes a core."""
        return min(int(gpus) * self.packs_per_gpu, int(cpus)) if device == "cuda" else int(cpus) // self.cores


@dataclass(frozen=True)
class Machine:
    """What packs are sized for. `memory` is what one worker may use, in bytes."""

    device: str
    workers: int
    memory: float
    compiler: bool = True
    """Whether torch.compile finds what it needs."""
    limits: Limits | None = None
    """Of its devices; None = those of the device on which the profile of its kind was made."""

    @property
    def profile(self) -> Device:
        """What is known of its devices."""
        kind = PROFILES[self.device]
        return kind.of(self.limits) if self.limits else kind


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
    compiled: bool
    """Whether compiling its steps pays, and can be done."""
    bytes: float
    flops: float
    tries: int = 0
    """Of this pack, as far as the store knows: a new one comes after them."""

    def __str__(self) -> str:
        """Its name alone: Ray makes names of what it is handed."""
        return self.pack_id

    def __getstate__(self) -> dict[str, Any]:
        """On its way to a worker its specs are JSON: the worker has to import a user's modules before it makes them."""
        return {**self.__dict__, "specs": [s if isinstance(s, str) else json.dumps(s.to_json()) for s in self.specs]}

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackPlan":
        """Itself: Tune copies what it hands out several times, all specs of all runs."""
        return self


def make_packs(
    specs: Mapping[str, RunSpec],
    horizon: int,
    machine: Machine,
    pack_size: int | None,
    assigned: Mapping[str, str],
    attempts: Mapping[str, Mapping[str, int]],
    checkpoints: Mapping[str, tuple[str, int]],
    num_of_shape: Mapping[str, float],
    anew: Mapping[str, str] | None = None,
) -> list[PackPlan]:
    """Packs for these runs, one of each shape that is compiled first, then the most expensive first.

    Runs that already belong to a pack (`assigned`: run id -> pack id) stay together; the others are packed by shape,
    runs with as many examples beside each other. Runs whose checkpoints (name and step) are at different steps never
    share a pack. Packs of runs that begin `anew` (run id -> digest of their source) get names that no earlier pack has.
    """
    sources = anew or {}
    groups: dict[tuple[str, int, str, str], list[str]] = {}
    files: dict[tuple[str, int, str, str], set[str]] = {}
    for run_id, spec in specs.items():
        step = checkpoints[run_id][1] if run_id in checkpoints else 0
        key = (assigned.get(run_id, ""), step, spec.pack_key, sources.get(run_id, ""))
        groups.setdefault(key, []).append(run_id)
        files.setdefault(key, set()).update(checkpoints[run_id][:1] if run_id in checkpoints else ())
    times_assigned = Counter(pack_id for pack_id, *_ in groups)
    packs = []
    for key, run_ids in groups.items():
        pack_id, step, shape, source = key
        # Runs of one pack can come to be at different steps, when another study shares some of them. They become packs
        # of their own, and the name stays with those that go on from the pack's own state, which a pack overwrites.
        keeps_name = times_assigned[pack_id] == 1 or {PurePosixPath(name).stem for name in files[key]} == {pack_id}
        # Always in one order: on some processors a run's numbers depend, in the last digit, on its row in the pack.
        run_ids.sort(key=lambda run_id: (specs[run_id].task.num_train, run_id))
        for members in [run_ids] if pack_id else _cut(run_ids, specs, machine, pack_size):
            new_name = hashlib.blake2b("".join([*members, source]).encode(), digest_size=6).hexdigest()
            name = pack_id if pack_id and keeps_name else new_name
            others = [{k: n for k, n in attempts.get(r, {}).items() if k != name} for r in members]
            packs_alike = num_of_shape[shape] / machine.workers / len(members)
            compiled = compiling_helps([specs[r] for r in members], packs_alike * horizon, machine)
            packs.append(
                PackPlan(
                    pack_id=name,
                    run_ids=members,
                    specs=[specs[r] for r in members],
                    horizon=horizon,
                    start_step=step,
                    packs_alike=packs_alike,
                    checkpoints=sorted({checkpoints[r][0] for r in members if r in checkpoints}),
                    first_attempts=[max(known.values(), default=0) for known in others],
                    compiled=compiled,
                    bytes=pack_bytes([specs[r] for r in members], compiled),
                    flops=sum(run_flops(specs[r], horizon - step) for r in members),
                )
            )
    return _each_shape_first(sorted(packs, key=lambda pack: -pack.flops))


def _each_shape_first(packs: Sequence[PackPlan]) -> list[PackPlan]:
    """The same packs, those first whose step no pack before them compiles. Two workers that begin with one shape would
    both compile it; what one has compiled, the other takes from the cache in a tenth of the time."""
    first: dict[tuple[str, int], PackPlan] = {}
    for pack in packs:
        if pack.compiled:
            first.setdefault((pack.specs[0].pack_key, len(pack.run_ids)), pack)
    those = {id(pack) for pack in first.values()}
    return [*first.values(), *(pack for pack in packs if id(pack) not in those)]


def pack_bytes(specs: Sequence[RunSpec], compiled: bool = False) -> float:
    """Memory of a pack of runs of one shape, the largest last. While it is made, before its first step, its data are
    there twice."""
    num_data, largest = different_data(specs), specs[-1]
    data, own = num_data * data_bytes(specs), len(specs) * own_bytes(largest, num_data < len(specs), compiled)
    return data + max(own, data)


def data_bytes(specs: Sequence[RunSpec]) -> float:
    """Memory of one of the data of a pack, which runs with equal data share: every example once, and twice where runs
    begin with all of them. Each split is as long as the longest of the pack's."""
    train = max(spec.task.num_train for spec in specs)
    others = max(spec.task.num_examples - spec.task.num_train for spec in specs)
    whole = max(spec.task.num_examples for spec in specs) if specs[0].full_data_steps else 0
    return (train + others + whole) * example_bytes(specs[0].task)


def own_bytes(spec: RunSpec, shared: bool = False, compiled: bool = False) -> float:
    """Memory of one run in a pack without its data: its batch, its weights with optimizer state and gradients, and what
    a step keeps for its backward pass with what that pass computes. A compiled step keeps less. A run that trains on
    every example at once has its own even where data are `shared`."""
    task, size = spec.task, size_of(spec.model, spec.task)
    at_once = task.num_examples if spec.full_data_steps else task.num_train
    batch = (spec.batch_size or (at_once if shared else 0)) * example_bytes(task)
    if spec.batch_order == "hashed":
        batch += 2 * INDEX_BYTES * BLOCK_STEPS * (spec.batch_size or 0)  # one block is in use while the next is made
    weights = 4.0 * size.params * (1 + len(spec.optimizer.slots) + UPDATE_COPIES)
    return batch + weights + (BACKWARD_COMPILED if compiled else BACKWARD) * activation_bytes(spec)


def different_data(specs: Sequence[RunSpec]) -> int:
    """How many different data these runs have."""
    return len({spec.data_key for spec in specs})


def activation_bytes(spec: RunSpec) -> float:
    """What one step of one run keeps for its backward pass."""
    examples = spec.batch_size or (spec.task.num_examples if spec.full_data_steps else spec.task.num_train)
    per_float = BFLOAT16_BYTES if spec.precision == "bfloat16" else 4.0
    return per_float * examples * size_of(spec.model, spec.task).floats


def cache_use(spec: RunSpec) -> float:
    """What a run of a pack takes of `Device.cache_bytes`: its activations, or half of all that a step goes through."""
    weights = 4.0 * size_of(spec.model, spec.task).params * (2 + len(spec.optimizer.slots))
    return max(found := activation_bytes(spec), (found + weights) / 2)


def compiling_helps(specs: Sequence[RunSpec], steps: float, machine: Machine) -> bool:
    """Whether the engine compiles so many steps of a pack of these runs, where the user leaves it the choice."""
    examples = max(spec.batch_size or spec.task.num_train for spec in specs)
    params = size_of(specs[0].model, specs[0].task).params
    return machine.compiler and compiling_pays(STEP, specs[0], params, len(specs), examples * steps, machine.device)


def fitting_runs(specs: Sequence[RunSpec], num_runs: int, machine: Machine) -> int:
    """Runs of a pack where `num_runs` runs of one shape are like one of these, the largest last: as many as fit, no
    more than are needed to keep every worker busy.

    Sizes are powers of two, so that a worker compiles for few of them.
    """
    device, largest = machine.profile, specs[-1]
    num_data = different_data(specs) if len(specs) == num_runs else num_runs
    data, own = data_bytes(specs), max(own_bytes(spec, num_data < num_runs) for spec in specs)
    fit = int(machine.memory // (data + max(own, data)))
    if fit >= num_data:
        fit = int((machine.memory - num_data * data) // own)
    if device.cache_bytes is not None:
        fit = min(fit, int(device.cache_bytes // max(map(cache_use, specs))))
    share = -(-num_runs // machine.workers)
    most = max(1, min(fit, share, device.most_runs(largest.precision, run_flops(largest, 1))))
    return 1 << (most.bit_length() - 1)


def _cut(run_ids: list[str], specs: Mapping[str, RunSpec], machine: Machine, pack_size: int | None) -> list[list[str]]:
    """Runs of one shape, by size, in equal packs."""
    size = pack_size or fitting_runs([specs[r] for r in run_ids], len(run_ids), machine)
    return [run_ids[i : i + size] for i in range(0, len(run_ids), size)]
