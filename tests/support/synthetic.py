"""Stores with invented records, written through the recorder as a worker would."""

import json
from typing import Any

from study.store.database import Store
from study.store.parts import Recorder, write_plan, write_probes
from tests.support.parts import RunId, invented
from trainables.spec import RunSpec

STEPS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


def step_up(at: int | None, low: float = 0.0, high: float = 1.0) -> list[float]:
    """An accuracy that is `low` before step `at` and `high` from there on; None = never."""
    return [high if at is not None and step >= at else low for step in STEPS]


def run_id_of(name: str, labels: str = "true") -> RunId:
    """The id of a `run` with this name and these labels."""
    return invented(name, task={"labels": labels})


def run(
    name: str | RunSpec,
    curves: dict[str, list[float]],
    point: dict[str, Any] | None = None,
    at: list[int] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """A run, invented or of a spec, with `curves` by "split.metric" over the steps `at`, None = STEPS.

    `facts` are `labels`, plan columns or fields of its state.
    """
    is_spec = isinstance(name, RunSpec)
    run_id = RunId(name.to_json()) if is_spec else run_id_of(name, facts.get("labels", "true"))
    return {"run_id": run_id, "curves": curves, "point": point or {}, "at": at or STEPS, **facts}


def write_study(
    store_dir: Any,
    runs: list[dict[str, Any]],
    axes: dict | None = None,
    question: str = "Why?",
    findings: dict[str, list[Any]] | None = None,
    study: str = "toy",
    **spec: Any,
) -> Store:
    """A store with the study `study` of these runs. A run with `status` "planned" has no attempt.

    `findings` are columns of the table `probes`.
    """
    plan, states = [], []
    metrics: dict[str, list] = {"run_id": [], "attempt": [], "step": [], "split": [], "metric": [], "value": []}
    for facts in runs:
        width, data_size = facts["point"].get("model.width", 8), facts["point"].get("task.data_size", 100)
        row = {
            "spec": facts["run_id"].spec,
            "width": width,
            "layers": None,
            "data_size": data_size,
            "task": "modular",
            "ratio": None,
            "label_corruption": 0.0,
            "chance_accuracy": 0.05,
            "learning_rate": facts["point"].get("optimizer.learning_rate"),
            "weight_decay": facts["point"].get("optimizer.weight_decay"),
            "seed": 0,
            "horizon": facts["at"][-1],
            "pack_id": "pack",
        }
        row |= {name: value for name, value in facts.items() if name in row} | {"run_id": facts["run_id"]}
        plan.append(row | {"point": json.dumps(facts["point"])})
        if facts.get("status") == "planned":
            continue
        state = {
            "status": "finished",
            "stop_reason": "horizon",
            "horizon": facts["at"][-1],
            "steps": 0 if facts.get("status") == "failed" else facts["at"][-1],
            "error": None,
            "log": None,
        }
        state |= {name: value for name, value in facts.items() if name in state}
        times = {"started_at": "2026-01-01T00:00:00+00:00", "ended_at": "2026-01-01T00:01:00+00:00", "wall_seconds": 60}
        states.append(state | times | {"run_id": facts["run_id"], "attempt": 1})
        for name, values in facts["curves"].items():
            split, _, metric = name.partition(".")
            for step, value in zip(facts["at"], values, strict=True):
                for column, entry in zip(metrics, (facts["run_id"], 1, step, split, metric, value), strict=True):
                    metrics[column].append(entry)
    write_plan(store_dir, study, {"question": question, "axes": axes or {}, **spec}, plan)
    if states:
        about = {"trial_id": "t", "host": "node", "device": "cpu", "threads": 1, "versions": {"torch": "2"}}
        Recorder(store_dir, "pack", {**about, "git_sha": "abc", "git_dirty": False}).flush(metrics, states)
    if findings:
        write_probes(store_dir, study, findings)
    store = Store.open(store_dir, write=True)
    report = store.ingest()
    assert not report.skipped, report.skipped
    return store


def drawn(spec: dict[str, Any], view: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The rows that a Vega-Lite spec, or one `view` of it, draws."""
    return spec["datasets"][(view or spec)["data"]["name"]]


def cells_of(spec: dict[str, Any], chart: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The cells that a phase diagram draws, `chart` of a spec or the spec itself, with or without a boundary on it."""
    chart = chart or spec
    [view] = [view for view in chart.get("layer", [chart]) if "color" in view.get("encoding", {})]
    return drawn(spec, view)
