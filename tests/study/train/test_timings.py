"""Where the seconds of a call that trains go."""

import time
from pathlib import Path

import pytest

from study.store.database import Store
from study.store.parts import write_timings
from study.train import service
from study.train.timings import (
    MOST_SLOWER,
    OF_PACKS,
    SPANS,
    CallTimer,
    Timings,
    about,
    process_start,
    slowness,
    timings_of,
)
from tests.support.studies import small
from tests.support.without_ray import OPTIONS, without_ray


def test_the_store_keeps_where_the_time_of_a_call_went(tmp_path: Path):
    store, timer = Store.open(tmp_path, write=True), CallTimer()
    with without_ray():
        service.run(small(), store, OPTIONS, lambda said: None, timer)
    [study] = {row[0] for row in store.sql("select study from timings").fetchall()}
    kept = dict(store.sql("select span, seconds from timings").fetchall())
    assert study == "small"
    assert kept.keys() == SPANS.keys()
    spent = timings_of(timer, store, "small")
    assert all(kept[span] == pytest.approx(spent.spans[span]) for span in SPANS if span != "end")
    assert kept["end"] < spent.spans["end"]
    assert spent.in_packs.keys() == OF_PACKS.keys()
    assert min(spent.in_packs.values()) >= 0
    assert timer.workers == 2  # of which the loop in place of Ray has one
    trained = sum(seconds for span, seconds in spent.in_packs.items() if span != "idle")
    assert 0.3 * spent.spans["packs"] < trained < spent.spans["packs"]


def test_a_call_that_has_nothing_to_train_keeps_nothing(tmp_path: Path):
    store = Store.open(tmp_path, write=True)
    with without_ray():
        service.run(small(), store, OPTIONS, lambda said: None)
        timer = CallTimer()
        service.run(small(), store, OPTIONS, lambda said: None, timer)
    assert store.sql("select count(distinct began_at) from timings").fetchall() == [(1,)]
    assert timings_of(timer, store, "small").in_packs == dict.fromkeys(OF_PACKS, 0.0)


def test_the_times_of_a_run_are_part_of_its_share_of_the_pack(tmp_path: Path):
    store = Store.open(tmp_path, write=True)
    with without_ray():
        service.run(small(), store, OPTIONS, lambda said: None)
    spans = "prepare_seconds, compile_seconds, evaluate_seconds, save_seconds"
    rows = store.sql(f"select wall_seconds, {spans} from attempts").fetchall()
    assert len(rows) == 8
    for whole, *parts in rows:
        prepared, compiled, evaluated, saved = parts
        assert prepared > 0
        assert compiled == 0
        assert evaluated > 0
        assert saved > 0
        assert sum(parts) < whole


def test_a_rebuilt_store_has_the_same_times(tmp_path: Path):
    store = Store.open(tmp_path, write=True)
    with without_ray():
        service.run(small(), store, OPTIONS, lambda said: None)
    before = [store.sql(f"from {table} order by all").fetchall() for table in ("timings", "attempts")]
    (tmp_path / "study.duckdb").unlink()
    again = Store.open(tmp_path, write=True)
    again.ingest()
    assert [again.sql(f"from {table} order by all").fetchall() for table in ("timings", "attempts")] == before


def test_guesses_learn_from_what_the_last_calls_on_this_machine_took(tmp_path: Path):
    store = Store.open(tmp_path, write=True)
    assert slowness(None, "cpu") == slowness(store, "cpu") == 1
    calls = [(1000.0, 100.0), (10.0, 1.0), (50.0, None), *((n * 100.0, 100.0) for n in (2, 3, 4, 1, 3))]
    assert MOST_SLOWER < 10
    for day, (seconds, guessed) in enumerate(calls):
        timer = CallTimer()
        timer.began_at = timer.began_at.replace(year=2020 + day)
        said = about(timer, "small", "cpu", guessed)
        write_timings(store.place, said, {"ray": 0.25 * seconds, "packs": 0.75 * seconds})
        store.ingest()
        assert day or slowness(store, "cpu") == 1, "one call says nothing"
        assert day != 3 or slowness(store, "cpu") == MOST_SLOWER, "six times, and ten times"
    write_timings(store.place, {**said, "host": "elsewhere"}, {"packs": 7000.0})
    for day in ("2019-01-01", "2019-01-02"):
        write_timings(store.place, {**said, "began_at": day, "device": "cuda"}, {"packs": 50.0})
    store.ingest()
    assert slowness(store, "cpu") == 3  # of the last five that say something: 2, 3, 4, 1, 3
    assert slowness(store, "cuda") == 0.5


def test_a_guess_is_judged_by_a_call_that_has_trained_all_of_its_steps(tmp_path: Path):
    store = Store.open(tmp_path, write=True)
    leaving = small("leaving", horizon=900, leave_when_generalized=True, axes={"task.train_fraction": (0.9,)})
    with without_ray():
        service.run(small(), store, OPTIONS, lambda said: None)
        service.run(leaving, store, OPTIONS, lambda said: None)
    steps = dict(
        store.sql("select study, sum(steps)::integer from runs join study_runs using (run_id) group by 1").fetchall()
    )
    assert steps["small"] == 8 * 60
    assert steps["leaving"] < 0.9 * 2 * 900
    guessed = dict(store.sql("select study, any_value(estimated) from timings group by study").fetchall())
    assert guessed["small"] > 0
    assert guessed["leaving"] is None


def test_the_table_has_the_seconds_of_packs_below_their_span():
    shown = str(Timings(2, {"ray": 3.0, "packs": 20.25, "end": 1.0}, {"compile": 8.0, "train": 30.0}))
    assert [line.split()[:2] for line in shown.splitlines()] == [
        ["time:", "24.2"],
        ["ray", "3.0"],
        ["packs", "20.2"],
        ["of", "2"],
        ["compile", "8.0"],
        ["train", "30.0"],
        ["end", "1.0"],
    ]


def test_this_process_began_a_while_ago():
    began = process_start()
    assert 0 < time.monotonic() - began < 24 * 3600
    assert process_start() == pytest.approx(began, abs=0.05)
