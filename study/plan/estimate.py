"""How long packs take on a machine: a guess before anything has run, from what its kind of device was measured to do.

It counts all that a user waits for: Ray's start, compiling, steps and evaluations, and at the end workers that have
nothing left to do.
"""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from study.plan.packing import Machine, compiling_helps, fitting_runs
from study.plan.plan import Plan
from study.spec import StudySpec
from trainables.device import Device
from trainables.flops import FORWARD, STEP
from trainables.observation import SPLITS
from trainables.size import size_of
from trainables.spec import RunSpec

START_SECONDS = 10.0
"""Ray and its workers start, and import torch."""
FACTOR = 2.0
"""A study takes this much less or more, seldom less or more than that."""


class Work(NamedTuple):
    """A pack as far as its time goes."""

    specs: Sequence[RunSpec]
    start_step: int
    compiled: bool


def estimated_seconds(plan: Plan, machine: Machine) -> float:
    """Time of all packs of a plan; 0 where there are none."""
    return _scheduled([Work(pack.specs, pack.start_step, pack.compiled) for pack in plan.packs], plan.study, machine)


def seconds_from_nothing(study: StudySpec, machine: Machine) -> float:
    """Time of all runs of a study, without a plan: that of a hundred thousand runs takes a while."""
    shapes: dict[str, list[RunSpec]] = {}
    for point in study.points():
        spec = study.base.with_values(point)
        shapes.setdefault(spec.pack_key, []).append(spec)
    packs = []
    for specs in shapes.values():
        specs.sort(key=lambda spec: spec.task.num_train)
        runs = [spec for spec in specs for _ in range(study.seeds)]
        size = fitting_runs(specs, len(runs), machine)
        steps = len(runs) / machine.workers / size * study.horizon
        cut = [runs[i : i + size] for i in range(0, len(runs), size)]
        packs += [Work(members, 0, compiling_helps(members, steps, machine)) for members in cut]
    return _scheduled(packs, study, machine)


def _scheduled(packs: Sequence[Work], study: StudySpec, machine: Machine) -> float:
    """Time until the last worker is done, where each takes the next pack when it is free.

    A worker compiles for every shape that it meets; one that another compiles for is waited for.
    """
    if not packs:
        return 0.0
    device, evaluations = machine.profile, study.observation.evaluations(study.horizon)
    workers = [(0.0, worker) for worker in range(min(machine.workers, len(packs)))]
    known = set[tuple[int, str]]()
    for pack in packs:
        end, worker = heapq.heappop(workers)
        if pack.compiled and (worker, pack.specs[0].pack_key) not in known:
            known.add((worker, pack.specs[0].pack_key))
            end += device.speed.compile_seconds
        end += (study.horizon - pack.start_step) * step_seconds(pack.specs, device, pack.compiled)
        limit = study.observation.examples(pack.specs[0].batch_size)
        end += sum(step > pack.start_step for step in evaluations) * evaluation_seconds(pack.specs, limit, device)
        heapq.heappush(workers, (end, worker))
    return START_SECONDS + max(workers)[0]


def step_seconds(specs: Sequence[RunSpec], device: Device, compiled: bool) -> float:
    """Time of one step of a pack of these runs."""
    speed, largest = device.speed, specs[-1]
    size, examples = size_of(largest.model, largest.task), len(specs) * (largest.batch_size or largest.task.num_train)
    others = speed.per_call + speed.per_layer * layers_of(largest)
    others += speed.per_float * size.floats * examples + speed.per_weight * size.params * len(specs)
    products = STEP * size.products * examples / (speed.products_per_second * device.times_float32(largest.precision))
    return products + others * (speed.compiled if compiled else 1)


def evaluation_seconds(specs: Sequence[RunSpec], limit: int | None, device: Device) -> float:
    """Time of one evaluation of these runs, of at most `limit` examples of each split: a forward pass, a third of a
    step's work."""
    speed, task, model = device.speed, specs[-1].task, specs[-1].model
    size, others = size_of(model, task), task.num_examples - task.num_train
    if limit is not None:
        others = min(others, (SPLITS - 1) * limit)
    examples = len(specs) * (others + min(task.num_train, limit or task.num_train))
    rate = speed.products_per_second * device.times_float32(specs[-1].precision)
    work = FORWARD * size.products / rate + speed.per_float * size.floats / 3
    return speed.per_call + speed.per_layer * layers_of(specs[-1]) + work * examples


def layers_of(spec: RunSpec) -> int:
    """Layers of a run's model; a model of a user's own that does not say how many it has counts as one."""
    return getattr(spec.model, "layers", 1)
