"""What a training pack hands over: where its runs stand, what was measured of them, and states to save."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainables.checkpoint import Checkpoint
from trainables.evaluation import ABSENT

Row = tuple[Sequence[str], int, str, str, np.ndarray]
"""One metric of several runs at one step: run ids, step, split, metric, values."""


@dataclass
class RunState:
    """Where one run stands.

    `status` is running, finished or failed; `stop_reason` is None, horizon, generalized, diverged or pruned.
    """

    run_id: str
    horizon: int
    steps: int
    status: str = "running"
    stop_reason: str | None = None
    wall_seconds: float = 0.0
    """This run's share of its pack's time, in this attempt. What is in none of the three last spans is training."""
    prepare_seconds: float = 0.0
    """Before it: models, data and imports."""
    compile_seconds: float = 0.0
    """Of it: steps that are compiled, and waiting for another process that compiles the same."""
    evaluate_seconds: float = 0.0
    """Of it: evaluations and probes."""
    save_seconds: float = 0.0
    """Of it: flushes, with their checkpoints; the last flush cannot tell how long it takes itself."""


@dataclass
class Flush:
    """What happened since the last flush.

    `metrics` are equally long columns run_id, step, split, metric, value. `states` are those of every run that was in
    the pack. `running` is the checkpoint of the runs that are still in it (None if there are none, or if no checkpoint
    is due), `left` are those of runs that have left. `findings` are columns run_id, step, probe, layer, position,
    metric, value; `snapshots` are states to keep, with weights alone.
    """

    metrics: dict[str, Any]
    states: list[RunState]
    running: Checkpoint | None
    left: list[Checkpoint] = field(default_factory=list)
    findings: dict[str, list[Any]] = field(default_factory=dict)
    snapshots: list[Checkpoint] = field(default_factory=list)


def metric_columns(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows as the columns of `Flush.metrics`, without the values of splits that a run does not have."""
    lengths = [len(run_ids) for run_ids, *_ in rows]
    columns = {
        "run_id": [run_id for run_ids, *_ in rows for run_id in run_ids],
        "step": np.repeat([row[1] for row in rows], lengths).astype(np.int64),
        "split": np.repeat([row[2] for row in rows], lengths),
        "metric": np.repeat([row[3] for row in rows], lengths),
        "value": np.concatenate([row[4] for row in rows]) if rows else np.empty(0),
    }
    present = columns["value"] != ABSENT  # a diverged loss is NaN, and stays
    columns["run_id"] = [run_id for run_id, here in zip(columns["run_id"], present, strict=True) if here]
    return {name: column if name == "run_id" else column[present] for name, column in columns.items()}
