"""RunSpec: everything that makes a training run what it is, and the id that follows from it.

A run is identified by the hash of its canonical JSON. The horizon is not part of it: a longer horizon continues the
same run. Every field is written out, so the id of a stored spec never depends on a default. A field that is added later
carries `metadata={"absent": value}`, the value that older specs had without saying so: where it still has that value it
is left out of the JSON, and old ids stay.
"""

import dataclasses
import functools
import hashlib
import json
import sys
import types
import typing
from dataclasses import dataclass
from typing import Any

from trainables.answers import asks_for_numbers
from trainables.components import available, closest, load
from trainables.errors import SpecError

PARTS = {"task": ("trainables.tasks", "Task"), "model": ("trainables.models", "Model")}
PARTS["optimizer"] = ("trainables.optimizers", "Optimizer")
LOSSES = ("cross_entropy", "mse", "stablemax")
PRECISIONS = ("float32", "bfloat16")


def coerce(owner: object) -> None:
    """Turn every field of a frozen dataclass into the type it declares, so that 1 and 1.0 are one value.

    Raises SpecError for a value of another kind (a string or NaN for a number, 1.5 for an int). Fields of containers,
    such as a mapping of axes, stay as they are.
    """
    hints = _hints(type(owner))
    for field in _fields(type(owner)):
        value, hint = getattr(owner, field.name), hints[field.name]
        if hint is not str or type(value) is not str:
            object.__setattr__(owner, field.name, _coerced(value, hint, owner, field.name))


_hints = functools.cache(typing.get_type_hints)
_fields = functools.cache(dataclasses.fields)
"""The types of a class's fields, and the fields: a study makes and reads a hundred thousand specs."""


def _coerced(value: Any, hint: Any, owner: object, name: str) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and types.NoneType in options:
        return None
    kind = next(option for option in options if option is not types.NoneType)
    if value is not None and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()  # a numpy number: json cannot write it
    if kind in (int, float):
        if isinstance(value, (int, float)) and not isinstance(value, bool):  # True is an int to Python, not to us
            whole = isinstance(value, int) or value.is_integer()
            if abs(value) <= sys.float_info.max and (whole or kind is float):  # neither NaN nor infinite
                return kind(value) + 0  # -0.0 + 0 is 0.0: one zero, one id
        raise SpecError(f"{_label(owner)}.{name} must be a finite {kind.__name__}, got {value!r}.")
    if kind is Any or typing.get_origin(kind) is not None or isinstance(value, kind):
        return value
    raise SpecError(f"{_label(owner)}.{name} must be {kind.__name__}, got {value!r}.")


def _label(owner: object) -> str:
    """A task, model or optimizer by its file, any other class by its own name."""
    kind = type(owner).__name__
    return name_of(owner) if kind in ("Task", "Model", "Optimizer") else kind


def at_least(component: object, **least: int) -> None:
    """SpecError unless each named field of a task, model or optimizer has its least value or a larger one."""
    for name, smallest in least.items():
        if (value := getattr(component, name)) < smallest:
            raise SpecError(f"{name_of(component)}.{name} must be {smallest} or larger, got {value}.")


def name_of(component: object) -> str:
    """The name a config uses for a task, model or optimizer: its file's name."""
    return type(component).__module__.rsplit(".", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training run. `seed` draws initial weights and the order of batches, `data_seed` the split and the labels."""

    task: Any
    """A `Task` of trainables/tasks."""
    model: Any
    """A `Model` of trainables/models."""
    optimizer: Any
    """An `Optimizer` of trainables/optimizers."""
    loss: str = "cross_entropy"
    """`cross_entropy`; `mse` against one-hot targets (mean over classes) or against numbers; or `stablemax`,
    cross-entropy whose exponential is x + 1 from 0 on and 1 / (1 - x) below (Prieto et al. 2025, arXiv 2501.04697)."""
    batch_size: int | None = None
    """Examples per step; None = full batch."""
    seed: int = 0
    data_seed: int = 0
    order_seed: int | None = None
    """Order of the batches; None = follows `seed`."""
    precision: str = dataclasses.field(default="float32", metadata={"absent": "float32"})
    """Of products and activations; weights and optimizer are always float32. `bfloat16` for large models on CUDA."""
    full_data_steps: int = dataclasses.field(default=0, metadata={"absent": 0})
    """Steps at the beginning that train on `test` as well as `train`; from then on on `train` alone. So a network that
    has generalized goes on with less data (Varma et al. 2023, arXiv 2309.02390, who call what follows ungrokking)."""

    def __post_init__(self) -> None:
        coerce(self)
        for part, (package, _) in PARTS.items():
            if not type(getattr(self, part)).__module__.startswith(package + "."):
                raise SpecError(f"RunSpec.{part} must come from {package}, got {getattr(self, part)!r}.")
        for name, known in (("loss", LOSSES), ("precision", PRECISIONS)):
            if (value := getattr(self, name)) not in known:
                raise SpecError(f"RunSpec.{name} {value!r} is not known. {closest(value, list(known))}")
        if min(self.seed, self.data_seed, self.order_seed or 0) < 0:
            raise SpecError(
                f"RunSpec: seeds must be 0 or larger, got seed={self.seed}, data_seed={self.data_seed}, "
                f"order_seed={self.order_seed}."
            )
        if self.full_data_steps < 0:
            raise SpecError(f"RunSpec.full_data_steps must be 0 or larger, got {self.full_data_steps}.")
        num_train = self.task.num_train
        if self.batch_size is not None and not 1 <= self.batch_size <= num_train:
            raise SpecError(
                f"RunSpec.batch_size must be in [1, {num_train}] (the training examples), got {self.batch_size}; "
                "None is full batch."
            )
        if asks_for_numbers(self.task) and self.loss != "mse":
            raise SpecError(f"RunSpec.loss must be 'mse' for a task that asks for numbers, got {self.loss!r}.")
        self.model.check(self.task)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, the parts named by their file; `from_json` is its inverse."""
        return _to_json(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RunSpec":
        """The spec that `to_json` wrote; SpecError where a name, a field or a value is not known."""
        if not isinstance(data, dict):
            raise SpecError(f"RunSpec must be an object with fields, got {data!r}.")
        values = dict(data)
        for part, (package, class_name) in PARTS.items():
            fields = values.get(part)
            if not isinstance(fields, dict) or not isinstance(fields.get("name"), str):
                raise SpecError(f"RunSpec.{part} must be an object with a 'name', got {fields!r}.")
            kind = getattr(load(package, fields["name"]), class_name)
            values[part] = _built(kind, {k: v for k, v in fields.items() if k != "name"}, f"{part} {fields['name']!r}")
        return _built(cls, values, "RunSpec")

    @functools.cached_property
    def run_id(self) -> str:
        """16 hex digits: BLAKE2b of the canonical JSON (sorted keys, no spaces)."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @functools.cached_property
    def pack_key(self) -> str:
        """What runs must have in common to train in one pack: all but seeds, optimizer numbers, per-run task fields."""
        values = self.to_json()
        for seed in ("seed", "data_seed", "order_seed"):
            del values[seed]
        for field in dataclasses.fields(self.task):
            if field.metadata.get("per_run"):
                values["task"].pop(field.name, None)
        for field in dataclasses.fields(self.optimizer):
            if isinstance(getattr(self.optimizer, field.name), float):
                values["optimizer"][field.name] = "a number"  # None is another computation
        return sys.intern(json.dumps(values, sort_keys=True, separators=(",", ":")))  # one text for a hundred thousand

    def with_values(self, values: dict[str, Any]) -> "RunSpec":
        """This spec with some fields changed, by dotted path: {"optimizer.weight_decay": 1.0, "seed": 3}.

        A part by its name, as in {"optimizer": "sgd"}, keeps the values of the fields that the old one has too.
        """
        changes: dict[str, Any] = {part: getattr(self, part) for part in PARTS}
        changes |= {part: _renamed(changes[part], part, values[part]) for part in PARTS if part in values}
        fields: dict[str, dict[str, Any]] = {}
        known = _paths(changes)
        for path, value in values.items():
            part, _, field = path.partition(".")
            if path not in known:
                near = closest(path, known, "`study show STUDY` shows all.")
                raise SpecError(f"axis {path!r} is not a field of RunSpec. {near}")
            if field:
                fields.setdefault(part, {})[field] = value
            elif path not in PARTS:
                changes[path] = value
        for part, of_part in fields.items():
            changes[part] = dataclasses.replace(changes[part], **of_part)
        return dataclasses.replace(self, **changes)

    def value(self, path: str) -> Any:
        """The value at a dotted path, as in `with_values`."""
        part, _, field = path.partition(".")
        value = getattr(getattr(self, part), field) if field else getattr(self, part)
        return name_of(value) if path in PARTS else value


def paths(spec: RunSpec) -> list[str]:
    """Every dotted path that an axis of a study over this spec may name."""
    return _paths({part: getattr(spec, part) for part in PARTS})


def _paths(parts: dict[str, Any]) -> list[str]:
    own = [field.name for field in dataclasses.fields(RunSpec)]
    return own + [f"{part}.{field.name}" for part in PARTS for field in dataclasses.fields(parts[part])]


def _renamed(old: Any, part: str, name: Any) -> Any:
    """The part with this name, with what it has in common with the old one."""
    package, class_name = PARTS[part]
    if not isinstance(name, str) or name not in available(package):
        raise SpecError(f"{part} {name!r} is not known. {closest(str(name), available(package))}")
    kind = getattr(load(package, name), class_name)
    shared = {field.name for field in dataclasses.fields(kind)} & {field.name for field in dataclasses.fields(old)}
    return kind(**{field: getattr(old, field) for field in shared})


def _to_json(component: Any) -> dict[str, Any]:
    is_run = isinstance(component, RunSpec)
    values: dict[str, Any] = {} if is_run else {"name": name_of(component)}
    for field in _fields(type(component)):
        value = getattr(component, field.name)
        if "absent" in field.metadata and field.metadata["absent"] == value:
            continue
        values[field.name] = _to_json(value) if is_run and field.name in PARTS else value
    return values


def _built(kind: type, values: dict[str, Any], label: str) -> Any:
    known = [field.name for field in dataclasses.fields(kind)]
    for name in values:
        if name not in known:
            raise SpecError(f"{label} has no field {name!r}. {closest(name, known)}")
    unsaid = {f.name: f.metadata["absent"] for f in dataclasses.fields(kind) if "absent" in f.metadata}
    try:
        return kind(**(unsaid | values))
    except TypeError as error:  # a field without a default is missing
        raise SpecError(f"{label}: {error}.") from None
