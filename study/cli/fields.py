"""Dotted paths of a study's fields, read from source text: importing a study imports torch, which takes seconds.

The tree of a file's text is followed from `STUDY` to the `Task`, `Model` and `Optimizer` that it is built of, through
helpers and other files. Nothing is run. A study that is built in another way has the fields of RunSpec alone.
"""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

PARTS = {"Task": "task", "Model": "model", "Optimizer": "optimizer"}
CATALOG = "study.catalog"


def paths_of(study: str) -> list[str]:
    """What --over and --set may name for a study of the catalog or a file: `optimizer.weight_decay`, `batch_size`."""
    file = Path(study) if study.endswith(".py") else _file(f"{CATALOG}.{study}")
    parts = dict(reversed(list(_parts(_tree(file), "STUDY"))))  # of two the first one counts
    found = _fields("trainables.spec", "RunSpec")
    for kind, part in PARTS.items():
        found += [f"{part}.{field}" for field in (_fields(parts[kind], kind) if kind in parts else ())]
    return found


def _parts(tree: ast.Module, name: str) -> Iterator[tuple[str, str]]:
    """Kind and module of each part that the definition of a name uses, those of other files last: they are replaced."""
    imported, defined, seen = _imported(tree), _defined(tree), set[str]()
    waiting, elsewhere = [name], list[tuple[str, str]]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in defined:
            continue
        seen.add(name)
        for node in ast.walk(_base(defined[name]) if name == "STUDY" else defined[name]):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
                module = ".".join(imported[node.value.id])
                if node.attr in PARTS and not module.startswith(CATALOG):
                    yield node.attr, module
                else:  # coverage.STUDY
                    elsewhere.append((module, node.attr))
            elif isinstance(node, ast.Name):
                waiting.append(node.id)
                if node.id in imported:  # from study.catalog._wang2024 import small
                    elsewhere.append(imported[node.id])
    for module, name in elsewhere:
        if module.startswith(f"{CATALOG}."):
            yield from _parts(_tree(_file(module)), name)


def _base(study: ast.stmt) -> ast.AST:
    """Of `STUDY = StudySpec(base=...)`, or of what replaces fields of another study, the base; else all of it."""
    for node in ast.walk(study):
        if isinstance(node, ast.keyword) and node.arg == "base":
            return node.value
    return study


def _fields(module: str, name: str) -> list[str]:
    """Fields of a dataclass, those of its bases first."""
    tree = _tree(_file(module))
    imported, found = _imported(tree), list[str]()
    definition = _defined(tree).get(name)
    if not isinstance(definition, ast.ClassDef):
        return []
    for base in definition.bases:
        if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name) and base.value.id in imported:
            found += _fields(".".join(imported[base.value.id]), base.attr)
        elif isinstance(base, ast.Name):
            found += _fields(*imported[base.id]) if base.id in imported else _fields(module, base.id)
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
    return list(dict.fromkeys(found))


def _imported(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Local name -> module and name there, of every `from module import name`."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _defined(tree: ast.Module) -> dict[str, ast.stmt]:
    """Name -> the statement that defines it, at the top level of a file."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            names = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            found |= dict.fromkeys(names, node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _file(module: str) -> Path:
    """Where a module's source is. Its packages are imported, itself it is not."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin:
        raise ModuleNotFoundError(module)
    return Path(spec.origin)
