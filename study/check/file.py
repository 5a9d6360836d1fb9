"""What a user's file defines, and all checks of it."""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from study.check import claims, fields, model, optimizer, phases, probe, sampler, study, task, training
from study.check.case import Case
from study.check.row import Check, outcome
from study.spec import StudySpec
from study.study_file import import_beside, run_file
from trainables.answers import asks_for_numbers
from trainables.errors import SpecError
from trainables.models import mlp, transformer
from trainables.optimizers import adamw
from trainables.parts import PARTS, is_own
from trainables.spec import RunSpec
from trainables.tasks import modular

SUFFIXES = (".py", ".sql")
OURS = {
    "task": modular.Task(p=7),
    "model": transformer.Model(width=16, heads=2),
    "optimizer": adamw.Optimizer(learning_rate=1e-3, weight_decay=0.1),
}
"""What stands beside a part that is tried."""


@dataclass
class Found:
    """What a file defines: classes of parts by kind, and the study, whose base may have parts from other files."""

    classes: list[tuple[str, type]] = field(default_factory=list)
    study: StudySpec | None = None

    def instance(self, part: str, kind: type) -> Any | None:
        """The study's own part, where it is of this class."""
        value = getattr(self.study.base, part) if self.study else None
        return value if type(value) is kind else None


def checks(path: Path) -> Iterator[Check]:
    """All checks of a file; SpecError for a file that cannot be run, or that defines nothing to check."""
    if path.suffix not in SUFFIXES:
        raise SpecError(f"{str(path)!r}: give a Python file, or a phase definition that ends in .sql.")
    if path.suffix == ".sql":
        yield from _of("phases", phases.checks(path))
        return
    module = _run(path)
    found = definitions(module)
    functions = [name for name in ("measure", "examine", "suggest") if callable(getattr(module, name, None))]
    if not found.classes and not found.study and not functions:
        raise SpecError(
            f"{str(path)!r} defines nothing to check: a class Task, Model or Optimizer, a function measure, examine or "
            "suggest, or STUDY = StudySpec(...). `study new` writes each."
        )
    made: dict[str, Any] = {}
    rows: list[Check] = []
    for part, kind in found.classes:
        for row in _part(part, kind, found, made):
            rows.append(row)
            yield row
    if rows:
        yield from _of("runs", _trained(found, made, rows))
    if {"measure", "examine"} & set(functions):
        pairs = [(made.get("model", OURS["model"]), made.get("task", OURS["task"]))] if made else []
        yield from _of("probe", probe.checks(module, pairs))
    if "suggest" in functions:
        yield from _of("sampler", sampler.checks(module.suggest))
    if found.study:
        spec = found.study.with_(name=path.stem)
        yield from _of("study", study.checks(spec))
        if hasattr(module, "CLAIMS"):
            yield from _of("claim", claims.checks(module.CLAIMS, spec))


def definitions(module: ModuleType) -> Found:
    """The classes of a module that look like parts, then those of its study's base that are not this package's."""
    found = Found(study=getattr(module, "STUDY", None))
    if found.study is not None and not isinstance(found.study, StudySpec):
        raise SpecError(f"STUDY is {type(found.study).__name__}: write STUDY = StudySpec(...).")
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    found.classes = [(part, kind) for kind in kinds if (part := looks_like(kind))]
    for part in PARTS if found.study else ():
        kind = type(getattr(found.study.base, part))  # pyright: ignore[reportOptionalMemberAccess]
        if not is_own(kind) and (part, kind) not in found.classes:
            found.classes.append((part, kind))
    return replace(found, classes=sorted(found.classes, key=lambda pair: list(PARTS).index(pair[0])))


def looks_like(kind: type) -> str | None:
    """`task`, `model` or `optimizer`, by the class's name, else by what `build` takes, or by `update`."""
    if issubclass(kind, torch.nn.Module):
        return None
    named = next((part for part, (_, name) in PARTS.items() if kind.__name__ == name), None)
    if named or callable(getattr(kind, "update", None)):
        return named or "optimizer"
    build = getattr(kind, "build", None)
    if not inspect.isfunction(build):
        return None
    return {2: "task", 3: "model"}.get(len(inspect.signature(build).parameters))


def _part(part: str, kind: type, found: Found, made: dict[str, Any]) -> Iterator[Check]:
    """All checks of one class by itself; `made` gets what the file's other parts are tried with."""
    label = part if kind.__name__ == PARTS[part][1] else f"{part} {kind.__name__}"
    rows = list(_of(label, fields.checks(part, kind)))
    yield from rows
    if any(row.ok is False for row in rows):
        return
    value = found.instance(part, kind)
    if value is None:
        box: list[Any] = []
        yield from _of(label, [outcome("defaults", lambda: box.append(fields.made(kind)))])
        if not box:
            return
        [value] = box
    made[part] = value
    if part == "task":
        yield from _of(label, task.checks(value))
    elif part == "model":
        base = found.study.base if found.study else None
        beside = base.task if base and base.model is value else made.get("task", OURS["task"])
        yield from _of(label, model.checks(Case(value, beside, base.loss if base else None)))
    else:
        yield from _of(label, optimizer.checks(kind))


def _trained(found: Found, made: dict[str, Any], rows: Sequence[Check]) -> Iterator[Check]:
    """Runs of the file's parts, in the study's base or beside parts of ours."""
    waits = next((row for row in rows if row.ok is False or (row.ok is None and row.name.endswith(": build"))), None)
    if waits:
        yield Check("training", None, f"not tried before `{waits.name}` is mended")
        return
    specs: list[RunSpec] = []
    row = outcome("spec", lambda: specs.append(_spec(found, made)))
    if not specs:
        yield row
        return
    runs = training.seeded(specs[0])
    if "optimizer" in made:
        own = optimizer.varied(type(made["optimizer"]))
        runs = [replace(run, optimizer=value) for run, value in zip(runs, own, strict=True)]
    yield from training.checks(runs)


def _spec(found: Found, made: dict[str, Any]) -> RunSpec:
    if found.study:
        return found.study.base
    parts = {**OURS, **({} if "task" in made else {"model": mlp.Model(width=16)}), **made}
    numbers = asks_for_numbers(parts["task"])
    return RunSpec(**parts, loss="mse" if numbers else "cross_entropy")


def _of(label: str, rows: Iterable[Check]) -> Iterator[Check]:
    return (Check(f"{label}: {row.name}", row.ok, row.detail) for row in rows)


def _run(path: Path) -> ModuleType:
    """The module of a file; what Python says of a list as a default is said in our words."""
    try:
        if (path.parent / "__init__.py").exists():  # a module of a package, which may import its neighbours
            return import_beside(path)
        return run_file(path)
    except SpecError as error:
        text = str(error)
        if "mutable default" in text:
            text = text.replace("use default_factory", "runs are known by their fields, so make it a tuple: (1, 2)")
        raise SpecError(text) from error
