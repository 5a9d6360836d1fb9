"""StudySpec: a question, a base run, the axes that are varied, seeds and a horizon.

A study file is Python and defines `STUDY = StudySpec(...)`; its docstring states the question, the prediction and, once
known, the finding. The study's name is the file's name.
"""

import importlib.resources
import importlib.util
import itertools
import json
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trainables.components import available, closest, load
from trainables.errors import SpecError
from trainables.examine import check_probes
from trainables.spec import RunSpec

Point = dict[str, Any]
"""Values of some fields of RunSpec by dotted path: {"optimizer.weight_decay": 1.0}. A cell of a phase diagram."""

CATALOG = "study.catalog"


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """What a study asks for. Everything is checked when it is built, before any cluster is touched."""

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
    evaluations_per_decade: int = 24
    evaluation_examples: int | None = None
    """Evaluate at most so many examples of a split; None = all of them."""
    leave_when_generalized: bool = False
    probes: Sequence[str] = ()
    """Mechanistic probes of trainables/probes to run while training, `probes_per_decade` times per decade of steps."""
    probes_per_decade: int = 4
    snapshots_per_decade: int = 0
    """Weights of each run to keep per decade of steps, from step 100 on, for `study probe`; 0 = the last alone."""
    definition: str = "unified"
    """Phase definition of the study's diagrams: a file of analysis/phases."""
    search: Mapping[str, Any] | None = None
    """How a search chooses the points, and why (study/search.py). Then `axes` are the ends or values of what it looks
    over, and points are what the store has. None = all points of the axes."""
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        label = f"study {self.name or self.question!r}"
        if not isinstance(self.question, str):
            raise SpecError(f"{label}: question must be text, got {self.question!r}.")
        if not self.axes:
            raise SpecError(f"{label}: axes is empty; name at least one field of RunSpec to vary.")
        known = {"sampler": available("study.samplers"), "definition": phase_definitions()}
        for field_name, names in known.items():
            if (name := getattr(self, field_name)) not in names:
                raise SpecError(f"{label}: {field_name} {name!r} is not known. {closest(name, names)}")
        for path, values in self.axes.items():
            if not isinstance(values, Sequence) or isinstance(values, str) or not values:
                raise SpecError(f"{label}: axis {path!r} needs a list of one or more values, got {values!r}.")
        for point in self.extra:
            if not isinstance(point, Mapping):
                raise SpecError(f"{label}: extra holds points, {{path: value}}, got {point!r}.")
        for path in {*self.axes, *itertools.chain(*self.extra)} & {"seed", "data_seed"}:
            raise SpecError(f"{label}: {path!r} cannot be an axis; use `seeds` (and `fixed_split`).")
        if self.seeds < 1 or self.horizon < 1:
            raise SpecError(f"{label}: seeds and horizon must be 1 or larger, got {self.seeds} and {self.horizon}.")
        if min(self.evaluations_per_decade, 1 if self.evaluation_examples is None else self.evaluation_examples) < 1:
            raise SpecError(f"{label}: evaluations_per_decade and evaluation_examples must be 1 or larger.")
        if self.probes_per_decade < 1 or self.snapshots_per_decade < 0:
            raise SpecError(f"{label}: probes_per_decade must be 1 or larger, snapshots_per_decade 0 or larger.")
        for point in self.points():
            try:
                check_probes(self.base.with_values(point), self.probes)
            except SpecError as error:
                raise SpecError(f"{label}: {error}") from None

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
        """This study with some fields changed; None leaves a field as it is."""
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
            "evaluations_per_decade": self.evaluations_per_decade,
            "evaluation_examples": self.evaluation_examples,
            "leave_when_generalized": self.leave_when_generalized,
            "probes": list(self.probes),
            "probes_per_decade": self.probes_per_decade,
            "snapshots_per_decade": self.snapshots_per_decade,
            "definition": self.definition,
            **({"search": dict(self.search)} if self.search is not None else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], name: str) -> "StudySpec":
        """The study that `to_json` wrote, with its name; SpecError where it has other fields or values."""
        if not isinstance(data, Mapping) or "base" not in data:
            raise SpecError(f"study {name!r} must be an object with a 'base', got {data!r}.")
        try:
            return cls(**{**data, "base": RunSpec.from_json(data["base"]), "name": name})
        except TypeError as error:  # a field is missing, or unknown
            raise SpecError(f"study {name!r}: {error}.") from None


def point_key(point: Point) -> str:
    """Canonical JSON of a point: equal points, equal text."""
    return json.dumps(point, sort_keys=True)


def phase_definitions() -> list[str]:
    """Names of the files in analysis/phases, sorted."""
    found = importlib.resources.files("analysis").joinpath("phases").iterdir()
    return sorted(file.name.removesuffix(".sql") for file in found if file.name.endswith(".sql"))


def find(study: str) -> StudySpec:
    """The study of the catalog with this name, or the one that a Python file defines (the file is run)."""
    if study.endswith(".py"):
        module, name = _load_file(Path(study)), Path(study).stem
    else:
        known = available(CATALOG)
        if study not in known:
            raise SpecError(f"study {study!r} is not in the catalog (a path must end in .py). {closest(study, known)}")
        module, name = load(CATALOG, study), study
    spec = getattr(module, "STUDY", None)
    if not isinstance(spec, StudySpec):
        raise SpecError(f"study {study!r} does not define STUDY = StudySpec(...), got {type(spec).__name__}.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
        raise SpecError(f"study name {name!r} may hold letters, digits, '_' and '-' only; rename the file.")
    return replace(spec, name=name)


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise SpecError(f"study file {str(path)!r} does not exist.")
    spec = importlib.util.spec_from_file_location(f"_study_file_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too
        reason = str(error) if isinstance(error, SpecError) else f"{type(error).__name__}: {error}."
        where = f"study file {str(path)!r}{_line_of(error, path)}"
        raise SpecError(f"{where} fails when it is run: {' '.join(reason.split())}") from error
    return module


def _line_of(error: BaseException, path: Path) -> str:
    """`, line 7`: the last line of the file that was at work; '' where that is not known."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines.append(error.lineno)
    return f", line {lines[-1]}," if lines and lines[-1] else ""
