"""Studies of grokking: plan runs, train them through Ray Tune, keep them in a store that answers SQL."""

from typing import Any


def open(path: str = "results", *, write: bool = False) -> Any:
    """The store in a folder, read-only unless `write`: `study.open("results").sql("select ...").df()`."""
    from study.store import Store

    return Store.open(path, write=write)


def run(
    study: str,
    store: str = "results",
    *,
    storage: str | None = None,
    seeds: int | None = None,
    horizon: int | None = None,
    **options: Any,
) -> Any:
    """Train what a study of the catalog, or of a Python file, is missing; returns the Plan as it stands afterwards.

    `storage` is where a new store keeps its parts, its folder by default; `options` are those of `study run`: runs,
    device, pack_size, address, compile.
    """
    from study.service import Options
    from study.service import run as run_study
    from study.spec import find
    from study.store import Store

    spec = find(study).with_(seeds=seeds, horizon=horizon)
    return run_study(spec, Store.open(store, write=True, storage=storage), Options(**options), say=lambda line: None)
