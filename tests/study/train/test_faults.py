"""`study run` with a real Ray where something breaks: what can be trained is trained, to the same numbers."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.store.database import Store
from tests.support.altered import altered
from tests.support.disk import resize, small_disk
from tests.support.driver import Driver
from tests.support.studies import metrics, run_cli, study_file, trained_file

pytestmark = pytest.mark.ray

SEEDS, HORIZON = 2, 300
LINE = ["--compile", "off", "--pack-size", SEEDS, "--flush-seconds", 0.1]

BREAKING = """
import os, time
_train_pack = train_pack

def train_pack(specs, **options):
    breaks(specs)
    return _train_pack(specs, **options)

def breaks(specs):
"""
"""Training breaks before its first step, in whatever process, as `breaks(specs)` says."""


def breaking(folder: Path, *lines: str) -> str:
    """A folder for PYTHONPATH whose processes break as these lines say."""
    return altered(folder, {"trainables.engine": BREAKING + "".join(f"    {line}\n" for line in lines)})


def test_a_pack_that_fails_is_tried_in_halves_until_a_run_fails_alone(tmp_path):
    study = study_file(tmp_path, axes={"model.width": (16, 24)}, seeds=SEEDS, horizon=HORIZON, learning_rate=0.003)
    undisturbed = trained_file(study, tmp_path / "undisturbed")
    lines = (
        "import torch",
        "if specs[0].model.width == 16 and len(specs) > 1: raise torch.OutOfMemoryError('CUDA out of memory')",
        "if specs[0].model.width == 24 and any(s.seed == 1 for s in specs): raise RuntimeError('no luck today')",
    )
    with Driver(study, tmp_path / "store", *LINE, PYTHONPATH=breaking(tmp_path, *lines)) as driver:
        code, out, err = driver.end()
    assert code == 1, err
    assert out.startswith("small: 1 of 4 runs are missing (RuntimeError: no luck today); ")
    assert "Traceback" not in err
    store = Store.open(tmp_path / "store")
    rows = store.sql("select width, seed, status, error from runs order by 1, 2").fetchall()
    failed = (24, 1, "failed", "RuntimeError: no luck today")
    assert rows == [failed if (w, s) == (24, 1) else (w, s, "finished", None) for w in (16, 24) for s in range(SEEDS)]
    other = undisturbed.sql("select run_id from runs where (width, seed) <> (24, 1)").fetchall()
    found, expected = metrics(store), [row for row in metrics(undisturbed) if (row[0],) in other]
    assert [row[:-1] for row in found] == [row[:-1] for row in expected]
    # A run's numbers depend on its pack in the last digits alone.
    assert [row[-1] for row in found] == pytest.approx([row[-1] for row in expected], rel=1e-4, abs=1e-5)
    [(error,)] = store.sql("select distinct error from attempts where error like '%memory%'").fetchall()
    assert error == "OutOfMemoryError: CUDA out of memory"
    [(log,)] = store.sql("select distinct log from attempts where error like '%no luck%'").fetchall()
    assert log.startswith("Traceback")
    assert log.rstrip().endswith("RuntimeError: no luck today")
    [row] = json.loads(run_cli("status", "--store", tmp_path / "store", "--json").stdout)
    assert (row["failed"], row["last_error"]) == (1, "RuntimeError: no luck today")


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with small_disk(tmp_path / "disk", 2048) as folder:
        yield folder


def test_a_disk_that_fills_up_ends_the_study_in_one_line_and_the_same_command_goes_on(disk, tmp_path):
    study = study_file(tmp_path, seeds=SEEDS, horizon=HORIZON)
    undisturbed = trained_file(study, tmp_path / "undisturbed", SEEDS)
    store = disk / "store"
    assert run_cli("sql", "select 1", "--store", store).returncode == 2
    Store.open(store, write=True)
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "other people's").write_bytes(bytes(free - 150_000))
    with Driver(study, store, *LINE) as driver:
        code, out, err = driver.end()
    assert (code, out) == (2, ""), err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("study: the disk is full (")
    (disk / "other people's").unlink()
    resize(disk, 65536)
    with Driver(study, store, *LINE) as driver:
        code, out, err = driver.end()
    assert code == 0, err
    assert metrics(Store.open(store)) == metrics(undisturbed)
