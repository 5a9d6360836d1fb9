"""`study run` with a real Ray: it can be killed at any moment, and ends with what an undisturbed one would have.

Undisturbed means trained in this process, pack by pack, without Ray and without the command line.
"""

import os
import re
import signal
import time
from pathlib import Path

import duckdb
import pytest

from study.store.database import Store
from study.train.timings import SPANS
from tests.support.driver import Driver, wait_for
from tests.support.studies import metrics, run_cli, study_file, trained_file

pytestmark = pytest.mark.ray

HORIZON, PACK_SIZE = 1200, 3
"""Four packs, a few seconds each on one core."""
LINE = ["--compile", "off", "--pack-size", PACK_SIZE, "--flush-seconds", 0.2]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    return study_file(tmp_path_factory.mktemp("study"), seeds=3, horizon=HORIZON)


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory) -> list[tuple]:
    return metrics(trained_file(study, tmp_path_factory.mktemp("undisturbed"), PACK_SIZE))


def attempts(store: Store) -> dict[str, int]:
    return dict(store.sql("select run_id, count(*)::integer from attempts group by run_id").fetchall())


def check_complete(store: Store, undisturbed: list[tuple]) -> None:
    """Every run is finished, every value is there once and is what it would have been."""
    runs = "select status, stop_reason, steps, count(*)::integer from runs group by all"
    assert store.sql(runs).fetchall() == [("finished", "horizon", HORIZON, 12)]
    assert store.sql("select count(*) - count(distinct (run_id, step, split, metric)) from metrics").fetchall() == [
        (0,)
    ]
    assert metrics(store) == undisturbed


def read_plainly(path: Path) -> int:
    """Rows in `metrics`, as any client of DuckDB would ask, trying again while the file is written."""
    for _ in range(100):
        try:
            with duckdb.connect(path, read_only=True) as connection:
                [(rows,)] = connection.sql("select count(*)::integer from metrics").fetchall()
                return rows
        except duckdb.IOException:
            time.sleep(0.02)
    raise AssertionError("the file is held all the time")


def test_a_study_runs_to_its_end_is_asked_meanwhile_and_outlives_the_death_of_a_worker(study, undisturbed, tmp_path):
    store = tmp_path / "store"
    with Driver(study, store, *LINE) as driver:
        assert wait_for(lambda: driver.parts() >= 3)
        [worker, *others] = driver.others("ray::ImplicitFunc.train")
        for other in others:  # so that the study is not over before it has been asked
            os.kill(other, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        rows = [read_plainly(store / "study.duckdb") for _ in range(5)]
        asked = run_cli("sql", "select count(*) as n from metrics", "--store", store, "--format", "csv")
        second = run_cli("run", study, "--store", store, *LINE)
        assert driver.process.poll() is None, "the study was over too soon to show anything"
        for other in others:
            os.kill(other, signal.SIGCONT)
        code, out, err = driver.end()
    assert (asked.returncode, asked.stderr) == (0, "")
    assert int(asked.stdout.split()[-1]) >= rows[0]
    assert (second.returncode, second.stdout, second.stderr.count("\n")) == (2, "", 1)
    assert "another `study run` is at work" in second.stderr
    assert code == 0, err
    assert out.startswith("small: all 12 runs are in; unified: ")
    assert all(re.match(r"small: \d+/12 runs - ", line) for line in err.splitlines()), err
    check_complete(Store.open(store), undisturbed)
    tries = sorted(attempts(Store.open(store)).values())
    assert tries in ([1] * 9 + [2] * 3, [1] * 12)  # [1] * 12: it was killed before its pack had a part
    expected = {"checkpoints", "parts", "driver", "study.duckdb", ".lock"}
    assert {path.name for path in store.iterdir()} == expected
    spans = Store.open(store).sql("select span from timings where seconds > 0").fetchall()
    assert {span for (span,) in spans} == SPANS.keys()


MOMENTS = [
    (signal.SIGKILL, lambda driver: list(driver.store.glob("parts/plan/*.parquet"))),  # nothing but a plan
    (signal.SIGINT, lambda driver: driver.others("raylet/raylet")),  # Ray is starting
    (signal.SIGTERM, lambda driver: driver.parts() >= 3),  # packs are training
    (signal.SIGKILL, lambda driver: driver.num_finished() >= 3),  # some runs are finished, others are training
]
SECONDS = {signal.SIGKILL: 90, signal.SIGINT: 2, signal.SIGTERM: 2}
"""In which the workers are gone."""


def test_a_driver_that_is_killed_or_interrupted_at_any_moment_loses_nothing(study, undisturbed, tmp_path):
    store = tmp_path / "store"
    finished: set[str] = set()
    first_tries: dict[str, int] = {}
    for how, moment in MOMENTS:
        with Driver(study, store, *LINE) as driver:
            assert wait_for(lambda moment=moment, driver=driver: moment(driver))
            driver.process.send_signal(how)
            asked_at = time.monotonic()
            code, out, err = driver.end()
            seconds = time.monotonic() - asked_at
            # Those of a killed driver find out by themselves; a Ray that was starting has workers that do not train.
            words = "ray::ImplicitFunc" if how is signal.SIGINT else "ray::"
            assert wait_for(lambda words=words, driver=driver: not driver.others(words), SECONDS[how]), "one trains on"
        if how is signal.SIGKILL:
            assert code == -how
        else:
            assert (code, out) == (130, "")
            assert seconds < 15
            assert err.splitlines()[-1] == "study: stopped; the same command goes on from here."
            assert "Traceback" not in err
        opened = Store.open(store, write=True)
        opened.ingest()
        assert not (store / ".tune").exists() or how is signal.SIGKILL
        before = opened.sql("select run_id from runs where status = 'finished'").fetchall()
        finished, first_tries = {run_id for (run_id,) in before}, attempts(opened)
    assert 3 <= len(finished) < 12
    with Driver(study, store, *LINE) as driver:
        code, out, err = driver.end()
    assert code == 0, err
    assert out.startswith("small: all 12 runs are in")
    check_complete(Store.open(store), undisturbed)
    tries = attempts(Store.open(store))
    assert {run_id: tries[run_id] for run_id in finished} == {run_id: first_tries[run_id] for run_id in finished}
    assert not (store / ".tune").exists()
