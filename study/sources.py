"""The source of a user's own parts: its digest, which every attempt records; its text, which the store keeps; and its
files, which workers get, on whatever node they are.

Files travel with each pack and come behind everything that is installed in a worker's search path.
"""

import ast
import hashlib
import importlib
import itertools
import json
import os
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study import study_file
from study.spec import StudySpec
from trainables.components import available
from trainables.errors import SpecError
from trainables.observation import PROBES
from trainables.parts import PARTS, Absent, class_of, is_own
from trainables.spec import RunSpec

INSTALLED = tuple({f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")})
LEFT_OUT = ("STUDY", "CLAIMS")
"""What a study file defines and no part needs: another axis or another bar is no other source."""
MAX_BYTES = 20_000_000
"""Of files that travel with a study's packs."""


@dataclass(frozen=True)
class Sources:
    """The sources of the parts of a study's runs that are not this package's."""

    digests: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Modules of a run's own parts -> 16 hex digits."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Digest -> module -> its text."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Path below a folder of the search path -> content; what is installed stays where it is."""
    modules: tuple[str, ...] = ()
    """What a worker imports before it makes a run."""

    def digest(self, spec: RunSpec) -> str | None:
        """Of the source of a run's parts; None where all of them are this package's."""
        return self.digests.get(_modules(type(getattr(spec, part)) for part in PARTS))


def sources_of(study: StudySpec) -> Sources:
    """The sources of what a study's runs may have for parts, and of its probes, as they are now."""
    named = {part: [point[part] for point in (study.axes, *study.extra) if part in point] for part in PARTS}
    kinds = [
        {type(getattr(study.base, part)), *(class_of(part, name) for names in named[part] for name in _listed(names))}
        for part in PARTS
    ]
    parts = {modules for chosen in itertools.product(*kinds) if (modules := _modules(chosen))}
    probes = tuple(name for name in study.probes if name not in available(PROBES))
    modules = tuple(sorted({name for names in parts for name in names} | {*probes}))
    if not modules:
        return Sources()
    texts = {names: _texts(names) for names in parts}
    digests = {names: _digest(found) for names, found in texts.items()}
    files = _files({name for found in texts.values() for name in found} | {*_texts(probes)})
    return Sources(digests, {digests[names]: found for names, found in texts.items()}, files, modules)


def _listed(names: Any) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def _modules(kinds: Iterable[type | None]) -> tuple[str, ...]:
    """The modules of parts that are not this package's, sorted."""
    return tuple(sorted({kind.__module__ for kind in kinds if kind not in (None, Absent) and not is_own(kind)}))


_installed: list[Mapping[str, bytes]] = []
"""The files that this process has taken last."""


def install(sources: Sources, into: Path) -> None:
    """In a worker: put the files into a new folder in `into` and import the modules; SpecError, with the node, for what
    cannot be imported."""
    if sources.files and sources.files not in _installed:
        folder = Path(tempfile.mkdtemp(prefix="sources-", dir=into))  # a name that nobody can have taken before
        for name, content in sources.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        study_file.look_beside(folder.absolute())
        _installed[:] = [sources.files]
    node, before = f"node {socket.gethostname()}", set(sys.modules)
    for name in sources.modules:
        try:
            with study_file.running(Path(study_file.folders()[0]) if study_file.folders() else into):
                module = importlib.import_module(name)
        except Exception as error:
            raise SpecError(
                f"{node}: module {name!r} cannot be imported ({type(error).__name__}: {error}). What it imports must "
                f"be beside the study file or installed on every node."
            ) from error
        where = getattr(module, "__file__", None) or ""
        if any(path in sources.files for path in _paths(name)) and where.startswith(INSTALLED):
            raise SpecError(f"{node}: {where!r} is installed there and hides the module {name!r}. Rename yours.")
    if sources.files:
        study_file.remember(before, Path(study_file.folders()[0]))


def _paths(module: str) -> tuple[str, str]:
    path = module.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def _texts(modules: Sequence[str]) -> dict[str, str]:
    """The text of these modules and of all modules of the user's that they import, by name."""
    found: dict[str, str] = {}
    todo = list(modules)
    roots = {name.partition(".")[0] for name in modules}
    while todo:
        name = todo.pop()
        file = getattr(sys.modules.get(name), "__file__", None)
        if name in found or file is None or not _is_users(name, file, roots):
            continue
        found[name] = Path(file).read_text(encoding="utf-8")
        package = name if Path(file).stem == "__init__" else name.rpartition(".")[0]
        todo += [name.rpartition(".")[0], *_imports(found[name], package)]
    return dict(sorted(found.items()))


def _is_users(name: str, file: str, roots: set[str]) -> bool:
    root = name.partition(".")[0]
    if root in study_file.OURS or not file.endswith(".py"):
        return False
    return root in roots or not file.startswith(INSTALLED)


def _imports(text: str, package: str) -> list[str]:
    """Names of all modules that a text may import, also inside functions, and of modules in what it imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return names


def _digest(texts: Mapping[str, str]) -> str:
    """16 hex digits of what the modules do, without comments, layout, docstrings of modules and the study itself."""
    said = {name: _essence(text) for name, text in texts.items()}
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()


def _essence(text: str) -> str:
    tree = ast.parse(text)
    if ast.get_docstring(tree) is not None:
        tree.body.pop(0)
    tree.body = [node for node in tree.body if not _defines(node, LEFT_OUT)]
    return ast.unparse(tree)


def _defines(node: ast.stmt, names: Sequence[str]) -> bool:
    targets: list[Any] = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(target, ast.Name) and target.id in names for target in targets)


def _files(modules: Iterable[str]) -> dict[str, bytes]:
    """The files of these modules that are not installed; of a package all of them, and beside a study file what that
    has imported and the phase definitions."""
    found: dict[str, Path] = {}
    for root in sorted({name.partition(".")[0] for name in modules}):
        module = sys.modules.get(root)
        file = getattr(module, "__file__", None)
        if file and not file.startswith(INSTALLED):
            found |= study_file.files_of(Path(file))
    for folder in study_file.folders():
        found |= study_file.travelling(Path(folder))
    size = sum(path.stat().st_size for path in found.values())
    if size > MAX_BYTES:
        largest = max(found.values(), key=lambda path: path.stat().st_size)
        raise SpecError(
            f"what the study imports takes {size / 1e6:.0f} MB with '{largest}', and goes to workers with every pack: "
            f"at most {MAX_BYTES / 1e6:.0f} MB can. Keep data out of the packages that it imports."
        )
    return {name: path.read_bytes() for name, path in found.items()}
