"""A plan becomes part of the store: one row per run, with the columns of `runs` that follow from its spec."""

import json
from datetime import UTC
from typing import Any

from study.plan.known import known_runs
from study.plan.plan import Plan
from study.store.database import Store
from study.store.parts import write_plan
from study.store.studies import stored_spec
from trainables.size import size_of
from trainables.spec import RunSpec


def write(plan: Plan, store: Store) -> None:
    """Make the plan part of the store; the same plan twice is written once."""
    packs = {run_id: pack.pack_id for pack in plan.packs for run_id in pack.run_ids}
    known = known_runs(store, plan.study.name, [run.run_id for run in plan.runs])
    rows = [
        {
            "run_id": run.run_id,
            "spec": json.dumps(run.spec.to_json(), sort_keys=True),
            **describe(run.spec),
            "point": json.dumps(run.point, sort_keys=True),
            "horizon": plan.study.horizon,
            "pack_id": packs.get(run.run_id) or known.get(run.run_id, {}).get("pack_id"),
        }
        for run in plan.runs
    ]
    [(newest,)] = store.sql("select max(planned_at) from study_runs where study = ?", [plan.study.name]).fetchall()
    # The later of two plans counts, and somebody may have set the clock back.
    after = newest and newest.replace(tzinfo=UTC)
    stored, spec = stored_spec(store, plan.study.name), plan.study.to_json()
    again = stored is not None and stored != json.loads(json.dumps(spec))
    write_plan(store.place, plan.study.name, spec, rows, after, again)


def describe(spec: RunSpec) -> dict[str, Any]:
    """The columns of `runs` that follow from a spec. They are as the spec says them, so that a query for
    `train_fraction = 0.8` finds what was asked for; only `data_size` and `num_params` are what came of it."""
    data, task = spec.to_json(), spec.task
    return {
        **{part: data[part]["name"] for part in ("task", "model", "optimizer")},
        "layers": getattr(spec.model, "layers", None),
        "width": getattr(spec.model, "width", None),
        "num_params": size_of(spec.model, task).params,
        "ratio": getattr(task, "ratio", None),
        "weight_decay": getattr(spec.optimizer, "weight_decay", None),
        "learning_rate": getattr(spec.optimizer, "learning_rate", None),
        "data_size": task.num_train,
        "train_fraction": getattr(task, "train_fraction", None),
        "label_corruption": getattr(task, "label_corruption", 0.0),
        "chance_accuracy": task.chance_accuracy,
        "seed": spec.seed,
        "data_seed": spec.data_seed,
    }
