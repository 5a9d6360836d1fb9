"""What a study asks for, minus what the store has, is what is left to do.

That one subtraction is dry run, resume, retry, extension of a grid, and sharing of runs between studies.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from study import recorder
from study.packing import Machine, PackPlan, is_done, make_packs
from study.spec import Point, StudySpec
from study.states import readable, run_state, states_below
from study.storage import storage_at
from study.store import Store
from trainables.errors import SpecError
from trainables.layout import Layout
from trainables.seeds import generator
from trainables.spec import RunSpec


@dataclass(frozen=True)
class PlannedRun:
    """One run of a study: its spec and the point it belongs to."""

    run_id: str
    spec: RunSpec
    point: Point


@dataclass(frozen=True)
class Plan:
    """All runs of a study, the ids of those that the store has, and the packs that train the rest."""

    study: StudySpec
    runs: Sequence[PlannedRun]
    finished: frozenset[str]
    packs: Sequence[PackPlan]

    @property
    def missing(self) -> int:
        """Number of runs that are still to train."""
        return len(self.runs) - len(self.finished)


def planned_runs(study: StudySpec, limit: int | None = None) -> list[PlannedRun]:
    """The study's runs, each once, seed by seed so that a first part of them covers the whole map; at most `limit`."""
    runs: dict[str, PlannedRun] = {}
    points = study.points()
    for seed in range(study.seeds):
        for point in points:
            spec = study.run(point, seed)
            runs.setdefault(spec.run_id, PlannedRun(spec.run_id, spec, point))
    if not runs:
        raise SpecError(f"study {study.name!r} has no runs: give it at least one point and one seed.")
    return list(runs.values())[:limit]


def plan_runs(
    study: StudySpec,
    runs: Sequence[PlannedRun],
    store: Store | None,
    machine: Machine,
    pack_size: int | None = None,
    all_runs: int | None = None,
    pruning: bool = False,
) -> Plan:
    """The plan of these runs of a study on this machine; no store has no runs.

    `pack_size` None keeps the packs of an earlier plan and sizes new ones; `all_runs` is the number of runs in the end,
    where more follow; `pruning` counts those that were pruned as finished.
    """
    known = known_runs(store, study.name, [run.run_id for run in runs]) if store else {}
    finished = frozenset(r.run_id for r in runs if is_done(known.get(r.run_id), study.horizon, pruning))
    assigned = {} if pack_size else {run_id: row["pack_id"] for run_id, row in known.items() if row["pack_id"]}
    attempts = {run_id: dict(row["attempts"] or {}) for run_id, row in known.items()}
    specs = {r.run_id: r.spec for r in runs if r.run_id not in finished}
    checkpoints = checkpoints_of(store, specs, study.horizon) if store else {}
    following = max(1.0, (all_runs or 0) / max(1, len(runs)))
    shapes = {key: number * following for key, number in Counter(r.spec.pack_key for r in runs).items()}
    packs = make_packs(specs, study.horizon, machine, pack_size, assigned, attempts, checkpoints, shapes)
    return Plan(study, runs, finished, packs)


def write(plan: Plan, store: Store) -> None:
    """Make the plan part of the store; the same plan twice is written once."""
    packs = {run_id: pack.pack_id for pack in plan.packs for run_id in pack.run_ids}
    known = known_runs(store, plan.study.name, [run.run_id for run in plan.runs])
    shapes = {run.spec.pack_key: run.spec for run in plan.runs}
    weights = {
        key: Layout(spec.model.build(spec.task, generator("init", 0))).num_params for key, spec in shapes.items()
    }
    rows = [
        {
            "run_id": run.run_id,
            "spec": json.dumps(run.spec.to_json(), sort_keys=True),
            **describe(run.spec),
            "num_params": weights[run.spec.pack_key],
            "point": json.dumps(run.point, sort_keys=True),
            "horizon": plan.study.horizon,
            "pack_id": packs.get(run.run_id) or known.get(run.run_id, {}).get("pack_id"),
        }
        for run in plan.runs
    ]
    [(newest,)] = store.sql("select max(planned_at) from study_runs where study = ?", [plan.study.name]).fetchall()
    # Of two plans the later one counts, and somebody may have set the clock back.
    after = newest and newest.replace(tzinfo=UTC)
    recorder.write_plan(store.place, plan.study.name, plan.study.to_json(), rows, after)


def describe(spec: RunSpec) -> dict[str, Any]:
    """The columns of `runs` that follow from a spec, but for the number of weights."""
    data, task = spec.to_json(), spec.task
    return {
        **{part: data[part]["name"] for part in ("task", "model", "optimizer")},
        "layers": spec.model.layers,
        "width": spec.model.width,
        "ratio": getattr(task, "ratio", None),
        "weight_decay": spec.optimizer.weight_decay,
        "learning_rate": spec.optimizer.learning_rate,
        "data_size": task.num_train,
        "train_fraction": task.num_train / task.num_pairs if hasattr(task, "num_pairs") else None,
        "label_corruption": task.label_corruption,
        "chance_accuracy": task.chance_accuracy,
        "seed": spec.seed,
        "data_seed": spec.data_seed,
    }


def known_runs(store: Store, study: str, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the store knows of these runs, by id."""
    text = """
        with asked as (select unnest($asked::varchar[]) as run_id),
        last_tries as (
            select run_id, pack_id, max(attempt) as attempt
            from attempts semi join asked using (run_id) group by all
        ),
        tries as (
            select run_id, map_from_entries(list((pack_id, attempt))) as attempts from last_tries group by run_id
        )
        select run_id, status, stop_reason, steps, mine.pack_id, tries.attempts
        from runs semi join asked using (run_id)
        left join tries using (run_id)
        left join (select run_id, pack_id from study_runs where study = $study) as mine using (run_id)"""
    rows = store.sql(text, {"study": study, "asked": list(run_ids)}).to_arrow_table().to_pylist()
    return {row["run_id"]: row for row in rows}


def checkpoints_of(store: Store, specs: Mapping[str, RunSpec], horizon: int) -> dict[str, tuple[str, int]]:
    """The furthest usable state of each run and its step: of the pack it is in, or of its own if it left one."""
    if not specs:
        return {}
    storage, own = storage_at(store.place), {run_state(run_id) for run_id in specs}
    names = [*states_below(storage, "packs"), *(name for name in states_below(storage, "runs") if name in own)]
    found: dict[str, tuple[str, int]] = {}
    for name, (run_ids, step) in readable(storage, names).items():
        for run_id in run_ids:
            if run_id in specs and step < horizon and (run_id not in found or found[run_id][1] < step):
                found[run_id] = (name, step)
    return found
