"""A name in a config is a file in a folder: list a folder's files, load one of them by its name.

This is the whole extension mechanism. Nothing registers itself and nothing happens on import.
"""

import difflib
import functools
import importlib
import importlib.resources
from types import ModuleType

from trainables.errors import SpecError


def available(package: str) -> list[str]:
    """Names of the files in `package` (a dotted path such as `trainables.tasks`), sorted."""
    return list(_names(package))


@functools.cache  # asked for every part of every spec that is read
def _names(package: str) -> tuple[str, ...]:
    names = (file.name for file in importlib.resources.files(package).iterdir())
    return tuple(sorted(n.removesuffix(".py") for n in names if n.endswith(".py") and not n.startswith("_")))


def closest(name: str, known: list[str]) -> str:
    """The end of an error line: a near miss if there is one, then everything that is known."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}Available: {', '.join(known)}."


def modules_of(package: str) -> list[ModuleType]:
    """All modules of `package`, by name."""
    return [load(package, name) for name in available(package)]


def load(package: str, name: str) -> ModuleType:
    """The module `name` of `package`; SpecError with the nearest name if there is no such file."""
    known = available(package)
    if name not in known:
        raise SpecError(f"No file named {name!r} in {package}. {closest(name, known)}")
    return importlib.import_module(f"{package}.{name}")
