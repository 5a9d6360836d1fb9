"""A study: how many points, runs and packs it has, and whether every point can be built."""

from collections.abc import Iterator
from typing import Any

from study.check.row import Check, Wrong, outcome, said
from study.plan.estimate import FACTOR, estimated_seconds
from study.plan.plan import plan_runs, planned_runs
from study.spec import StudySpec
from study.train.durations import between
from study.train.machine import machine
from trainables.seeds import generator

MOST_BUILT = 64
"""Different tasks, and pairs of task and model, that are built; of more, these evenly."""


def checks(study: StudySpec) -> Iterator[Check]:
    """All checks of a study; its fields were checked when it was made. A search has no points of its own."""
    if study.search is None:
        yield outcome("runs", runs, study)
        yield outcome("points", points, study)


def runs(study: StudySpec) -> str:
    """Points, runs and packs on this machine, and about how long they take."""
    here = machine("auto")
    plan = plan_runs(study, planned_runs(study), None, here)
    lasting = between(estimated_seconds(plan, here), FACTOR)
    return f"{len(study.points()):,} points, {len(plan.runs):,} runs in {len(plan.packs):,} packs; {lasting} here"


def points(study: StudySpec) -> str:
    """The data and the model of every point can be built."""
    specs = {point: study.run(dict(point), 0) for point in (tuple(point.items()) for point in study.points())}
    tasks = _evenly({(spec.task, spec.data_seed): (point, spec) for point, spec in specs.items()})
    models = _evenly({(spec.model, *_shape(spec.task)): (point, spec) for point, spec in specs.items()})
    for found, build in ((tasks, _data), (models, _module)):
        for point, spec in found:
            try:
                build(spec)
            except Exception as error:
                raise Wrong(f"point {', '.join(f'{path}={value}' for path, value in point)}: {said(error)}") from error
    return f"{len(tasks)} tasks and {len(models)} models can be built"


def _data(spec: Any) -> None:
    splits = spec.task.build(spec.data_seed)
    count = len(splits["train"].targets_N)
    if count != spec.task.num_train:
        raise Wrong(f"num_train is {spec.task.num_train}, train has {count} examples: make them one number.")


def _module(spec: Any) -> None:
    spec.model.build(spec.task, generator("init", 0))


def _shape(task: Any) -> tuple[Any, ...]:
    """What a model knows of a task."""
    return tuple(getattr(task, name, None) for name in ("vocab_size", "num_classes", "num_tokens", "num_answers"))


def _evenly(found: dict[Any, Any]) -> list[Any]:
    step = -(-len(found) // MOST_BUILT)
    return list(found.values())[::step]
