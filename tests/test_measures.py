"""Curves and outcomes are kept up to date while parts come in: they are what all rows together say."""

import math
import random
import shutil
from pathlib import Path

import duckdb
import pytest

from study import store as store_module
from study.recorder import Recorder, write_plan
from study.store import Store
from tests.parts import PROVENANCE, plan_row, state

RUNS = ("fits", "groks", "forgets", "diverges", "silent")
STEPS = [0, *range(1, 60, 2)]
CHANCE = 0.3


def value(run_id: str, step: int, split: str, metric: str) -> float:
    """What a run records at a step, whoever trains it."""
    if metric == "loss":
        return 5.0 - step / 20
    if metric == "weight_norm":
        return math.nan if run_id == "diverges" and step > 30 else 10 + math.sin(step)
    rise = {"train": 10, "test": 35 if run_id == "groks" else 20, "ood": 50}[split]
    falls = run_id == "forgets" and split == "test" and step > 40
    if run_id == "diverges" and step > 30:
        return math.nan
    return 0.1 if falls else min(1.0, 0.35 + 0.65 * step / rise)


def rows(run_ids: tuple[str, ...], steps: list[int], attempt: int) -> dict[str, list]:
    columns: dict[str, list] = {"run_id": [], "attempt": [], "step": [], "split": [], "metric": [], "value": []}
    names = [(split, metric) for split in ("train", "test", "ood") for metric in ("loss", "accuracy")]
    for step in steps:
        for split, metric in [*names, ("model", "weight_norm")]:
            for run_id in run_ids:
                if run_id == "silent" and metric != "loss":
                    continue
                facts = (run_id, attempt, step, split, metric, value(run_id, step, split, metric))
                for column, entry in zip(columns.values(), facts, strict=True):
                    column.append(entry)
    return columns


def write_all(store_dir: Path) -> None:
    plan = [plan_row(run_id, chance_accuracy=CHANCE) for run_id in RUNS]
    write_plan(store_dir, "s", {"question": "?"}, plan)


def told(store: Store) -> list[list]:
    tables = [store.sql(f"from {table} order by all").to_arrow_table() for table in ("curves", "outcomes")]
    return [[{k: repr(v) for k, v in row.items()} for row in table.to_pylist()] for table in tables]


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> list[list]:
    """From one part with every row."""
    path = tmp_path_factory.mktemp("whole")
    write_all(path)
    finished = [state(run_id, status="finished", steps=STEPS[-1]) for run_id in RUNS]
    Recorder(path, "pack", PROVENANCE).flush(rows(RUNS, STEPS, 1), finished)
    store = Store.open(path, write=True)
    store.ingest()
    return told(store)


def flushed(path: Path, draw: random.Random) -> list[Path]:
    """Parts of a pack that died now and then, and went on from a checkpoint before its last flush; names in order."""
    begin, attempt = 0, 0
    while begin < len(STEPS):
        recorder, attempt = Recorder(path, "pack", PROVENANCE), attempt + 1
        for _ in range(draw.randint(1, 4)):
            end = min(len(STEPS), begin + draw.randint(1, 9))
            status = "finished" if end == len(STEPS) else "running"
            states = [state(run_id, attempt, status, steps=STEPS[end - 1]) for run_id in RUNS]
            recorder.flush(rows(RUNS, STEPS[begin:end], attempt), states)
            if end == len(STEPS):
                return sorted((path / "parts").rglob("*.parquet"))
            begin = end
        begin = max(0, begin - draw.randint(0, 5))
    raise AssertionError("it ends at the last step")


@pytest.mark.parametrize("seed", range(6))
def test_outcomes_and_curves_do_not_depend_on_how_rows_come(expected, tmp_path, seed):
    draw = random.Random(seed)
    write_all(tmp_path / "source")
    parts = flushed(tmp_path / "source", draw)
    if seed % 2:
        draw.shuffle(parts)
    store = Store.open(tmp_path / "store", write=True)
    while parts:
        for part in [parts.pop(0) for _ in range(min(len(parts), draw.randint(1, 4)))]:
            target = tmp_path / "store" / part.relative_to(tmp_path / "source")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(part, target)
        assert not store.ingest().skipped
    # Only the number of tries differs, which outcomes do not show.
    assert told(store) == expected
    store.ingest(rebuild=True)
    assert told(store) == expected


def test_outcomes_are_what_the_rows_say(expected):
    outcomes = {eval(row["run_id"]): row for row in expected[1]}
    assert (outcomes["groks"]["train_step_99"], outcomes["groks"]["test_step_99"]) == ("11", "35")
    assert outcomes["forgets"]["final_test_accuracy"] == "0.1"
    assert outcomes["forgets"]["censored"] == "False"
    assert outcomes["fits"]["train_accuracy_at_test_onset"] == repr(value("fits", 3, "train", "accuracy"))
    assert outcomes["diverges"]["final_norm"] == repr(value("diverges", 29, "model", "weight_norm"))
    assert (outcomes["silent"]["horizon"], outcomes["silent"]["train_step_50"]) == ("59", "None")


def test_a_plan_that_comes_after_its_runs_is_measured_against(expected, tmp_path):
    Recorder(tmp_path, "pack", PROVENANCE).flush(
        rows(RUNS, STEPS, 1), [state(run_id, status="finished", steps=STEPS[-1]) for run_id in RUNS]
    )
    store = Store.open(tmp_path, write=True)
    store.ingest()
    write_all(tmp_path)
    store.ingest()
    assert told(store) == expected


def test_another_definition_of_the_measures_makes_them_anew(expected, tmp_path, monkeypatch):
    write_all(tmp_path)
    flushed(tmp_path, random.Random(0))
    store = Store.open(tmp_path, write=True)
    store.ingest()
    with duckdb.connect(tmp_path / "study.duckdb") as connection:
        connection.execute("update store_info set value = 'other' where key in ('views', 'measures')")
        connection.execute("update measures set max_test_accuracy = 0.123; delete from curves")
    monkeypatch.setattr(store_module, "SLICE", 100)
    store.ingest()
    assert told(store) == expected
