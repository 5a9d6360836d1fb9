"""A study file is run for what it defines, and may import the files beside it, which come behind all that is
installed.
"""

import ast
import importlib
import importlib.machinery
import importlib.util
import itertools
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType

from trainables.components import closest
from trainables.errors import SpecError

HOME = Path(__file__).parents[1]
OURS = ("analysis", "study", "trainables")
DEPENDENCIES = (
    "altair", "click", "cmaes", "duckdb", "jinja2", "numpy", "optuna", "pandas", "pyarrow", "ray", "rich",
    "safetensors", "scipy", "sklearn", "torch", "vl_convert",
)  # fmt: skip
"""What this package needs, by the names under which it imports it; some only once a worker trains."""
HIDEABLE = (sys.stdlib_module_names | {*OURS, *DEPENDENCIES}) - {"test"}
"""Names that a file must not have. Nobody imports the standard library's tests, and many have a folder of this name."""
_folder: list[str] = []
"""The folder of the last study file, which is the last in sys.path; empty before one is run."""
_added: list[str] = []
"""What of it was added to sys.path here."""
_running: list[Path] = []
"""The folders of the study files that are being run right now, the innermost last."""
_imported: set[str] = set()
"""Modules that study files, and nobody before them, have imported from beside them."""


def run_file(path: Path) -> ModuleType:
    """The module that a study file makes; what it imports from beside it is read anew. SpecError where it fails, and
    where a file beside it has the name of another module."""
    if not path.is_file():
        raise SpecError(f"study file {str(path)!r} does not exist.")
    place = path.absolute()
    look_beside(place.parent)
    check_imports(place)
    spec = importlib.util.spec_from_file_location(path.stem, place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[spec.name] = module  # a part that is defined in the study file is found by the file's name
    _imported.add(spec.name)
    try:
        with running(place.parent):
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too
        kind = "" if isinstance(error, SpecError) else f"{type(error).__name__}: "
        reason = f"{kind}{error}{'.' if kind else ''}{_fields_near(error)}"
        where = f"study file {str(path)!r}{_line_of(error, place)}"
        raise SpecError(f"{where} fails when it is run: {' '.join(reason.split())}") from error
    finally:
        remember(before, place.parent)
    return module


def remember(before: set[str], folder: Path) -> None:
    """Modules that were imported from a folder since there were those `before` are forgotten with it."""
    beside = imported_from(folder)
    _imported.update(name for name in set(sys.modules) - before if name.partition(".")[0] in beside)


def import_beside(path: Path) -> ModuleType:
    """A file inside a package, as the module that it is there."""
    packages = list(itertools.takewhile(lambda folder: (folder / "__init__.py").exists(), path.absolute().parents))
    look_beside(packages[-1].parent)
    names = [*(folder.name for folder in reversed(packages)), path.stem]
    before = set(sys.modules)
    try:
        return import_named(".".join(names))
    finally:
        remember(before, packages[-1].parent)


def import_named(name: str) -> ModuleType:
    """The module that the command line names, installed or in the current folder; SpecError where it cannot be
    imported."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SpecError(f"module {name!r} cannot be imported: {reason}.") from error


def folder_of_running() -> Path | None:
    """The folder of the study file that is being run right now; None where none is."""
    return _running[-1] if _running else None


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """While the block runs a study file of this folder, which may name files beside it."""
    _running.append(folder)
    try:
        yield
    finally:
        _running.pop()


def folders() -> list[str]:
    """The folder of the last study file."""
    return list(_folder)


def travelling(folder: Path) -> dict[str, Path]:
    """The files that a study file of this folder needs elsewhere, by their path below it: what was imported from beside
    it, and phase definitions."""
    found = {path.name: path for path in folder.glob("*.sql") if path.is_file()}
    for path in imported_from(folder).values():
        found |= files_of(path / "__init__.py" if path.is_dir() else path)
    return found


def files_of(file: Path) -> dict[str, Path]:
    """The file of a module; of a package all files, by their path below where it is imported from."""
    if file.name != "__init__.py":
        return {file.name: file}
    within = [path for path in file.parent.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(file.parents[1]).as_posix(): path for path in within}


def imported_from(folder: Path) -> dict[str, Path]:
    """The modules of this process that are files or packages in a folder, by name, with their paths; none of ours."""
    found, within = {}, f"{folder}{os.sep}"
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None) or ""
        if name not in OURS and place.startswith(within) and (file := Path(place)) in _files(folder, name):
            found[name] = file if file.stem == name else file.parent
    return found


def check_names(folder: Path, mend: str = "Rename it.") -> None:
    """SpecError if a file or package of this folder hides a module that is needed: Python would take it instead."""
    loaded = {name for name in sys.modules if "." not in name and not name.startswith("_")}
    for path in sorted(folder.iterdir()):
        name = path.stem if path.suffix == ".py" else path.name
        files = _files(folder, name)
        if name not in HIDEABLE | loaded or not any(file.is_file() for file in files):
            continue
        used = HOME / name / "__init__.py" if name in OURS else getattr(sys.modules.get(name), "__file__", None)
        if not used or Path(used) not in files:
            raise SpecError(f"'{path}' hides the module {name!r} ({used or 'of Python'}), which is needed. {mend}")


def check_imports(file: Path) -> None:
    """SpecError if a study file imports a name that is beside it and that Python takes from elsewhere."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return  # running it says what is wrong
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    others = [place for place in sys.path if Path(place or ".").resolve() != file.parent.resolve()]
    for name in {name.partition(".")[0] for name in named}:
        mine = next((path for path in _files(file.parent, name) if path.is_file()), None)
        found = mine and importlib.machinery.PathFinder.find_spec(name, others)
        if found and found.origin:
            raise SpecError(
                f"'{mine}' hides the module {name!r} ({found.origin}), which Python takes first. Rename yours."
            )


def look_beside(folder: Path) -> None:
    """Make what is in the folder importable, and forget what earlier study files have imported from beside them."""
    for name in _imported:
        sys.modules.pop(name, None)
    _imported.clear()
    for old in _added:
        with suppress(ValueError):
            sys.path.remove(old)
    _added.clear()
    check_names(folder)
    _folder[:] = [str(folder)]
    if str(folder) not in sys.path:  # where a user has put it, it stays
        sys.path.append(str(folder))
        _added.append(str(folder))
    importlib.invalidate_caches()  # a file may have come since the folder was last looked at


def _files(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.py", folder / name / "__init__.py"


def _line_of(error: BaseException, place: Path) -> str:
    """`, line 7`: the last line of the file that was at work, and as in `(parity.py, line 3)` that of a file beside it
    which has failed; '' where that is not known."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    lines = [line for name, line in frames if name == str(place) and line]
    beside = [(name, line) for name, line in frames if Path(name).is_relative_to(place.parent)]
    deeper = ""
    if beside and beside[-1][0] != str(place) and not isinstance(error, SyntaxError):  # whose text says it
        deeper = f" ({Path(beside[-1][0]).relative_to(place.parent)}, line {beside[-1][1]})"
    return f", line {lines[-1]}{deeper}," if lines else ""


def _fields_near(error: BaseException) -> str:
    """` Did you mean ...`, for a keyword that a class known in the failing line's file has no field for; else ''."""
    named = re.match(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if not isinstance(error, TypeError) or named is None or error.__traceback__ is None:
        return ""
    [*_, (frame, _)] = traceback.walk_tb(error.__traceback__)
    seen = [*frame.f_globals.values(), *frame.f_locals.values()]
    kinds = [getattr(value, named[1], value) for value in seen]  # adamw.Optimizer, or Optimizer itself
    found = {kind for kind in kinds if is_dataclass(kind) and getattr(kind, "__name__", "") == named[1]}
    known = sorted({field.name for kind in found for field in fields(kind)})
    return f" {closest(named[2], known)}" if known else ""
