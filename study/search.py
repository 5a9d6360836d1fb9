"""A search from the command line, checked: the study that it makes, the space that it looks in, what it looks for."""

import hashlib
import importlib.resources
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from study.axis_text import parse_axes, parse_value, split_axis
from study.boundary_width import has_width
from study.space import Space
from study.spec import CATALOG, StudySpec, find, phase_definitions
from trainables.components import available, closest
from trainables.errors import SpecError
from trainables.spec import RunSpec, name_of, paths

SAMPLERS = "study.samplers"
BASES = {
    "modular": {"mlp": "first_map", "transformer": "modular_addition_decay"},
    "composition": {"gpt2": "small_composition_ratio"},
    "comparison": {"gpt2": "small_comparison_ratio"},
    "complex_comparison": {"gpt2": "small_complex_reasoning"},
}
"""Task -> model -> the study of the catalog whose base run, horizon and phase definition a search begins from."""
OPTIMIZERS = ("tpe", "gp", "cma")
OBJECTIVE = "min:test_step_95"
GENERALIZED = "generalized"
"""Short for every phase below that the definition has: the test split is answered in the end."""
GENERALIZED_PHASES = (
    "comprehension", "grokking", "coexistence", "partial_inversion", "full_inversion",
    "generalized_in_distribution", "systematic",
)  # fmt: skip


@dataclass(frozen=True)
class Search:
    """What a search asks for. `study` is what the store keeps of it."""

    study: StudySpec
    space: Space
    sampler: str
    runs: int
    """Runs in all, those of earlier calls included."""
    objective: str | None
    """`min:COLUMN` or `max:COLUMN` of `outcomes`; None = nothing is minimized."""
    phases: tuple[str, ...]
    """Phases on the one side of the boundary; all others are on the other."""
    until_width: float | None = None
    """Ask for no more runs once the boundary's band is no wider than this, in ranges of the axes; None = never."""
    seed: int = 0


def make_search(
    task: str,
    over: Sequence[str],
    *,
    sampler: str,
    runs: int,
    seeds: int | None = None,
    name: str | None = None,
    sets: Sequence[str] = (),
    model: str | None = None,
    horizon: int | None = None,
    objective: str | None = None,
    phases: Sequence[str] = (),
    definition: str | None = None,
    until_width: float | None = None,
) -> Search:
    """The search that these words of the command line ask for; SpecError for the first of them that cannot work."""
    if sampler not in available(SAMPLERS):
        raise SpecError(f"--sampler {sampler!r} is not known. {closest(sampler, available(SAMPLERS))}")
    start = template(task, model)
    if not over:
        raise SpecError(f"--over is missing: name an axis, as in --over {next(iter(start.axes))}=a,b,c or lo:hi.")
    for option, number in (("--runs", runs), ("--seeds", seeds), ("--horizon", horizon)):
        if number is not None and number < 1:
            raise SpecError(f"{option} must be 1 or larger, got {number}.")
    if definition is not None and definition not in phase_definitions():
        raise SpecError(f"--definition {definition!r} is not known. {closest(definition, phase_definitions())}")
    base = changed(start.base, sets, over)
    space = space_over(over, base, sampler)
    asked = objective or (OBJECTIVE if sampler in OPTIMIZERS else None)
    if asked is not None and sampler not in OPTIMIZERS:
        raise SpecError(
            f"--objective {asked!r} is for {', '.join(OPTIMIZERS)}; {sampler} looks for a boundary: use --phase."
        )
    if asked is not None and not re.fullmatch(r"(min|max):\w+", asked):
        raise SpecError(f"--objective {asked!r} is neither min:COLUMN nor max:COLUMN of outcomes, as in {OBJECTIVE}.")
    if until_width is not None:
        check_width(until_width, space)
    sides = sides_of(phases or (GENERALIZED,), definition or start.definition)
    ranges = {axis.path: str(axis) for axis in space.axes}
    digest = hashlib.blake2b(
        json.dumps([base.to_json(), ranges, asked, sides, definition], sort_keys=True).encode(), digest_size=3
    ).hexdigest()
    study = start.with_(
        question=f"Search over {', '.join(ranges)} for " + (asked or f"where runs are {' or '.join(sides)}") + "?",
        base=base,
        axes={axis.path: axis.values or axis.span for axis in space.axes},
        seeds=seeds or 1,
        horizon=horizon,
        definition=definition,
        sampler=sampler,
        extra=(),
        probes=(),
        search={"over": ranges, "runs": runs, "objective": asked, "phases": list(sides), "until_width": until_width},
        name=name or f"{name_of(base.task)}-{sampler}-{digest}",
    )
    if study.name in available(CATALOG):
        raise SpecError(f"--name {study.name!r} is a study of the catalog; take another --name.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", study.name):
        raise SpecError(f"--name {study.name!r} may hold letters, digits, '_' and '-' only, at most 100.")
    return Search(study, space, sampler, runs, asked, sides, until_width)


def check_width(until: float, space: Space) -> None:
    """SpecError for a width that is none, and for a space in which a boundary has none."""
    if not 0 < until < 1:
        raise SpecError(f"--until-width must be in (0, 1), a share of the axes' ranges such as 0.03; got {until:g}.")
    if not has_width(space):
        axes = ", ".join(f"{axis.path}={axis}" for axis in space.axes)
        raise SpecError(f"--until-width needs one to three axes of numbers without conditions, got {axes}.")


def template(task: str, model: str | None) -> StudySpec:
    """The study that a search on a task begins from; `task` may be any study, too."""
    if task in BASES:
        known = BASES[task]
        if model is not None and model not in known:
            raise SpecError(f"--model {model!r} has no base for task {task!r}. {closest(model, list(known))}")
        return find(known[model or next(iter(known))])
    if not task.endswith(".py") and task not in available(CATALOG):
        names = [*BASES, *available(CATALOG)]
        raise SpecError(f"{task!r} is neither a task with a base nor a study. {closest(task, names)}")
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
            raise SpecError(f"--set {text!r}: {path!r} is not a field of RunSpec. {closest(path, paths(base))}")
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


def space_over(over: Sequence[str], base: RunSpec, sampler: str) -> Space:
    """The space of the axes of --over; SpecError for an axis, or for a combination of their ends, that cannot work."""
    space = Space(parse_axes(over, base))
    names = [axis.path for axis in space.axes]
    for path in names:
        if names.count(path) > 1:
            raise SpecError(f"--over {path} is given twice; give each axis once.")
    if sampler == "grid":
        try:
            space.points()
        except SpecError as error:
            raise SpecError(f"--sampler grid: {error}") from None
    for point in space.corners():
        try:
            base.with_values(point)
        except SpecError as error:
            raise SpecError(f"--over: {json.dumps(point)} cannot be run: {error}") from None
    return space


def sides_of(phases: Sequence[str], definition: str) -> tuple[str, ...]:
    """The phases that --phase names, `generalized` written out; SpecError for one that the definition does not have."""
    text = importlib.resources.files("analysis").joinpath("phases", f"{definition}.sql").read_text(encoding="utf-8")
    known = sorted({*re.findall(r"(?:then|else)\s+'(\w+)'", text)} - {"unresolved"})
    sides: list[str] = []
    for phase in phases:
        if phase == GENERALIZED:
            sides += [p for p in GENERALIZED_PHASES if p in known]
        elif phase in known:
            sides.append(phase)
        else:
            raise SpecError(
                f"--phase {phase!r} is not a phase of {definition}. {closest(phase, [GENERALIZED, *known])}"
            )
    return tuple(dict.fromkeys(sides))
