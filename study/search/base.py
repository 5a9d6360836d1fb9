"""The study that a search begins from, and its base run as the command line changes it."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from study.search.axis import spans_decades, text_of
from study.search.axis_text import divides, parse_value, split_axis
from study.search.bases import BASES
from study.spec import CATALOG, StudySpec, find
from study.study_file import import_named, run_file
from trainables.components import available, closest
from trainables.errors import SpecError
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.parts import PARTS, class_of, name_of, unknown
from trainables.spec import RunSpec, paths

OWN_HORIZON = 10_000
"""Steps of a search on a user's own task, where --horizon does not say how many."""


def template(task: str, model: str | None) -> StudySpec:
    """The study that a search on a task begins from; `task` may be any study, too."""
    if task in BASES:
        known = BASES[task]
        if model is not None and model not in known:
            raise SpecError(f"--model {model!r} has no base for task {task!r}. {closest(model, list(known))}")
        return find(known[model or next(iter(known))])
    if task.endswith(".py") and not hasattr(module := run_file(Path(task)), "STUDY"):
        return own(module, Path(task).stem, model)
    if "." in task and not task.endswith(".py"):
        return own(import_named(task), task, model)
    if not task.endswith(".py") and task not in available(CATALOG):
        names = [*BASES, *available(CATALOG)]
        near = closest(task, names, "`study list` shows all studies.")
        raise SpecError(f"{task!r} is neither a task nor a study; one of your own is a file, {task}.py. {near}")
    study = find(task)
    if model not in (None, name_of(study.base.model)):
        raise SpecError(f"--model {model!r}: study {task!r} has model {name_of(study.base.model)!r}; leave it out.")
    return study


def own(module: ModuleType, name: str, model: str | None) -> StudySpec:
    """The study that a search on a user's own task begins from: with the module's own Model, if it has one, else with a
    transformer of one layer, and with AdamW."""
    if not isinstance(getattr(module, "Task", None), type):
        raise SpecError(
            f"{name!r} defines neither STUDY = StudySpec(...) nor a class Task; `study new task` writes one."
        )
    kind = getattr(module, "Model", None) if model is None else class_of("model", model)
    if model is not None and kind is None:
        raise SpecError(unknown("model", model, available(PARTS["model"][0])))
    base = RunSpec(task=module.Task(), model=(kind or transformer.Model)(), optimizer=adamw.Optimizer())
    first = next(path for path in (*(path for path in paths(base) if path.startswith("task.")), "batch_size"))
    axes = {first: (base.value(first),)}  # only so that it is a study: the search has its own
    return StudySpec(question=f"Search on {name}", base=base, axes=axes, seeds=1, horizon=OWN_HORIZON)


def own_axes(study: StudySpec) -> list[str]:
    """What a search of a study looks over where no --over says it: its own axes, as --over writes them.

    A range between the ends of numbers that may differ in a pack; the study's values where they are words, or where
    each is a shape of its own, which would have to be compiled. An axis of one value is none.
    """
    return [f"{path}={_range(path, values, study.base)}" for path, values in study.axes.items() if len(values) > 1]


def _range(path: str, values: Sequence[Any], base: RunSpec) -> str:
    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) < len(values) or divides(path, values, base):
        return ",".join(map(text_of, values))
    low, high = min(numbers), max(numbers)
    return f"{text_of(low)}:{text_of(high)}" + ":log" * spans_decades(low, high)


def changed(base: RunSpec, sets: Sequence[str], over: Sequence[str]) -> RunSpec:
    """The base with the values of --set; where they work only with a value on the axes, with the first of each."""
    values: dict[str, Any] = {}
    for text in sets:
        path, equals, word = (part.strip() for part in text.partition("="))
        if not equals:
            raise SpecError(f"--set {text!r} is not PATH=VALUE, as in --set optimizer.weight_decay=1.")
        if path not in paths(base):
            near = closest(path, paths(base), "`study show STUDY` shows all.")
            raise SpecError(f"--set {text!r}: {path!r} is not a field of RunSpec. {near}")
        values[path] = parse_value(word)
    split = [split_axis(text) for text in over]
    firsts = {path: parse_value(re.split("[,:]", form)[0]) for path, form, condition in split if not condition}
    for path in {path for path, *_ in split} & values.keys():
        raise SpecError(f"--set {path} is an axis of the search too; leave one of them out.")
    try:
        return base.with_values(values)
    except SpecError as error:
        try:
            return base.with_values({**firsts, **values})
        except SpecError:
            raise SpecError(f"--set {' '.join(sets)}: {error}") from None
