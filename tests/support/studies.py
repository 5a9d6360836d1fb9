"""A study small enough to train in a test, as a StudySpec and as a file for the command line, and what came of it."""

import os
import subprocess
import sys
from collections.abc import Set
from pathlib import Path
from typing import Any

from study.plan.packing import Machine
from study.plan.plan import Plan, plan_runs, planned_runs
from study.plan.write import write
from study.sources import sources_of
from study.spec import StudySpec, find
from study.store.database import Store
from study.store.parts import write_sources
from study.train.worker import Settings, train
from trainables.models import mlp
from trainables.observation import Observation
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

MACHINE = Machine("cpu", workers=2, memory=1e9)

SOURCE = '''
"""Does it run?"""
from study.spec import StudySpec
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = StudySpec(
    question="Does it run?",
    base=RunSpec(
        task=modular.Task(p=11, train_fraction=0.5),
        model=mlp.Model(width=16),
        optimizer=adamw.Optimizer(learning_rate={learning_rate}, weight_decay=1.0),
        loss="mse",
    ),
    axes={axes},
    seeds={seeds},
    horizon={horizon},
    evaluations_per_decade=8,
)
'''
AXES = {"task.train_fraction": (0.5, 0.8), "optimizer.weight_decay": (0.5, 2.0)}


def small(name: str = "small", **changes: Any) -> StudySpec:
    """Four points, two seeds, a few steps."""
    base = RunSpec(
        task=modular.Task(p=11, train_fraction=0.5),
        model=mlp.Model(width=16),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=1.0),
        loss="mse",
    )
    values = {"question": "Does it run?", "base": base, "axes": AXES, "seeds": 2, "horizon": 60, "name": name}
    return StudySpec(**(values | {"evaluations_per_decade": 8} | changes))


def study_file(
    folder: Path,
    name: str = "small",
    *,
    axes: Any = AXES,
    seeds: int = 2,
    horizon: int = 60,
    learning_rate: float = 0.01,
) -> Path:
    """A file that defines `small` with these changes.

    Beyond a hundred steps or so, learning rate 0.01 amplifies the rounding in which packs of other sizes and processors
    differ (2e-2 in a loss by step 256, against 2e-7 at 0.003).
    """
    path = folder / f"{name}.py"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCE.format(axes=axes, seeds=seeds, horizon=horizon, learning_rate=learning_rate))
    return path


def settings(store: Store, **changes: Any) -> Settings:
    values = {"device": "cpu", "threads": 1, "compile": "off", "observe": Observation(evaluations_per_decade=8)}
    return Settings(**({"place": store.place} | values | changes))


def make_plan(
    study: StudySpec,
    store: Store | None,
    machine: Machine = MACHINE,
    pack_size: int | None = None,
    limit: int | None = None,
    pruning: bool = False,
) -> Plan:
    """The plan of all runs of a study, or of the first `limit`."""
    return plan_runs(study, planned_runs(study, limit), store, machine, pack_size, pruning=pruning)


def planned(study: StudySpec, store: Store, pack_size: int | None = None, limit: int | None = None) -> Plan:
    """The plan, written and brought in as `study run` does it."""
    store.ingest()
    plan = make_plan(study, store, MACHINE, pack_size, limit)
    write(plan, store)
    store.ingest()
    return plan


def trained(
    study: StudySpec,
    store: Store,
    pack_size: int | None = None,
    limit: int | None = None,
    only: Set[str] | None = None,
) -> Plan:
    """The plan before training: every missing pack has been trained in this process, without Ray; with `only`, those
    that hold one of these runs."""
    plan, sources = planned(study, store, pack_size, limit), sources_of(study)
    write_sources(store.place, sources.texts)
    for pack in plan.packs:
        if only is None or not only.isdisjoint(pack.run_ids):
            train(pack, settings(store, sources=sources), "trial", lambda message: None)
    store.ingest()
    return plan


def trained_file(path: Path, folder: Path, pack_size: int | None = None, only: Set[str] | None = None) -> Store:
    """A store with the study of a file, trained undisturbed in this process."""
    store = Store.open(folder, write=True)
    trained(find(str(path)), store, pack_size, only=only)
    return store


def metrics(store: Store) -> list[tuple]:
    """All that was measured, without who measured it."""
    return store.sql("select run_id, step, split, metric, value from metrics order by all").fetchall()


def command(*words: object, **env: str) -> tuple[list[str], dict[str, str]]:
    """The command line `study WORDS` and its environment."""
    environment = {name: value for name, value in os.environ.items() if name not in ("STUDY_STORE", "RAY_ADDRESS")}
    return [sys.executable, "-m", "study", *map(str, words)], environment | {"OMP_NUM_THREADS": "1"} | env


HUNG_SECONDS = 600
"""No command of a test takes so long, however busy the machine is."""


def run_cli(*words: object, **env: str) -> subprocess.CompletedProcess:
    """What a call of the command line says and how it ends."""
    line, environment = command(*words, **env)
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=HUNG_SECONDS, check=False)
