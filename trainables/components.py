"""A name in a config is a file in a folder: list a folder's files, load one of them by its name.

This is the whole extension mechanism. Nothing registers itself and nothing happens on import.
"""

import difflib
import functools
import importlib
import importlib.resources
from types import ModuleType

from trainables.errors import SpecError

FEW_NAMES = 8
"""So many names an error line lists in full."""
NEAR_NAMES = 5


def available(package: str) -> list[str]:
    """Names of the files in `package` (a dotted path such as `trainables.tasks`), sorted."""
    return list(_names(package))


@functools.cache  # asked for every part of every spec that is read
def _names(package: str) -> tuple[str, ...]:
    names = (file.name for file in importlib.resources.files(package).iterdir())
    return tuple(sorted(n.removesuffix(".py") for n in names if n.endswith(".py") and not n.startswith("_")))


def closest(name: str, known: list[str], listing: str = "") -> str:
    """The end of an error line: the nearest of the known names, then all of them where they are few.

    Where they are many, up to NEAR_NAMES of them are named, and `listing` says what lists the others, in a sentence.
    """
    name = str(name)  # a spec that was written by hand may hold anything
    near = near_names(name, known)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    if len(known) <= FEW_NAMES:
        rest = f"Available: {', '.join(known)}."
    elif near:
        rest = f"Also near: {', '.join(near[1:])}." if near[1:] else ""
        listing = listing or f"There are {len(known)} names."
    else:
        rest = f"Some of the {len(known)} names: {', '.join(difflib.get_close_matches(name, known, NEAR_NAMES, 0.0))}."
    return " ".join(part for part in (hint, rest, listing if len(known) > FEW_NAMES else "") if part)


def near_names(name: str, known: list[str]) -> list[str]:
    """Up to NEAR_NAMES of the known names, the nearest first: those spelled alike, then those that contain `name`."""
    alike = difflib.get_close_matches(name, known, NEAR_NAMES)
    longer = [other for other in known if len(name) > 2 and name.lower() in other.lower()]
    return list(dict.fromkeys([*alike, *longer]))[:NEAR_NAMES]


def modules_of(package: str) -> list[ModuleType]:
    """All modules of `package`, by name."""
    return [load(package, name) for name in available(package)]


def load(package: str, name: str) -> ModuleType:
    """The module `name` of `package`; SpecError with the nearest name if there is no such file."""
    known = available(package)
    if name not in known:
        folder = package.replace(".", "/")
        raise SpecError(f"No file named {name!r} in {package}. {closest(name, known, f'{folder}/ holds all.')}")
    return importlib.import_module(f"{package}.{name}")
