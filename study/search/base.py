"""The study that a search begins from, and its base run as the command line changes it."""

import re
from collections.abc import Sequence
from typing import Any

from study.search.axis_text import parse_value, split_axis
from study.search.bases import BASES
from study.spec import CATALOG, StudySpec, find
from trainables.components import available, closest
from trainables.errors import SpecError
from trainables.spec import RunSpec, name_of, paths


def template(task: str, model: str | None) -> StudySpec:
    """The study that a search on a task begins from; `task` may be any study, too."""
    if task in BASES:
        known = BASES[task]
        if model is not None and model not in known:
            raise SpecError(f"--model {model!r} has no base for task {task!r}. {closest(model, list(known))}")
        return find(known[model or next(iter(known))])
    if not task.endswith(".py") and task not in available(CATALOG):
        names = [*BASES, *available(CATALOG)]
        near = closest(task, names, "`study list` shows all studies.")
        raise SpecError(f"{task!r} is neither a task with a base nor a study. {near}")
    study = find(task)
    if model not in (None, name_of(study.base.model)):
        raise SpecError(f"--model {model!r}: study {task!r} has model {name_of(study.base.model)!r}; leave it out.")
    return study


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
