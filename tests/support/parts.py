"""Small parts for tests: what workers would write."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from study.store.part_schemas import PLAN
from study.store.parts import Recorder, write_plan
from trainables.run_id import run_id

PROVENANCE = {"trial_id": "t", "host": "here", "device": "cpu", "threads": 1, "versions": {"python": "3"}}


class RunId(str):
    """A run's id, with the spec that it is the id of."""

    __slots__ = ("spec",)

    def __new__(cls, spec: Mapping[str, Any]) -> Self:
        own = super().__new__(cls, run_id(spec))
        own.spec = json.dumps(spec)
        return own


def invented(name: str, **fields: Any) -> RunId:
    """A run that nobody can train: its spec has this name and these fields."""
    return RunId({"name": name, **fields})


A, B = invented("a"), invented("b")


def plan_row(run: RunId, **changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(PLAN.names) | {"run_id": run, "spec": run.spec, "point": json.dumps({"x": 1})}
    return row | {"task": "modular", "width": 8, "seed": 0, "horizon": 100, "pack_id": "pack"} | changes


def state(run_id: str, attempt: int = 1, status: str = "running", steps: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "attempt": attempt,
        "status": status,
        "stop_reason": "horizon" if status == "finished" else None,
        "horizon": 100,
        "steps": steps,
        "wall_seconds": 1.5,
        "started_at": "2026-01-02T03:04:05+00:00",
        "ended_at": "2026-01-02T03:05:05+00:00" if status != "running" else None,
        "error": None,
    } | changes


def losses(run_id: str, steps: Iterable[int], attempt: int = 1, value: float = 0.5) -> dict[str, list[Any]]:
    steps = list(steps)
    count = len(steps)
    return {
        "run_id": [run_id] * count,
        "attempt": [attempt] * count,
        "step": steps,
        "split": ["train"] * count,
        "metric": ["loss"] * count,
        "value": [value] * count,
    }


def write_runs(store_dir: Path, runs: Sequence[RunId]) -> None:
    """A plan of these runs, and a part for each with 300 steps of random losses, which fill blocks of a database."""
    numbers = random.Random(0)
    write_plan(store_dir, "s", {"question": "?"}, [plan_row(run) for run in runs])
    for i, run in enumerate(runs):
        rows = losses(run, range(300))
        rows["value"] = [numbers.random() for _ in rows["value"]]
        Recorder(store_dir, f"pack{i}", PROVENANCE).flush(rows, [state(run, steps=300)])


def write_parts(store_dir: Path, count: int, rows: int = 20) -> None:
    """A plan of one run, and `count` parts that follow it step by step."""
    write_plan(store_dir, "s", {"question": "?"}, [plan_row(A)])
    recorder = Recorder(store_dir, "pack", PROVENANCE)
    for flush in range(count):
        last = (flush + 1) * rows
        recorder.flush(losses(A, range(flush * rows, last)), [state(A, steps=last)])
