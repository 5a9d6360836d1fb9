"""Names that the shell completes, found without importing torch, Ray or DuckDB: somebody waits for them."""

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from study.search.bases import BASES
from study.store.definitions import definitions as known_definitions
from trainables.components import available

CATALOG, SAMPLERS, PROBES = "study.catalog", "study.samplers", "trainables.probes"
DEVICES, COMPILES, PRUNERS, ADDRESSES = ("auto", "cpu", "cuda"), ("auto", "on", "off"), ("asha",), ("auto", "local")
OBJECTIVES = (
    "min:train_step_95", "min:test_step_90", "min:test_step_95", "min:ood_step_95", "max:max_test_accuracy",
    "max:final_test_accuracy", "max:final_ood_accuracy", "min:final_norm",
)  # fmt: skip
"""Columns of outcomes that are sought most; any other number there works, too."""

Names = Callable[[click.Context, str], Iterable[str | CompletionItem]]
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def completing(names: Names) -> Completer:
    """A `shell_complete` for click: the names that begin with what is typed; none where anything fails."""

    def complete(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        try:
            found = [n if isinstance(n, CompletionItem) else CompletionItem(n) for n in names(context, typed)]
        except Exception:  # a traceback in the middle of somebody's command line helps nobody
            return []
        return [item for item in found if item.value.startswith(typed)]

    return complete


def studies(context: click.Context, typed: str) -> Iterator[str | CompletionItem]:
    """Studies of the catalog with their questions, those of the store, and files."""
    yield from catalog()
    yield from sorted(set(stored(context)) - set(available(CATALOG)))
    yield from files(typed)


def catalog(*_: object) -> Iterator[CompletionItem]:
    """Studies of the catalog; the first line of each file is its question."""
    folder = _folder(CATALOG)
    for name in available(CATALOG):
        with (folder / f"{name}.py").open(encoding="utf-8") as file:
            yield CompletionItem(name, help=file.readline().strip().strip('"'))


def stored(context: click.Context, typed: str = "") -> list[str]:
    """Studies of the store that --store names, by the names of its plans."""
    plans = Path(context.params.get("store") or "results", "parts", "plan")
    return sorted({re.sub(r"-[0-9a-f]{16}$", "", plan.stem) for plan in plans.glob("*.parquet")})


def files(typed: str) -> Iterator[str]:
    """Study files, and folders that may hold some once a name is begun."""
    folder = Path(typed[: typed.rfind("/") + 1] or ".")
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = f"{typed[: typed.rfind('/') + 1]}{path.name}"
        if path.is_dir() and typed and not path.name.startswith("."):
            yield f"{name}/"
        elif path.suffix == ".py":
            yield name


def catalog_and_files(context: click.Context, typed: str) -> Iterator[str | CompletionItem]:
    """Studies that need no store."""
    yield from catalog()
    yield from files(typed)


def tasks(context: click.Context, typed: str) -> Iterator[str | CompletionItem]:
    """What a search may be on."""
    yield from (CompletionItem(name, help=f"from {', '.join(models.values())}") for name, models in BASES.items())
    yield from catalog_and_files(context, typed)


def models(context: click.Context, typed: str) -> Iterable[str]:
    """Models that the task of a search has a base for."""
    return BASES.get(_task(context), ())


def axes(context: click.Context, typed: str) -> Iterator[str]:
    """Dotted paths of the base run of a search, to be followed by values; after `optimizer=` the optimizers,
    after `lo:hi:` what a range may be."""
    from study.cli.fields import paths_of

    part, equals, form = typed.partition("=")
    if equals and (end := re.fullmatch(r"([^:,]+:[^:]+(?::log|:int)*):[a-z]*", form)):
        return (f"{part}={end[1]}:{kind}" for kind in ("log", "int"))
    if equals:
        return (f"{part}={name}" for name in available(f"trainables.{part}s") if part in ("model", "optimizer"))

    bases = BASES.get(_task(context))
    study = (
        _task(context) if bases is None else bases.get(context.params.get("model") or "") or next(iter(bases.values()))
    )
    return (f"{path}=" for path in paths_of(study) if path not in ("seed", "data_seed", "task"))


def _task(context: click.Context) -> str:
    """The TASK of a search. Before an option without its value click has not sorted out the arguments."""
    return context.params.get("task") or next(iter(context.args), "")


def definitions(context: click.Context, typed: str) -> Iterable[str]:
    """Phase definitions, and SQL files of this folder."""
    return [*known_definitions(), *sorted(path.name for path in Path().glob("*.sql"))]


def claims(context: click.Context, typed: str) -> Iterable[str | CompletionItem]:
    """Files of claims, and the studies that they may be about."""
    rows = sorted(file.stem for file in _folder("analysis").joinpath("claims").glob("[!_]*.py"))
    named = list(catalog())
    return [*named, *(row for row in rows if row not in available(CATALOG))]


def charts(*_: object) -> Iterator[CompletionItem]:
    """Files of charts; the first line of each says what it shows."""
    for path in sorted(_folder("analysis").joinpath("charts").glob("[!_]*.py")):
        with path.open(encoding="utf-8") as file:
            yield CompletionItem(path.stem, help=file.readline().strip().strip('"'))


def listed(*names: str) -> Completer:
    """These names."""
    return completing(lambda context, typed: names)


def files_of(package: str) -> Completer:
    """Names of the files in a package."""
    return completing(lambda context, typed: available(package))


def _path(kind: str, context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    return [CompletionItem(typed, type=kind)]  # the shell itself completes paths


any_file, any_folder = partial(_path, "file"), partial(_path, "dir")


def _folder(package: str) -> Path:
    """The folder of a package, which is not imported."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    return Path((spec.submodule_search_locations or [""])[0])
