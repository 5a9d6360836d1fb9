"""StudySpec: a question, a base run, the axes that are varied, seeds and a horizon.

A study file is Python and defines `STUDY = StudySpec(...)`; its docstring states the question, the prediction and, once
known, the finding. The study's name is the file's name.
"""

import copy
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from study.store.definition_source import given_definition
from study.store.definitions import Definition, definitions, ours
from study.study_file import folder_of_running, run_file
from trainables.components import available, closest, load
from trainables.errors import SpecError
from trainables.fields import plain
from trainables.observation import PROBES, Observation, check_probes
from trainables.parts import PARTS, class_of, module_of
from trainables.spec import RunSpec

Point = dict[str, Any]
"""Values of some fields of RunSpec by dotted path: {"optimizer.weight_decay": 1.0}. A cell of a phase diagram."""

CATALOG, SAMPLERS = "study.catalog", "study.samplers"


@dataclass(frozen=True, kw_only=True)
class StudySpec(Observation):
    """What a study asks for, with the fields of Observation. All of it is checked when the study is built, before any
    cluster is touched."""

    question: str
    base: RunSpec
    axes: Mapping[str, Sequence[Any]]
    """Dotted path of a RunSpec field -> its values, in the order in which they appear on a chart."""
    seeds: int
    """Runs at each point; run i has seed i."""
    horizon: int
    """Optimizer steps of every run."""
    extra: Sequence[Point] = ()
    """Points beside the grid, such as the random-label twins of a capacity curve."""
    sampler: str = "grid"
    fixed_split: bool = False
    """True keeps the base's data_seed for every seed, so that seeds differ in initialisation and order alone."""
    definition: str = "unified"
    """Phase definition of the study's diagrams: a file of study/phases by name, the path of an SQL file, beside the
    study file or in the current folder, or SQL text. In a study that is built it is the definition's name."""
    definition_sql: str = ""
    """The text of a definition that is not one of ours; filled in when the study is built."""
    search: Mapping[str, Any] | None = None
    """How a search chooses the points, and why (search/request.py). Then `axes` are the ends or values of what it looks
    over, and points are what the store has. None = all points of the axes."""
    name: str = field(default="", compare=False)
    stored: bool = field(default=False, compare=False, repr=False)
    """Read from a store: the code of parts that are a user's own may be missing, and nothing of them is checked."""

    def __post_init__(self) -> None:
        label = f"study {self.name or self.question!r}"
        if not isinstance(self.question, str):
            raise SpecError(f"{label}: question must be text, got {self.question!r}.")
        if not isinstance(self.axes, Mapping):
            raise SpecError(f"{label}: axes must be {{path: values}}, got {self.axes!r}.")
        if not self.axes:
            raise SpecError(f"{label}: axes is empty; name at least one field of RunSpec to vary.")
        if isinstance(self.extra, (str, Mapping)) or not isinstance(self.extra, Sequence):
            raise SpecError(f"{label}: extra must be a list of points, got {self.extra!r}.")
        if not isinstance(self.search, Mapping | None):
            raise SpecError(f"{label}: search is what `study search` asks for, or None; got {self.search!r}.")
        if not self.definition_sql:
            self._read_definition(label)
        axes = {path: plain(values) for path, values in self.axes.items()}
        for path, values in axes.items():
            if not isinstance(values, Sequence) or isinstance(values, str) or not values:
                raise SpecError(f"{label}: axis {path!r} needs a list of one or more values, got {values!r}.")
        for point in self.extra:
            if not isinstance(point, Mapping):
                raise SpecError(f"{label}: extra holds points, {{path: value}}, got {point!r}.")
        for path in {*self.axes, *itertools.chain(*self.extra)} & {"seed", "data_seed"}:
            raise SpecError(f"{label}: {path!r} cannot be an axis; use `seeds` (and `fixed_split`).")
        object.__setattr__(self, "axes", {path: [plain(value) for value in values] for path, values in axes.items()})
        object.__setattr__(self, "extra", [{p: plain(value) for p, value in point.items()} for point in self.extra])
        try:
            super().__post_init__()
            _ = self.stored or sampler_of(self.sampler)
            if self.seeds < 1 or self.horizon < 1:
                raise SpecError(f"seeds and horizon must be 1 or larger, got {self.seeds} and {self.horizon}.")
            self._check_points()
        except SpecError as error:
            raise SpecError(f"{label}: {error}") from None

    def _read_definition(self, label: str) -> None:
        """The name and the text of the definition, for what was given; SpecError where it does not work."""
        try:
            found = given_definition(str(self.definition), folder_of_running())
        except SpecError as error:
            raise SpecError(f"{label}: {error}") from None
        if found is None:
            near = closest(self.definition, definitions())
            raise SpecError(f"{label}: definition {self.definition!r} is not known. {near}")
        object.__setattr__(self, "definition", found.name)
        object.__setattr__(self, "definition_sql", "" if found.name in definitions() else found.sql)

    def _check_points(self) -> None:
        """SpecError for a point that cannot be run; else its values get the types of their fields, so that the points
        of 1 and of 1.0 are one cell."""
        if self.absent:
            return
        typed: dict[tuple[str, str], Any] = {}
        for point in self.points():
            run = self.base.with_values(point)
            check_probes(run, [name for name in self.probes if not self.stored or name in available(PROBES)])
            for path, value in point.items():
                typed[path, repr(value)] = known if (known := run.value(path)) == value else value
        axes = {p: [typed.get((p, repr(value)), value) for value in values] for p, values in self.axes.items()}
        object.__setattr__(self, "axes", axes)
        extra = [{p: typed[p, repr(value)] for p, value in point.items()} for point in self.extra]
        object.__setattr__(self, "extra", extra)

    @property
    def absent(self) -> list[str]:
        """The parts of a stored study whose code is not here, in words; nothing can be trained then."""
        if not self.stored:
            return []
        values = [(part, point[part]) for point in (self.axes, *self.extra) for part in PARTS if part in point]
        names = [(part, name) for part, found in values for name in ([found] if isinstance(found, str) else found)]
        return [*self.base.absent, *(f"{part} {name!r}" for part, name in names if class_of(part, name) is None)]

    @property
    def observation(self) -> Observation:
        """How the runs are observed, without the rest of the study."""
        values = {field.name: getattr(self, field.name) for field in fields(Observation)}
        return Observation(**{**values, "probes": tuple(self.probes)})

    @property
    def phase_definition(self) -> Definition:
        """The phase definition itself."""
        return Definition(self.definition, self.definition_sql) if self.definition_sql else ours(self.definition)

    def points(self) -> list[Point]:
        """Every point: the product of the axes, then the extra ones, each once. A search has none of itself."""
        rows = itertools.product(*self.axes.values()) if self.search is None else ()
        grid = [dict(zip(self.axes, values, strict=True)) for values in rows]
        return list({point_key(point): point for point in [*grid, *map(dict, self.extra)]}.values())

    def run(self, point: Point, seed: int) -> RunSpec:
        """The run with this seed at this point."""
        seeds = {"seed": seed} if self.fixed_split else {"seed": seed, "data_seed": seed}
        return self.base.with_values({**point, **seeds})

    def with_(self, **changes: Any) -> "StudySpec":
        """This study with some fields changed; None leaves a field as it is. SpecError for a name that is no field."""
        known = [field.name for field in fields(self)]
        for name in changes.keys() - set(known):
            raise SpecError(f"study {self.name or self.question!r} has no field {name!r}. {closest(name, known)}")
        if changes.get("definition") is not None:
            changes = {"definition_sql": "", **changes}
        return replace(self, **{name: value for name, value in changes.items() if value is not None})

    def to_json(self) -> dict[str, Any]:
        """What the store and the report keep of the study."""
        return {
            "question": self.question,
            "base": self.base.to_json(),
            "axes": {path: list(values) for path, values in self.axes.items()},
            "extra": [dict(point) for point in self.extra],
            "seeds": self.seeds,
            "horizon": self.horizon,
            "sampler": self.sampler,
            "fixed_split": self.fixed_split,
            **self.observation.to_json(),
            "definition": self.definition,
            **({"definition_sql": self.definition_sql} if self.definition_sql else {}),
            **({"search": dict(self.search)} if self.search is not None else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], name: str) -> "StudySpec":
        """The study that `to_json` wrote, with its name; SpecError where it has other fields or values."""
        if not isinstance(data, Mapping) or "base" not in data:
            raise SpecError(f"study {name!r} must be an object with a 'base', got {data!r}.")
        try:
            return cls(**{**data, "base": RunSpec.from_json(data["base"]), "name": name, "stored": True})
        except TypeError as error:  # a field is missing, or unknown
            raise SpecError(f"study {name!r}: {error}.") from None


def sampler_of(name: str) -> ModuleType:
    """The sampler with this name: a file of study/samplers, or a module of one's own that defines `suggest`; SpecError
    for neither."""
    return module_of(SAMPLERS, name, available(SAMPLERS), "suggest")


def point_key(point: Point) -> str:
    """Canonical JSON of a point: equal points, equal text."""
    return json.dumps(point, sort_keys=True)


def find(study: "str | Path | StudySpec") -> StudySpec:
    """The study of the catalog with this name, or the one that a Python file defines (the file is run), or the spec
    itself, if its name may stand in a store."""
    if isinstance(study, StudySpec):
        mend = "Give it another name: StudySpec(name=...)." if study.name else "Give it a name: StudySpec(name=...)."
        _check_name(study, study.name, f"study {study.name!r}", mend)
        return study
    return load_study(str(study))[0]


def load_study(study: str) -> tuple[StudySpec, ModuleType]:
    """The study of the catalog with this name, or the one that a Python file defines, and the module that holds it."""
    if study.endswith(".py"):
        module, name = run_file(Path(study)), Path(study).stem
    else:
        known = available(CATALOG)
        if study not in known:
            near = closest(study, known, "`study list` shows all.")
            raise SpecError(f"study {study!r} is not in the catalog (a path must end in .py). {near}")
        module, name = load(CATALOG, study), study
    spec = getattr(module, "STUDY", None)
    if not isinstance(spec, StudySpec):
        raise SpecError(f"study {study!r} does not define STUDY = StudySpec(...), got {type(spec).__name__}.")
    if study.endswith(".py"):
        _check_name(spec, name, f"study file {study!r}", "Rename the file.")
    named = copy.copy(spec)  # not `replace`, which would check every point once more
    object.__setattr__(named, "name", name)
    return named, module


def _check_name(spec: StudySpec, name: str, label: str, mend: str) -> None:
    """SpecError for a name that cannot stand in a store, and for that of a study of the catalog with other runs."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
        raise SpecError(f"{label}: the name {name!r} may hold letters, digits, '_' and '-' only. {mend}")
    if name in available(CATALOG) and not _same_runs(spec, load(CATALOG, name).STUDY):
        raise SpecError(
            f"{label} has the name of a study of the catalog and another base; in a store it would pass for {name!r}. "
            f"{mend}"
        )


def _same_runs(a: StudySpec, b: StudySpec) -> bool:
    """True if runs of two studies at one point are the same."""
    return (a.base, a.fixed_split) == (b.base, b.fixed_split)
