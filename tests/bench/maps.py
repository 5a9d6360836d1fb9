"""Makes the maps of tests.bench.boundary that come from real runs: dense grids of small `modular` runs, all seeds kept.

    python -m tests.bench.maps [--map NAME] [--cells 20] [--seeds 8] [--threads 1]

The runs learn addition modulo 23 with the small quadratic network of the study first_map, at half its width. A map
takes about 10 minutes on one core. A file in tests/data has one row per run: the two axes, seed, phase (unified) and
test_step_95.
"""

import argparse
import itertools
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

import analysis
from study.catalog.first_map import STUDY
from study.spec import Point
from trainables.engine import train_pack
from trainables.models import mlp
from trainables.records import Flush
from trainables.spec import RunSpec

DATA = Path(__file__).parents[1] / "data"
WIDTH, HORIZON = 64, 500


class Axis(NamedTuple):
    path: str
    low: float
    high: float
    log: bool

    def values(self, count: int) -> list[float]:
        spaced = np.geomspace if self.log else np.linspace
        return [float(f"{value:.6g}") for value in spaced(self.low, self.high, count)]


DECAY = Axis("optimizer.weight_decay", 0.05, 20.0, True)
MAPS: dict[str, tuple[Axis, Axis, Point]] = {
    "fraction_decay": (Axis("task.train_fraction", 0.2, 0.8, False), DECAY, {}),
    "rate_decay": (Axis("optimizer.learning_rate", 1e-3, 0.1, True), DECAY, {"task.train_fraction": 0.55}),
}
"""Name of a map -> its two axes, and the values of other fields that are fixed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--map", choices=MAPS, help="one map alone; the default is all")
    for name, value in {"cells": 20, "seeds": 8, "threads": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    DATA.mkdir(exist_ok=True)
    for name in [options.map] if options.map else MAPS:
        pq.write_table(trained(name, options.cells, options.seeds), DATA / f"{name}.parquet", compression="zstd")


def trained(name: str, cells: int, seeds: int) -> pa.Table:
    """The runs of a map, one row each: `cells` values on each axis, all seeds at every cell."""
    x, y, fixed = MAPS[name]
    points = [{x.path: a, y.path: b} for b, a in itertools.product(y.values(cells), x.values(cells))]
    base = STUDY.base.with_values({**fixed, "model.width": WIDTH})
    assert isinstance(base.model, mlp.Model)
    runs = [(point, seed) for seed in range(seeds) for point in points]
    size = 4 * cells  # whole rows, so that all packs have the same shapes and compile once
    rows, started = [], time.monotonic()
    for first in range(0, len(runs), size):
        pack = runs[first : first + size]
        specs = [base.with_values({**point, "seed": seed, "data_seed": seed}) for point, seed in pack]
        outcomes = passages(specs, len(runs) / size)
        phases = analysis.classify("unified", pa.Table.from_pylist(outcomes)).to_pylist()
        phase_of = {row["run_id"]: row["phase"] for row in phases}
        for (point, seed), outcome in zip(pack, outcomes, strict=True):
            kept = {"phase": phase_of[outcome["run_id"]], "test_step_95": outcome["test_step_95"]}
            rows.append({x.path: point[x.path], y.path: point[y.path], "seed": seed} | kept)
        print(f"{name}: {len(rows)} of {len(runs)} runs, {time.monotonic() - started:.0f} s", flush=True)
    table = pa.Table.from_pylist(rows)
    schema = pa.schema([pa.field("seed", pa.int8()), pa.field("test_step_95", pa.int16())])
    for field in schema:
        table = table.set_column(table.schema.get_field_index(field.name), field, table[field.name].cast(field.type))
    return table


def passages(specs: list[RunSpec], packs: float) -> list[dict[str, Any]]:
    """Train a pack; returns for each run, in the order of `specs`, the outcomes that its phase depends on."""
    curves: dict[tuple[str, str], list[tuple[int, float]]] = {}

    def record(flush: Flush) -> None:
        columns = [flush.metrics[name] for name in ("run_id", "step", "split", "metric", "value")]
        for run_id, step, split, metric, value in zip(*columns, strict=True):
            if metric == "accuracy":
                curves.setdefault((run_id, split), []).append((int(step), float(np.nan_to_num(value))))

    states = train_pack(specs, horizon=HORIZON, record=record, device="cpu", packs_alike=packs)
    rows = []
    for spec, state in zip(specs, states, strict=True):
        assert spec.run_id == state.run_id
        row = {"run_id": spec.run_id, "stop_reason": state.stop_reason, "horizon": state.steps}
        row["chance_accuracy"] = spec.task.chance_accuracy
        for split in ("train", "test"):
            curve = curves[spec.run_id, split]
            row[f"final_{split}_accuracy"] = curve[-1][1]
            for level in (50, 90, 95, 99):
                row[f"{split}_step_{level}"] = next((step for step, value in curve if value >= level / 100), None)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
