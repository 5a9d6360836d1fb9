"""The store at 100 million values: how fast is ingest, how much memory does it take, how long does a query wait?

    python -m tests.bench.store_scale [--rows 100000000] [--folder DIR]

The parts are those of a study of runs in packs of 64, four flushes a pack, 15 metrics at 171 evaluations each, with
invented curves; they are written by the recorder and take about 1 GB for 100 million rows. One process brings them in;
memory is its peak. Then every query of docs/sql.md and those of QUERIES, each in a process of its own, from opening the
file to the table in memory. Last, one process asks in a tight loop while another brings in the last flush of some of
the packs, ten parts at a time: `alone` is the same loop before. `--folder` keeps what was made.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from study.plan.write import describe
from study.store.parts import Recorder, write_plan
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.run_id import run_id
from trainables.schedule import evaluation_steps
from trainables.spec import RunSpec
from trainables.tasks import modular

HORIZON, PER_DECADE, PACK, FLUSHES, SEEDS = 100_000, 40, 64, 4, 25
SPLITS = ("train", "test", "ood", "train_inferred", "id_atomic", "ood_atomic")
METRICS = [(split, metric) for split in SPLITS for metric in ("loss", "accuracy")]
METRICS += [("model", metric) for metric in ("weight_norm", "fourier_ipr", "embedding_norm")]
STEPS = np.array(evaluation_steps(HORIZON, PER_DECADE))
STUDY = "first_map"
"""So that the queries of docs/sql.md find it."""
HELD_PACKS = 100
"""Packs whose last flush is ingested while another process reads."""
QUERIES = {
    "what `study status` asks": "select status, count(*)::integer as runs from runs group by status",
    "phases under every definition": "select definition, phase, count(*)::integer as runs from phases group by all",
    "cells of a study, as its diagram draws them": "from cells where study = 'first_map' and definition = 'unified'",
    "the curves of one run": "from curves where run_id = (select min(run_id) from runs) order by step",
    "the curves of a cell's runs": """select run_id, step, test_accuracy from curves join study_runs using (run_id)
        where study = 'first_map' and point = (select min(point::text) from study_runs)""",
    "all values of one run": "from metrics where run_id = (select min(run_id) from runs)",
    "how much of what there is": "select split, metric, count(*) as n from metrics group by all",
    "a metric that no view has": """select step, avg(value) from metrics
        where metric = 'embedding_norm' and step >= 10000 group by step order by step""",
    "all runs at one step": "select avg(train_accuracy), avg(test_accuracy) from curves where step = 1000",
    "the outcomes of a study as a table": "from outcomes join runs using (run_id) where weight_decay < 0.1",
}
"""What people ask beside the queries of docs/sql.md: of the tables that it lists, each in the way that costs most."""

INGEST = """
__file__ = "ingest"
import sys, time
from pathlib import Path
from study.store.database import Store
store = Store.open(sys.argv[1], write=True)
held = sorted(Path(sys.argv[1], "held").rglob("*.parquet")) if len(sys.argv) > 2 else []
started, rows, longest, parts = time.perf_counter(), 0, 0.0, 0
for first in range(0, max(1, len(held)), 10):
    for path in held[first : first + 10]:
        path.rename(Path(sys.argv[1], "parts", path.relative_to(Path(sys.argv[1], "held"))))
    since = time.perf_counter()
    report = store.ingest(timeout=60)
    longest = max(longest, time.perf_counter() - since)
    assert not report.skipped and not report.busy, report
    rows, parts = rows + report.rows, parts + report.parts
status = Path("/proc/self/status").read_text()
peak = int(status.split("VmHWM:")[1].split()[0]) / 1e6
print(rows, parts, time.perf_counter() - started, longest, peak)
"""
ASK = """
__file__ = "ask"  # else duckdb takes this for a notebook and draws a progress bar
import sys, time
from study.store.database import Store
store, text, started = Store(__import__("pathlib").Path(sys.argv[1])), sys.argv[2], time.perf_counter()
table = store.sql(text).to_arrow_table()
print(time.perf_counter() - started, len(table))
"""
LOOP = """
__file__ = "loop"
import select, sys, time
from study.store.database import Store
from study.store.errors import StoreError
store, waits, errors = Store.open(sys.argv[1]), [], 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    started = time.perf_counter()
    try:
        store.sql("select phase, count(*) from phases where definition = 'unified' group by 1")
    except StoreError:
        errors += 1
    waits.append(time.perf_counter() - started)
waits.sort()
print(len(waits), errors, waits[len(waits) // 2], waits[-1])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000_000, metavar="N")
    parser.add_argument("--folder", type=Path, metavar="DIR")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        measure(options.folder or Path(folder), options.rows)


def measure(store: Path, rows: int) -> None:
    if not (store / "parts").exists():
        started = time.perf_counter()
        write_parts(store, max(PACK, round(rows / len(METRICS) / len(STEPS))))
        size = sum(path.stat().st_size for path in store.rglob("*.parquet"))
        print(f"parts written: {size / 1e9:.2f} GB, {time.perf_counter() - started:.0f} s", flush=True)
    count, parts, seconds, longest, peak = child(INGEST, store)
    if count:
        size = (store / "study.duckdb").stat().st_size
        print(f"ingest: {count:,.0f} rows from {parts:,.0f} parts in {seconds:.1f} s, {count / seconds:,.0f} rows/s, "
              f"peak memory {peak:.2f} GB, file {size / 1e9:.2f} GB", flush=True)  # fmt: skip
    for name, text in all_queries().items():
        seconds, length = child(ASK, store, text)
        print(f"{seconds:7.2f} s  {length:7,.0f} rows  {name}", flush=True)
    print(f"reading alone: {loop(store, lambda: time.sleep(5))}")
    written: list[float] = []
    told = loop(store, lambda: written.extend(child(INGEST, store, "held")))
    count, parts, seconds, longest, peak = written
    print(f"reading beside a writer: {told}")
    print(f"the writer: {count:,.0f} rows from {parts:,.0f} parts in {seconds:.1f} s, longest ingest {longest:.2f} s")


def all_queries() -> dict[str, str]:
    """Every query of docs/sql.md, by its first line, and ours."""
    page = (Path(__file__).parents[2] / "docs" / "sql.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    return {"docs/sql.md " + block.strip().splitlines()[0]: block for block in blocks} | QUERIES


def child(script: str, store: Path, *words: str) -> list[float]:
    """The numbers that a script prints."""
    line = [sys.executable, "-c", script, str(store), *words]
    done = subprocess.run(line, check=True, text=True, stdout=subprocess.PIPE)
    return [float(word) for word in done.stdout.split()]


def loop(store: Path, meanwhile: Callable[[], object]) -> str:
    """One line about a reader that queries in a tight loop during `meanwhile`."""
    line = [sys.executable, "-c", LOOP, str(store)]
    with subprocess.Popen(line, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        meanwhile()
        number, errors, median, worst = reader.communicate("enough\n")[0].split()
    return f"{number} queries, {errors} errors, median {float(median):.2f} s, worst wait {float(worst):.2f} s"


def write_parts(store: Path, num_runs: int, steps_S: np.ndarray = STEPS) -> None:
    """Write the plan of a study and the parts of its packs, which were evaluated at these steps."""
    task, model, optimizer = modular.Task(p=97, train_fraction=0.5), mlp.Model(width=128), adamw.Optimizer()
    base = RunSpec(task=task, model=model, optimizer=optimizer)
    num_decays = max(1, round((num_runs / SEEDS) ** 0.5))
    decays = np.geomspace(0.01, 10, num_decays).tolist()
    fractions = np.linspace(0.2, 0.8, num_runs // SEEDS // num_decays + 1).tolist()
    rows = []
    for i in range(num_runs):
        fraction, decay = divmod(i // SEEDS, num_decays)
        rows.append(plan_row(base, fractions[fraction], decays[decay], i % SEEDS) | {"pack_id": f"{i // PACK:012x}"})
    axes = {"task.train_fraction": fractions, "optimizer.weight_decay": decays}
    write_plan(store, STUDY, {"question": "How does it scale?", "base": base.to_json(), "axes": axes}, rows)
    numbers = np.random.default_rng(0)
    for first in range(0, num_runs, PACK):
        write_pack(store, rows[first : first + PACK], numbers, steps_S, held=first >= num_runs - HELD_PACKS * PACK)


def plan_row(base: RunSpec, fraction: float, decay: float, seed: int) -> dict[str, Any]:
    """A row as study/plan/plan.py makes it, without building 40,000 specs."""
    spec = base.to_json() | {"seed": seed, "data_seed": seed}
    spec["task"]["train_fraction"], spec["optimizer"]["weight_decay"] = fraction, decay
    text = json.dumps(spec, sort_keys=True)
    point = json.dumps({"optimizer.weight_decay": decay, "task.train_fraction": fraction})
    own = {"weight_decay": decay, "train_fraction": fraction, "seed": seed, "data_seed": seed, "num_params": 37_000}
    return describe(base) | own | {"run_id": run_id(spec), "spec": text, "point": point, "horizon": HORIZON}


def write_pack(
    store: Path, rows: list[dict[str, Any]], numbers: np.random.Generator, steps_S: np.ndarray, held: bool
) -> None:
    """Write the flushes of one pack; with `held`, the last one goes to a folder that ingest does not read."""
    run_ids = [row["run_id"] for row in rows]
    recorder = Recorder(store, rows[0]["pack_id"], {"device": "cpu", "threads": 1, "host": "here", "trial_id": "t"})
    values_SMR = curves(rows, numbers, steps_S)
    for number, part in enumerate(np.array_split(np.arange(len(steps_S)), FLUSHES), start=1):
        shape = (len(part), len(METRICS), len(rows))  # the engine's order: runs vary fastest
        split, metric = zip(*METRICS, strict=True)
        columns = {
            "run_id": named(run_ids, np.broadcast_to(np.arange(len(rows)), shape)),
            "attempt": np.ones(np.prod(shape), np.int32),
            "step": np.broadcast_to(steps_S[part, None, None], shape).ravel(),
            "split": named(split, np.broadcast_to(np.arange(len(METRICS))[:, None], shape)),
            "metric": named(metric, np.broadcast_to(np.arange(len(METRICS))[:, None], shape)),
            "value": values_SMR[part].ravel(),
        }
        last, ended = int(steps_S[part[-1]]), number == FLUSHES
        state = {"attempt": 1, "horizon": HORIZON, "steps": last, "wall_seconds": 60.0, "error": None}
        state |= {"started_at": "2026-01-01T00:00:00+00:00", "ended_at": "2026-01-01T01:00:00+00:00" if ended else None}
        state |= {"status": "finished" if ended else "running", "stop_reason": "horizon" if ended else None}
        name = recorder.flush(columns, [state | {"run_id": run_id} for run_id in run_ids])
        if held and ended:
            (store / "held" / name).parent.mkdir(parents=True)
            (store / "parts" / name).rename(store / "held" / name)


def named(names: Sequence[str], indices: np.ndarray) -> pa.Array:
    """The names at these indices as a dictionary array; a name may occur twice."""
    distinct = list(dict.fromkeys(names))
    codes = np.array([distinct.index(name) for name in names], np.int32)[indices.ravel()]
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(distinct))


def curves(rows: list[dict[str, Any]], numbers: np.random.Generator, steps_S: np.ndarray) -> np.ndarray:
    """Values of one pack by step, metric and run. Less decay and less data make runs generalize later or never."""
    decay, fraction = (np.array([row[name] for row in rows]) for name in ("weight_decay", "train_fraction"))
    fitted = 2 + 0.3 * numbers.standard_normal(len(rows))
    late = fitted + 3.5 - 3 * fraction - 0.6 * np.log10(decay) + 0.3 * numbers.standard_normal(len(rows))
    late[numbers.random(len(rows)) < 0.1] = 99
    when_S1 = np.log10(np.maximum(steps_S, 0.5))[:, None]
    values_SMR = np.empty((len(steps_S), len(METRICS), len(rows)))
    for i, (split, metric) in enumerate(METRICS):
        passage = fitted if split.startswith("train") else late
        accuracy_SR = (1 + np.tanh(4 * (when_S1 - passage))) / 2
        value_SR = {"accuracy": accuracy_SR, "loss": 4.6 * (1 - accuracy_SR)}.get(metric, 10 + 20 * accuracy_SR)
        noise_SR = 0.01 * numbers.standard_normal(value_SR.shape)
        values_SMR[:, i] = np.clip(value_SR + noise_SR, 0, 1) if metric == "accuracy" else value_SR * (1 + noise_SR)
    return values_SMR.astype(np.float32)


if __name__ == "__main__":
    main()
