"""RunSpec: everything that makes a training run what it is, and the id that follows from it.

A run is identified by the hash of its canonical JSON. The horizon is not part of it: a longer horizon continues the
same run. Every field is written out, so the id of a stored spec never depends on a default. A field that is added later
carries `metadata={"absent": value}`, the value that older specs had without saying so: where it still has that value it
is left out of the JSON, and old ids stay.
"""

import dataclasses
import functools
import json
import sys
from dataclasses import dataclass
from typing import Any

from trainables.answers import asks_for_numbers
from trainables.components import available, closest
from trainables.errors import SpecError
from trainables.fields import at_least as at_least
from trainables.fields import coerce as coerce
from trainables.fields import fields_of
from trainables.limits import PRECISIONS
from trainables.parts import PARTS, Absent, check_class, check_fields, class_of, is_own, name_of, unknown, version_of
from trainables.run_id import run_id

LOSSES = ("cross_entropy", "cross_entropy_16", "cross_entropy_64", "mse", "sse", "stablemax")
BATCH_ORDERS = ("drawn", "hashed")


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training run. `seed` draws initial weights and the order of batches, `data_seed` the split and the labels."""

    task: Any
    """A `Task` of trainables/tasks or of a module of one's own; docs/extending.md says what it must have."""
    model: Any
    """A `Model`, likewise."""
    optimizer: Any
    """An `Optimizer`, likewise."""
    loss: str = "cross_entropy"
    """`cross_entropy`; `mse` against one-hot targets (mean over classes) or against numbers; `sse`, the sum over
    classes; or `stablemax`, cross-entropy whose exponential is x + 1 from 0 on and 1 / (1 - x) below (Prieto et al.
    2025, arXiv 2501.04697). `cross_entropy_16` and `cross_entropy_64` have their softmax in float16 and float64: a loss
    is zero from a probability of 0.9995 on, and of 1 - 2e-16 (in float32 of 1 - 1e-7)."""
    batch_size: int | None = None
    """Examples per step; None = full batch."""
    seed: int = 0
    data_seed: int = 0
    order_seed: int | None = None
    """Order of the batches; None = follows `seed`."""
    precision: str = dataclasses.field(default="float32", metadata={"absent": "float32"})
    """Of products and activations, for large models on CUDA `tf32` or `bfloat16` (trainables/limits.py); weights and
    optimizer are always float32."""
    batch_order: str = dataclasses.field(default="drawn", metadata={"absent": "drawn"})
    """How batches are ordered: `drawn` by a generator on the host (batches.py), or `hashed` on the device, for GPUs
    that are quicker than the host (hashed_order.py). Each walks through every example once an epoch."""
    full_data_steps: int = dataclasses.field(default=0, metadata={"absent": 0})
    """Steps at the beginning that train on `test` as well as `train`; from then on on `train` alone. So a network that
    has generalized goes on with less data (Varma et al. 2023, arXiv 2309.02390, who call what follows ungrokking)."""

    def __post_init__(self) -> None:
        coerce(self)
        for part in PARTS:
            _check_part(part, getattr(self, part))
        for name, known in (("loss", LOSSES), ("precision", PRECISIONS), ("batch_order", BATCH_ORDERS)):
            if (value := getattr(self, name)) not in known:
                raise SpecError(f"RunSpec.{name} {value!r} is not known. {closest(value, list(known))}")
        if min(self.seed, self.data_seed, self.order_seed or 0) < 0:
            raise SpecError(
                f"RunSpec: seeds must be 0 or larger, got seed={self.seed}, data_seed={self.data_seed}, "
                f"order_seed={self.order_seed}."
            )
        if self.full_data_steps < 0:
            raise SpecError(f"RunSpec.full_data_steps must be 0 or larger, got {self.full_data_steps}.")
        if self.absent:
            return  # what follows takes the code of the parts
        num_train = self.task.num_train
        if self.batch_size is not None and not 1 <= self.batch_size <= num_train:
            raise SpecError(
                f"RunSpec.batch_size must be in [1, {num_train}] (the training examples), got {self.batch_size}; "
                "None is full batch."
            )
        if asks_for_numbers(self.task) and self.loss != "mse":
            raise SpecError(f"RunSpec.loss must be 'mse' for a task that asks for numbers, got {self.loss!r}.")
        if hasattr(self.model, "check"):
            self.model.check(self.task)

    @property
    def absent(self) -> list[str]:
        """The parts whose code is not here, in words; nothing can be trained then."""
        parts = ((part, getattr(self, part)) for part in PARTS)
        return [f"{part} {value.name!r}" for part, value in parts if isinstance(value, Absent)]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, the parts named by their file; `from_json` is its inverse."""
        return _to_json(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RunSpec":
        """The spec that `to_json` wrote; SpecError where a field or a value is not known.

        Nothing is imported for it but parts of this package: others are Absent unless their module has been imported.
        """
        if not isinstance(data, dict):
            raise SpecError(f"RunSpec must be an object with fields, got {data!r}.")
        values = dict(data)
        for part in PARTS:
            said = values.get(part)
            if not isinstance(said, dict) or not isinstance(said.get("name"), str):
                raise SpecError(f"RunSpec.{part} must be an object with a 'name', got {said!r}.")
            values[part] = _part(part, said["name"], {k: _hashable(v) for k, v in said.items() if k != "name"})
        return _built(cls, values, "RunSpec")

    @functools.cached_property
    def run_id(self) -> str:
        """16 hex digits, the hash of the canonical JSON."""
        return run_id(self.to_json())

    @functools.cached_property
    def pack_key(self) -> str:
        """What runs must have in common to train in one pack: all but seeds, numbers of the optimizer, and fields of
        task and model that say `per_run`: they change data or initial weights, and nothing that is computed."""
        values = self.to_json()
        for seed in ("seed", "data_seed", "order_seed"):
            del values[seed]
        for part in ("task", "model") if not self.absent else ():
            for field in fields_of(type(getattr(self, part))):
                if field.metadata.get("per_run"):
                    values[part].pop(field.name, None)
        for field in fields_of(type(self.optimizer)) if not self.absent else ():
            if isinstance(getattr(self.optimizer, field.name), float):
                values["optimizer"][field.name] = "a number"  # None is another computation
        return sys.intern(json.dumps(values, sort_keys=True, separators=(",", ":")))  # one text for a hundred thousand

    @property
    def data_key(self) -> tuple[str, int]:
        """What runs with equal data have in common."""
        return json.dumps(_to_json(self.task), sort_keys=True), self.data_seed

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
            old = changes[part]
            changes[part] = old.with_fields(of_part) if isinstance(old, Absent) else dataclasses.replace(old, **of_part)
        return dataclasses.replace(self, **changes)

    def value(self, path: str) -> Any:
        """The value at a dotted path, as in `with_values`."""
        part, _, field = path.partition(".")
        value = getattr(self, part)
        if field:
            return value.fields[field] if isinstance(value, Absent) else getattr(value, field)
        return name_of(value) if path in PARTS else value


def paths(spec: RunSpec) -> list[str]:
    """Every dotted path that an axis of a study over this spec may name."""
    return _paths({part: getattr(spec, part) for part in PARTS})


def _paths(parts: dict[str, Any]) -> list[str]:
    own = [field.name for field in fields_of(RunSpec)]
    return own + [f"{part}.{name}" for part in PARTS for name in _field_names(parts[part])]


def _field_names(part: Any) -> list[str]:
    return list(part.fields) if isinstance(part, Absent) else [field.name for field in fields_of(type(part))]


def _check_part(part: str, value: Any) -> None:
    """SpecError for what cannot be this part of a run; the fields of a class that is not ours get their types."""
    if isinstance(value, Absent):
        return
    if isinstance(value, type):
        raise SpecError(f"RunSpec.{part} must be made from its class: write {value.__name__}(...).")
    check_class(part, type(value))
    if not is_own(type(value)):
        coerce(value)
        check_fields(value)


def _hashable(value: Any) -> Any:
    """A value from JSON, where tuples have become lists."""
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _renamed(old: Any, part: str, name: Any) -> Any:
    """The part with this name, with what it has in common with the old one."""
    kind = class_of(part, name) if isinstance(name, str) else None
    if kind is None:
        raise SpecError(unknown(part, str(name), available(PARTS[part][0])))
    if isinstance(old, Absent):
        raise SpecError(f"{part} {old.name!r} is not here: import its module to take {name!r} in its place.")
    shared = {field.name for field in fields_of(kind)} & {field.name for field in fields_of(type(old))}
    return kind(**{field: getattr(old, field) for field in shared})


def _to_json(component: Any) -> dict[str, Any]:
    if isinstance(component, Absent):
        return {"name": component.name, **component.fields}
    is_run = isinstance(component, RunSpec)
    values: dict[str, Any] = {} if is_run else {"name": name_of(component)}
    if not is_run and (version := version_of(type(component))) is not None:
        values["version"] = version
    for field in fields_of(type(component)):
        value = getattr(component, field.name)
        if "absent" in field.metadata and field.metadata["absent"] == value:
            continue
        values[field.name] = _to_json(value) if is_run and field.name in PARTS else value
    return values


def _part(part: str, name: str, fields: dict[str, Any]) -> Any:
    """A part from its name and its fields; Absent where its class is not here, or is of another version."""
    kind = class_of(part, name)
    if kind is None:
        return Absent(name, fields)
    if version_of(kind) is not None or not any(field.name == "version" for field in fields_of(kind)):
        if version_of(kind) != fields.get("version"):
            return Absent(name, fields)
        fields = {k: v for k, v in fields.items() if k != "version"}
    return _built(kind, fields, f"{part} {name!r}")


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
