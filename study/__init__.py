"""Studies of grokking: plan runs, train them through Ray Tune, keep them in a store that answers SQL, and say what they
mean.

All public calls are here. Nothing heavy is imported before the first of them.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis import boundary, check_claims, classify, law, phase_diagram, report
    from analysis.claim import Claim
    from study.plan.plan import Plan
    from study.spec import StudySpec
    from study.store.database import Store
    from trainables.spec import RunSpec

__all__ = ["Claim", "RunSpec", "StudySpec", "boundary", "check_claims", "classify", "law", "open", "phase_diagram",
           "report", "run"]  # fmt: skip
__version__ = "0.1.0"

ELSEWHERE = {
    "StudySpec": "study.spec",
    "RunSpec": "trainables.spec",
    "Claim": "analysis.claim",
    **dict.fromkeys(("boundary", "check_claims", "classify", "law", "phase_diagram", "report"), "analysis"),
}
"""Public names, and the modules that they are taken from when they are first asked for."""


def __getattr__(name: str) -> Any:
    """A public name of another module; ImportError where a folder of the user's own is imported in our `analysis`'s
    place."""
    if name not in ELSEWHERE:
        raise AttributeError(f"module 'study' has no attribute {name!r}")
    module = importlib.import_module(ELSEWHERE[name])
    package = importlib.import_module(ELSEWHERE[name].partition(".")[0])
    if Path(package.__file__ or "").parent.parent != Path(__file__).parent.parent:
        raise ImportError(f"{package.__file__!r} hides the module {package.__name__!r} of this package: rename it.")
    return getattr(module, name)


def __dir__() -> list[str]:
    return [*globals(), *ELSEWHERE]


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
    retrain: bool = False,
    cpus_per_pack: int = 1,
    gpus_per_pack: float = 1.0,
) -> "Plan":
    """Train what a study is missing; returns the Plan as it stands afterwards.

    `study` is a name of the catalog, the path of a Python file, or a StudySpec with a name. `storage` is where a new
    store keeps its parts, its folder by default; the others are the options of `study run`. A Ray that this process has
    initialised is used, and left running. How far it is goes to stderr, as on the command line; in a notebook it is a
    bar. Raises SpecError for what cannot be run.
    """
    from study.check.preflight import preflight
    from study.cli.notebook_bar import NotebookBar, in_notebook
    from study.cli.progress_line import ProgressLine
    from study.spec import find
    from study.store.database import Store
    from study.train.options import Options
    from study.train.service import run as run_study

    spec = find(study).with_(seeds=seeds, horizon=horizon)
    preflight(spec)
    options = Options(
        device=device,
        pack_size=pack_size,
        address=address,
        compile=compile,
        runs=runs,
        prune=prune,
        retrain=retrain,
        cpus_per_pack=cpus_per_pack,
        gpus_per_pack=gpus_per_pack,
    )
    with NotebookBar() if in_notebook() else ProgressLine() as line:
        return run_study(spec, Store.open(store, write=True, storage=storage), options, say=line.say)
