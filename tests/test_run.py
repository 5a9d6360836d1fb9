"""`study run` with a real Ray: it can be killed at any moment, and ends with what an undisturbed one would have.

Undisturbed means trained in this process, pack by pack, without Ray and without the command line.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from study.store import Store
from tests.studies import command, metrics, run_cli, study_file, trained_file

pytestmark = pytest.mark.ray

HORIZON, PACK_SIZE = 1200, 3
"""Four packs, a few seconds each on one core."""
LINE = ["--compile", "off", "--pack-size", PACK_SIZE, "--flush-seconds", 0.2]
RECONNECT_SECONDS, GONE_SECONDS = 5, 90.0
"""Processes of a Ray whose driver was killed wait for it to come back: Ray's agents and workers that were just starting
do so several times in a row (25 s seen), and Ray's own limit for one time is a minute."""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    return study_file(tmp_path_factory.mktemp("study"), seeds=3, horizon=HORIZON)


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory) -> list[tuple]:
    return metrics(trained_file(study, tmp_path_factory.mktemp("undisturbed"), PACK_SIZE))


class Driver:
    """A `study run` in a session of its own. On leaving, it and every process that it started are gone."""

    def __init__(self, study: Path, store: Path, **env: str) -> None:
        self.store, self.mark = store, f"{os.getpid()}-{time.monotonic_ns()}"
        line, environment = command("run", study, "--store", store, *LINE, STUDY_TEST_MARK=self.mark, **env)
        environment["RAY_gcs_rpc_server_reconnect_timeout_s"] = str(RECONNECT_SECONDS)
        self.process = subprocess.Popen(
            line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()
        left = wait_for(lambda: not self.others(), GONE_SECONDS)
        for pid in self.others():
            os.kill(pid, signal.SIGKILL)
        assert left, "Ray's processes outlive their driver"

    def others(self, words: str = "") -> list[int]:
        """Processes that this driver started, whoever their parent is by now, with `words` in their command line."""
        return [
            pid for pid, text in processes(f"STUDY_TEST_MARK={self.mark}") if words in text and pid != self.process.pid
        ]

    def end(self) -> tuple[int, str, str]:
        """How it ends by itself."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err

    def parts(self) -> int:
        return len(list((self.store / "parts").glob("*/0*.parquet")))

    def num_finished(self) -> int:
        """How many runs have left their packs, now and before."""
        return len(list((self.store / "checkpoints/runs").glob("*.safetensors")))


def processes(variable: str) -> list[tuple[int, str]]:
    """Processes with this variable in their environment, and their command lines."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((int(folder.name), (folder / "cmdline").read_text().replace("\0", " ")))
        except OSError:
            continue
    return [(pid, text) for pid, text in found if text]  # one without a command line is dead, and not yet buried


def wait_for(what: Callable[[], object], seconds: float = 90.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return False


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
    with Driver(study, store) as driver:
        assert wait_for(lambda: driver.parts() >= 3)
        [worker, *_] = driver.others("ray::ImplicitFunc.train")
        os.kill(worker, signal.SIGKILL)
        rows = [read_plainly(store / "study.duckdb") for _ in range(5)]
        asked = run_cli("sql", "select count(*) as n from metrics", "--store", store, "--format", "csv")
        second = run_cli("run", study, "--store", store, *LINE)
        assert driver.process.poll() is None, "the study was over too soon to show anything"
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
    expected = {"checkpoints", "parts", "study.duckdb", ".driver.lock", ".lock"}
    assert {path.name for path in store.iterdir()} == expected


MOMENTS = [
    (signal.SIGKILL, lambda driver: list(driver.store.glob("parts/plan/*.parquet"))),  # nothing but a plan
    (signal.SIGKILL, lambda driver: driver.others("raylet/raylet")),  # Ray is starting
    (signal.SIGINT, lambda driver: driver.parts() >= 3),  # packs are training
    (signal.SIGKILL, lambda driver: driver.num_finished() >= 3),  # some runs are finished, others are training
]


def test_a_driver_that_is_killed_or_interrupted_at_any_moment_loses_nothing(study, undisturbed, tmp_path):
    store = tmp_path / "store"
    finished: set[str] = set()
    first_tries: dict[str, int] = {}
    for how, moment in MOMENTS:
        with Driver(study, store) as driver:
            assert wait_for(lambda moment=moment, driver=driver: moment(driver))
            driver.process.send_signal(how)
            asked_at = time.monotonic()
            code, out, err = driver.end()
        if how is signal.SIGINT:
            assert (code, out) == (130, "")
            assert time.monotonic() - asked_at < 15
            assert err.splitlines()[-1] == "study: stopped; the same command goes on from here."
            assert "Traceback" not in err
        else:
            assert code == -how
        opened = Store.open(store, write=True)
        opened.ingest()
        before = opened.sql("select run_id from runs where status = 'finished'").fetchall()
        finished, first_tries = {run_id for (run_id,) in before}, attempts(opened)
    assert 3 <= len(finished) < 12
    with Driver(study, store) as driver:
        code, out, err = driver.end()
    assert code == 0, err
    assert out.startswith("small: all 12 runs are in")
    check_complete(Store.open(store), undisturbed)
    tries = attempts(Store.open(store))
    assert {run_id: tries[run_id] for run_id in finished} == {run_id: first_tries[run_id] for run_id in finished}
    assert not (store / ".tune").exists()


FAILING = '''
"""Training raises for packs of width 24, in whatever process."""
import importlib.abc, importlib.util, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "trainables.engine":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            train_pack = module.train_pack
            def failing(specs, **options):
                if specs[0].model.width == 24:
                    raise RuntimeError("no luck today")
                return train_pack(specs, **options)
            module.train_pack = failing
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
'''


def test_a_pack_that_fails_is_on_record_and_the_others_finish(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(FAILING)
    study = study_file(tmp_path, axes={"model.width": (16, 24)}, seeds=PACK_SIZE, horizon=50)
    with Driver(study, tmp_path / "store", PYTHONPATH=str(tmp_path)) as driver:
        code, out, err = driver.end()
    assert code == 1, err
    assert out.startswith("small: 3 of 6 runs are missing (RuntimeError: no luck today); ")
    assert "Traceback" not in err
    store = Store.open(tmp_path / "store")
    rows = store.sql("select width, status, error, count(*)::integer from runs group by all order by 1").fetchall()
    assert rows == [(16, "finished", None, 3), (24, "failed", "RuntimeError: no luck today", 3)]
    [row] = json.loads(run_cli("status", "--store", tmp_path / "store", "--json").stdout)
    assert (row["failed"], row["last_error"]) == (3, "RuntimeError: no luck today")
