"""Studies of grokking: plan runs, train them through Ray Tune, keep them in a store that answers SQL."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study.plan.plan import Plan
    from study.spec import StudySpec
    from study.store.database import Store

__version__ = "0.1.0"


def open(path: str | Path = "results", *, write: bool = False) -> "Store":
    """The store in a folder, read-only unless `write`: `study.open("results").sql("select ...").df()`."""
    from study.store.database import Store

    return Store.open(path, write=write)


def run(
    study: "str | Path | StudySpec",
    store: str | Path = "results",
    *,
    storage: str | None = None,
    seeds: int | None = None,
    horizon: int | None = None,
    runs: int | None = None,
    device: str = "auto",
    pack_size: int | None = None,
    address: str = "auto",
    compile: str = "auto",
    prune: str | None = None,
    cpus_per_pack: int = 1,
    gpus_per_pack: float = 1.0,
) -> "Plan":
    """Train what a study is missing; returns the Plan as it stands afterwards.

    `study` is a name of the catalog, the path of a Python file, or a StudySpec with a name. `storage` is where a new
    store keeps its parts, its folder by default; the others are the options of `study run`. A Ray that this process has
    initialised is used, and left running. How far it is goes to stderr, as on the command line. Raises SpecError for
    what cannot be run.
    """
    from study.cli.progress_line import ProgressLine
    from study.spec import find
    from study.store.database import Store
    from study.train.options import Options
    from study.train.service import run as run_study

    spec = find(study).with_(seeds=seeds, horizon=horizon)
    options = Options(
        device=device,
        pack_size=pack_size,
        address=address,
        compile=compile,
        runs=runs,
        prune=prune,
        cpus_per_pack=cpus_per_pack,
        gpus_per_pack=gpus_per_pack,
    )
    with ProgressLine() as line:
        return run_study(spec, Store.open(store, write=True, storage=storage), options, say=line.say)
