"""Curves and outcomes are kept up to date while parts come in: they are what all rows together say."""

import math
import random
import shutil
import statistics
from pathlib import Path

import duckdb
import pytest

from study.store.database import Store
from study.store.parts import Recorder, write_plan
from tests.support.parts import PROVENANCE, invented, plan_row, state

FITS, GROKS, FORGETS, DIVERGES, SILENT = RUNS = tuple(
    invented(name) for name in ("fits", "groks", "forgets", "diverges", "silent")
)
STEPS = [0, *range(1, 60, 2)]
CHANCE = 0.3


def value(run_id: str, step: int, split: str, metric: str) -> float:
    """What a run records at a step, whoever trains it."""
    if metric == "loss":
        return 5.0 - step / 20
    if metric == "weight_norm":
        return math.nan if run_id == DIVERGES and step > 30 else 10 + math.sin(step)
    rise = {"train": 10, "test": 35 if run_id == GROKS else 20, "ood": 50}[split]
    falls = run_id == FORGETS and split == "test" and step > 40
    if run_id == DIVERGES and step > 30:
        return math.nan
    return 0.1 if falls else min(1.0, 0.35 + 0.65 * step / rise)


def rows(run_ids: tuple[str, ...], steps: list[int], attempt: int) -> dict[str, list]:
    columns: dict[str, list] = {"run_id": [], "attempt": [], "step": [], "split": [], "metric": [], "value": []}
    names = [(split, metric) for split in ("train", "test", "ood") for metric in ("loss", "accuracy")]
    for step in steps:
        for split, metric in [*names, ("model", "weight_norm")]:
            for run_id in run_ids:
                if run_id == SILENT and metric != "loss":
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
    assert (outcomes[GROKS]["train_step_99"], outcomes[GROKS]["test_step_99"]) == ("11", "35")
    assert outcomes[FORGETS]["final_test_accuracy"] == "0.1"
    assert outcomes[FORGETS]["censored"] == "False"
    assert outcomes[FITS]["train_accuracy_at_test_onset"] == repr(value(FITS, 3, "train", "accuracy"))
    assert outcomes[DIVERGES]["final_norm"] == repr(value(DIVERGES, 29, "model", "weight_norm"))
    assert (outcomes[SILENT]["horizon"], outcomes[SILENT]["train_step_50"]) == ("59", "None")


def measured(folder: Path, curves: dict[str, dict[str, list[float]]], cuts: tuple[int, ...] = ()) -> dict[str, dict]:
    """The outcome of each run with these values, by "split.metric", at steps 0, 10, ...; one ingest up to each cut."""
    runs = {invented(name): columns for name, columns in curves.items()}
    plans = [plan_row(run, chance_accuracy=CHANCE, horizon=10_000) for run in runs]
    write_plan(folder, "s", {"question": "?"}, plans)
    store, recorder = Store.open(folder, write=True), Recorder(folder, "pack", PROVENANCE)
    last, begin = max(len(values) for columns in curves.values() for values in columns.values()), 0
    for end in (*cuts, last):
        facts = [
            (run_id, 1, 10 * i, *name.split("."), values[i])
            for run_id, columns in runs.items()
            for name, values in columns.items()
            for i in range(begin, min(end, len(values)))
        ]
        columns = dict(
            zip(("run_id", "attempt", "step", "split", "metric", "value"), zip(*facts, strict=True), strict=True)
        )
        recorder.flush(columns, [state(run_id, status="finished", steps=10 * (end - 1)) for run_id in runs])
        assert not store.ingest().skipped
        begin = end
    outcomes = {row["run_id"]: row for row in store.sql("from outcomes").to_arrow_table().to_pylist()}
    return {name: outcomes[invented(name)] for name in curves}


LEVELS = {"50": 0.5, "90": 0.9, "95": 0.95, "99": 0.99}


def test_a_level_is_passed_by_an_accuracy_that_equals_it_and_not_by_one_below(tmp_path, subtests):
    """For every split and level: the first step with an accuracy at or above it."""
    curves = {
        f"{split}_{level}": {f"{split}.accuracy": [0.0, math.nextafter(at, 0), at, 0.0, 1.0]}
        for split in ("train", "test", "ood")
        for level, at in LEVELS.items()
    }
    for cuts in ((), (2,), (2, 3)):
        outcomes = measured(tmp_path / str(cuts), curves, cuts)
        for run_id, outcome in outcomes.items():
            split, level = run_id.split("_")
            expected = {f"{other}_step_{name}": None for other in ("train", "test", "ood") for name in LEVELS}
            for name, at in LEVELS.items():
                expected[f"{split}_step_{name}"] = 10 if at < LEVELS[level] else 20 if name == level else 40
            with subtests.test(cuts=cuts, run_id=run_id):
                assert {name: outcome[name] for name in expected} == expected
                assert outcome["censored"] == (split != "test")


def test_norms_and_the_onset_are_taken_where_an_accuracy_equals_its_level(tmp_path):
    onset, fitted, norms = CHANCE + 0.1, 0.95, [10.0, 11.0, 12.0, 13.0]
    rises = [[0.0, math.nextafter(level, 0), level, 1.0] for level in (fitted, onset)]
    curves = {
        "train": {"train.accuracy": rises[0], "test.accuracy": [0.0] * 4, "model.weight_norm": norms},
        "test": {"train.accuracy": [0.0] * 4, "test.accuracy": rises[0], "model.weight_norm": norms},
        "onset": {"train.accuracy": [0.1, 0.2, 0.3, 0.4], "test.accuracy": rises[1], "model.weight_norm": norms},
    }
    outcomes = measured(tmp_path, curves)
    assert (outcomes["train"]["norm_at_train_step"], outcomes["train"]["norm_at_test_step"]) == (12.0, None)
    assert (outcomes["test"]["norm_at_train_step"], outcomes["test"]["norm_at_test_step"]) == (None, 12.0)
    assert outcomes["onset"]["train_accuracy_at_test_onset"] == 0.3
    assert outcomes["train"]["train_accuracy_at_test_onset"] is None


def test_the_spread_at_the_end_is_that_of_the_last_tenth_of_the_test_accuracies_and_of_two_at_least(tmp_path, subtests):
    counts = (1, 2, 3, 19, 20, 29, 30, 31, 50)
    values = {count: [(7 * i * i + i) % 101 / 101 for i in range(count)] for count in counts}
    # The loss goes on: evaluations without a test accuracy are none of them.
    curves = {str(n): {"test.accuracy": values[n], "train.loss": [1.0] * (n + 9)} for n in counts}
    for cuts in ((), (1,), (7, 19, 20, 30), (2, 12, 13, 25, 40)):
        outcomes = measured(tmp_path / str(len(cuts)), curves, cuts)
        for count in counts:
            tenth = values[count][-max(2, count // 10) :]
            expected = pytest.approx(statistics.stdev(tenth), rel=1e-9) if count > 1 else None
            with subtests.test(cuts=cuts, count=count):
                assert outcomes[str(count)]["final_test_sd"] == expected
                assert outcomes[str(count)]["final_test_accuracy"] == values[count][-1]


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
    monkeypatch.setattr("study.store.install.SLICE", 100)
    store.ingest()
    assert told(store) == expected
