"""The parts of a run by name: the package's own, and those of anybody's modules.

A part of the package has the name of its file (`modular`). Another one has the path of its module (`parity`,
`mylab.parity`), with its class behind a colon where that is not called as the package's are (`parity:SparseParity`).
Nothing is ever imported because a spec names it, since a store may name anything: a class of another module is found
where somebody has imported that module before, for instance in a study file.
"""

import dataclasses
import functools
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from trainables.components import available, closest, load
from trainables.errors import SpecError

PARTS = {"task": ("trainables.tasks", "Task"), "model": ("trainables.models", "Model")}
PARTS["optimizer"] = ("trainables.optimizers", "Optimizer")
NEEDED = {
    "task": ("vocab_size", "num_classes", "num_tokens", "num_train", "num_examples", "chance_accuracy", "build"),
    "model": ("build",),
    "optimizer": ("slots", "columns", "update"),
}
"""What a class must have to be this part; docs/extending.md says what each means."""


@dataclass(frozen=True)
class Absent:
    """A part of a stored run whose code is not here: its name and fields, for everything that trains nothing."""

    name: str
    fields: Mapping[str, Any]

    def with_fields(self, values: Mapping[str, Any]) -> "Absent":
        """The part with some fields changed; whole numbers become floats where the field has a float."""
        typed = {
            name: float(value) if isinstance(self.fields[name], float) and isinstance(value, int) else value
            for name, value in values.items()
        }
        return Absent(self.name, {**self.fields, **typed})


def name_of(part: object) -> str:
    """The name that a config uses for a task, model or optimizer."""
    return part.name if isinstance(part, Absent) else name_of_class(type(part))


@functools.cache  # asked for every part of every spec that is made
def name_of_class(kind: type) -> str:
    """The name that a config uses for a class."""
    package, _, file = kind.__module__.rpartition(".")
    if package in {folder for folder, _ in PARTS.values()}:
        return file
    standard = kind.__qualname__ in {class_name for _, class_name in PARTS.values()}
    return kind.__module__ if standard else f"{kind.__module__}:{kind.__qualname__}"


def version_of(kind: type) -> Any:
    """The class attribute `version`, which is part of a run's id; None for a class without it."""
    return None if "version" in getattr(kind, "__dataclass_fields__", ()) else getattr(kind, "version", None)


def is_own(kind: type) -> bool:
    """True for a class of this package."""
    return kind.__module__.partition(".")[0] == "trainables"


def class_of(part: str, name: str) -> type | None:
    """The class of a task, model or optimizer by its name; None where it is not here."""
    package, class_name = PARTS[part]
    if name in available(package):
        return getattr(load(package, name), class_name)
    kind = imported(name, class_name)
    usable = isinstance(kind, type) and dataclasses.is_dataclass(kind) and not missing_of(part, kind)
    return kind if usable and name_of_class(kind) == name else None


def imported(name: str, standard: str) -> Any:
    """What `module` or `module:object` names, of a module that was imported before; None for anything else. `standard`
    is the object's name where none is said."""
    module, _, qualname = name.partition(":")
    found: Any = sys.modules.get(module)
    for word in (qualname or standard).split("."):
        found = getattr(found, "__dict__", {}).get(word)  # not what a module would import when it is asked for it
    return found


def module_of(package: str, name: str, own: list[str], *functions: str) -> ModuleType:
    """The probe or sampler with this name: one of the package's `own`, or another module that was imported before and
    defines one of these functions; SpecError for none of them."""
    if name in own:
        return load(package, name)
    module = sys.modules.get(name)
    if module is not None and any(callable(getattr(module, function, None)) for function in functions):
        return module
    raise SpecError(unknown(package.rpartition(".")[2].removesuffix("s"), name, own))


def unknown(part: str, name: str, known: list[str]) -> str:
    """The line about a name that stands for nothing that is known here."""
    module = name.partition(":")[0]
    own = f" One of your own needs `import {module}`." if re.fullmatch(r"[^\W\d]\w*(\.\w+)*", module) else ""
    return f"{part} {name!r} is not known. {closest(name, known)}{own}"


def check_class(part: str, kind: type) -> None:
    """SpecError for a class that cannot be this part of a run, with the mend."""
    package, class_name = PARTS[part]
    if is_own(kind) or kind.__module__ == "builtins":
        if not kind.__module__.startswith(f"{package}."):
            raise SpecError(
                f"RunSpec.{part} must be a {class_name} of {package} or of your own, got {kind.__qualname__}."
            )
        return
    where = f"{part} {kind.__qualname__!r} of module {kind.__module__!r}{_place(kind)}"
    if kind.__module__ == "__main__":
        raise SpecError(
            f"{part} {kind.__qualname__!r} is defined in a notebook or a script, which workers cannot import: put it "
            f"into a file (in a notebook, `%%writefile my_{part}.py` as its cell's first line) and import that."
        )
    if "<locals>" in kind.__qualname__:
        raise SpecError(f"{where} is defined inside a function, where workers do not find it: move it to the top.")
    if not dataclasses.is_dataclass(kind) or not kind.__dataclass_params__.frozen:  # pyright: ignore[reportAttributeAccessIssue]
        raise SpecError(f"{where} must be a frozen dataclass: write @dataclass(frozen=True, kw_only=True) above it.")
    if missing := missing_of(part, kind):
        raise SpecError(
            f"{where} has no {', '.join(map(repr, missing))}, which every {part} needs; see docs/extending.md."
        )
    if kind.__module__ in available(package):
        raise SpecError(f"{where} has the name of one of the package's {part}s: rename its file.")
    if not isinstance(version_of(kind), (str, int, type(None))):
        raise SpecError(f"{where}: version must be text or a whole number, got {version_of(kind)!r}.")


def _place(kind: type) -> str:
    """` (parity.py, line 9)`: where a class begins; '' where that is not known."""
    try:
        return f" ({Path(inspect.getfile(kind)).name}, line {inspect.getsourcelines(kind)[1]})"
    except (OSError, TypeError):
        return ""


def missing_of(part: str, kind: type) -> list[str]:
    """What a class lacks to be this part."""
    fields = {field.name for field in dataclasses.fields(kind)}
    return [name for name in NEEDED[part] if not hasattr(kind, name) and name not in fields]


def check_fields(part: object) -> None:
    """SpecError unless every field of a part of a user's own is a value that an id can be made of."""
    for field in dataclasses.fields(part):  # pyright: ignore[reportArgumentType]
        value = getattr(part, field.name)
        if not _is_plain(value):
            kept = "make it a tuple" if isinstance(value, (list, set)) else "keep it outside the fields"
            raise SpecError(
                f"{name_of(part)}.{field.name} must be a number, text, None or a tuple of these, because runs are "
                f"known by their fields; got {type(value).__name__} {value!r}: {kept}."
            )


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
