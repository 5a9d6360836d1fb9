"""Small runs for tests of trainables, and what came of training them."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from trainables.checkpoint import Checkpoint
from trainables.engine import train_pack
from trainables.models import mlp, transformer
from trainables.observation import Observation
from trainables.optimizers import adamw
from trainables.records import Flush, RunState
from trainables.spec import RunSpec
from trainables.tasks import modular

Row = tuple[str, int, str, str]


class Stopped(Exception):
    """Raised by a record that has seen enough: the worker dies right after a flush."""


def mlp_run(
    *,
    p: int = 23,
    fraction: float = 0.7,
    width: int = 32,
    learning_rate: float = 0.01,
    weight_decay: float = 1.0,
    init_scale: float = 1.0,
    loss: str = "mse",
    batch_size: int | None = None,
    seed: int = 0,
    data_seed: int | None = None,
    **task: Any,
) -> RunSpec:
    """A full-batch MLP that fits within a hundred steps. `data_seed` None = as `seed`; `task` holds further fields."""
    if "data_size" in task:
        task["train_fraction"] = None
    return RunSpec(
        task=modular.Task(**{"p": p, "train_fraction": fraction, **task}),
        model=mlp.Model(width=width, init_scale=init_scale),
        optimizer=adamw.Optimizer(learning_rate=learning_rate, weight_decay=weight_decay),
        loss=loss,
        batch_size=batch_size,
        seed=seed,
        data_seed=seed if data_seed is None else data_seed,
    )


def transformer_run(*, p: int = 13, width: int = 16, weight_decay: float = 1.0, seed: int = 0, **task: Any) -> RunSpec:
    """A one-layer transformer on batches of 16."""
    if "data_size" in task:
        task["train_fraction"] = None
    return RunSpec(
        task=modular.Task(**{"p": p, **task}),
        model=transformer.Model(width=width, heads=2),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=weight_decay),
        batch_size=16,
        seed=seed,
        data_seed=seed,
    )


class Recorded:
    """What `train_pack` handed over: a value for each (run_id, step, split, metric), and the final states."""

    def __init__(self, flushes: Sequence[Flush], states: Sequence[RunState] = ()) -> None:
        self.flushes = list(flushes)
        self.states = {state.run_id: state for state in states}
        self.values: dict[Row, float] = {}
        for flush in flushes:
            for row, value in rows_of(flush):
                assert row not in self.values, f"{row} twice"
                self.values[row] = value

    def series(self, run_id: str, split: str, metric: str) -> dict[int, float]:
        """The values of one metric of a run by step, in the order in which they were recorded."""
        return {row[1]: value for row, value in self.values.items() if (row[0], *row[2:]) == (run_id, split, metric)}

    def of(self, run_id: str) -> dict[Row, float]:
        """Every value of one run."""
        return {row: value for row, value in self.values.items() if row[0] == run_id}

    @property
    def left(self) -> dict[str, Checkpoint]:
        """The final state of each run that has left."""
        return {checkpoint.run_ids[0]: checkpoint for flush in self.flushes for checkpoint in flush.left}


def rows_of(flush: Flush) -> Iterable[tuple[Row, float]]:
    """The rows of a flush, one by one."""
    columns = [list(flush.metrics[name]) for name in ("run_id", "step", "split", "metric", "value")]
    for run_id, step, split, metric, value in zip(*columns, strict=True):
        yield (run_id, int(step), str(split), str(metric)), float(value)


def trained(specs: Sequence[RunSpec], horizon: int, compile: str = "off", **options: Any) -> Recorded:
    """Train on the CPU, without a compiler and with few evaluations unless told otherwise; see `_sorted`."""
    flushes: list[Flush] = []
    states = train_pack(specs, horizon=horizon, record=flushes.append, compile=compile, **_sorted(options))
    return Recorded(flushes, states)


def stopped(specs: Sequence[RunSpec], horizon: int, after_flushes: int, **options: Any) -> Recorded:
    """Train with a flush at every occasion and die after so many of them."""
    flushes: list[Flush] = []

    def record(flush: Flush) -> None:
        flushes.append(flush)
        if len(flushes) == after_flushes:
            raise Stopped

    try:
        train_pack(specs, horizon=horizon, record=record, compile="off", flush_seconds=-1, **_sorted(options))
    except Stopped:
        return Recorded(flushes)
    raise AssertionError(f"only {len(flushes)} flushes")


def _sorted(options: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `train_pack` from fields of Observation, `per_decade` for short, and arguments of its own."""
    fields = {field.name for field in dataclasses.fields(Observation)}
    observe = {"evaluations_per_decade": options.pop("per_decade", 8)}
    observe |= {name: options.pop(name) for name in fields & options.keys()}
    return {"device": "cpu", "observe": Observation(**observe), **options}
