"""A checked search request: the study that it defines, the space that it searches, and what it looks for."""

import hashlib
import importlib.util
import itertools
import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from study.samplers._fresh import at_random
from study.search.axis_text import parse_axes
from study.search.base import changed, own_axes, template
from study.search.bases import BASES
from study.search.boundary.width import has_width
from study.search.space import Space
from study.spec import CATALOG, SAMPLERS, StudySpec, sampler_of
from study.store.definition_source import given_definition
from study.store.definitions import GENERALIZED, Definition, definitions
from study.study_file import import_named
from trainables.components import available, closest
from trainables.errors import SpecError
from trainables.parts import PARTS, name_of
from trainables.spec import RunSpec

OPTIMIZERS = ("tpe", "gp", "cma")
OBJECTIVE = "min:test_step_95"
TRIED = 4096
"""So many points of a space are tried, beside its corners, before it counts as one in which nothing can be run."""


@dataclass(frozen=True)
class Search:
    """A checked request. `study` is the part that the store keeps."""

    study: StudySpec
    space: Space
    sampler: str
    runs: int
    """Total number of runs, including those of earlier calls."""
    objective: str | None
    """`min:COLUMN` or `max:COLUMN` of `outcomes`; None = the search is not for an optimum."""
    phases: tuple[str, ...]
    """Phases on one side of the boundary; all others are on the other side."""
    until_width: float | None = None
    """Ask for no more runs once the boundary's band is no wider than this, in ranges of the axes; None = never."""


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
    """The search that these options describe; SpecError for the first option that cannot work."""
    for part in (model, *_parts_named(over), *_parts_named(sets)):
        _bring(part, *(package for package, _ in PARTS.values()))
    start = template(task, model)
    _bring(sampler, SAMPLERS)
    sampler_of(sampler)
    over = over or ([] if task in BASES else own_axes(start))
    if not over:
        raise SpecError(f"--over is missing: name an axis, as in --over {next(iter(start.axes))}=a,b,c or lo:hi.")
    for option, number in (("--runs", runs), ("--seeds", seeds), ("--horizon", horizon)):
        if number is not None and number < 1:
            raise SpecError(f"{option} must be 1 or larger, got {number}.")
    asked_definition = start.phase_definition if definition is None else _definition(definition)
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
    sides = sides_of(phases or (GENERALIZED,), asked_definition)
    ranges = {axis.path: str(axis) for axis in space.axes}
    is_ours = asked_definition.name in definitions()
    named = definition if definition is None or is_ours else asked_definition.digest
    digest = hashlib.blake2b(
        json.dumps([base.to_json(), ranges, asked, sides, named], sort_keys=True).encode(), digest_size=3
    ).hexdigest()
    study = start.with_(
        question=f"Search over {', '.join(ranges)} for " + (asked or f"where runs are {' or '.join(sides)}") + "?",
        base=base,
        axes={axis.path: axis.values or axis.span for axis in space.axes},
        seeds=seeds or 1,
        horizon=horizon,
        definition=asked_definition.name,
        definition_sql="" if is_ours else asked_definition.sql,
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


def _parts_named(texts: Sequence[str]) -> list[str]:
    """The names of tasks, models and optimizers in `model=transformer,parity:Net`."""
    split = [text.partition(" if ")[0].partition("=") for text in texts]  # without the condition of an axis
    return [name.strip() for path, _, names in split if path.strip() in PARTS for name in names.split(",")]


def _bring(name: str | None, *packages: str) -> None:
    """Import the module of a part that the command line names, where it may be one of the user's own."""
    if name and re.fullmatch(r"[\w.]+(:\w+)?", name) and not any(name in available(package) for package in packages):
        module = name.partition(":")[0]
        if module in sys.modules or importlib.util.find_spec(module.partition(".")[0]) or Path(f"{module}.py").exists():
            import_named(module)


def check_width(until: float, space: Space) -> None:
    """SpecError for a width outside (0, 1), or for a space in which a boundary's width means nothing."""
    if not 0 < until < 1:
        raise SpecError(f"--until-width must be in (0, 1), a share of the axes' ranges such as 0.03; got {until!r}.")
    if not has_width(space):
        axes = ", ".join(f"{axis.path}={axis}" for axis in space.axes)
        raise SpecError(f"--until-width needs one to four axes of numbers without conditions, got {axes}.")


def space_over(over: Sequence[str], base: RunSpec, sampler: str) -> Space:
    """The space of the axes in --over; SpecError for an axis, or for a whole space, that cannot work."""
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
    check_some(space, base)
    return space


def check_some(space: Space, base: RunSpec) -> None:
    """SpecError for a space in which no point that is tried can be run; a search passes over single ones."""
    inner = space.points() if space.size is not None else at_random(space, random.Random(0))
    first: tuple[str, SpecError] | None = None
    for point in itertools.chain(space.corners(), itertools.islice(inner, TRIED)):
        try:
            base.with_values(point)
        except SpecError as error:
            first = first or (json.dumps(point), error)
        else:
            return
    assert first is not None
    raise SpecError(f"--over: no point of this space can be run, such as {first[0]}: {first[1]}")


def _definition(given: str) -> Definition:
    """The phase definition of --definition: ours by name, a path or SQL text."""
    try:
        found = given_definition(given)
    except SpecError as error:
        raise SpecError(f"--definition: {error}") from None
    if found is None:
        raise SpecError(f"--definition {given!r} is not known. {closest(given, definitions())}")
    return found


def sides_of(phases: Sequence[str], definition: Definition) -> tuple[str, ...]:
    """The phases that --phase names, `generalized` written out; SpecError for one that the definition does not have."""
    known = sorted({phase.name for phase in definition.phases} - {"unresolved"})
    sides: list[str] = []
    for phase in phases:
        if phase == GENERALIZED:
            sides += definition.generalized
        elif phase in known:
            sides.append(phase)
        else:
            raise SpecError(
                f"--phase {phase!r} is not a phase of {definition.name}. {closest(phase, [GENERALIZED, *known])}"
            )
    if not sides:
        raise SpecError(f"--phase is missing: no phase of {definition.name} counts as generalized. Name a side.")
    return tuple(dict.fromkeys(sides))
