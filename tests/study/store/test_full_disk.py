"""A disk that fills up at any moment: one line and nothing lost, or a store that has everything."""

import errno
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from study.store.database import Store
from study.store.ingest import IngestReport
from study.store.parts import Recorder
from tests.support.disk import resize, small_disk
from tests.support.parts import PROVENANCE, invented, losses, state, write_runs

TABLES = ("study_runs", "run_specs", "attempts", "metrics", "recorded", "curves", "measures")
RUNS = [invented(f"r{i}") for i in range(20)]
ROOM = 200_000
STEP = 400
"""Kilobytes between the sizes that are tried: a block of DuckDB has 256."""


def contents(store: Store) -> dict[str, list]:
    return {table: store.sql(f"from {table} order by all").fetchall() for table in TABLES}


@pytest.fixture(scope="module")
def roomy(tmp_path_factory) -> tuple[Path, dict[str, list], dict[str, list]]:
    """A store that has yet to bring in one of its parts, what it holds, and what it holds then."""
    path = tmp_path_factory.mktemp("roomy") / "store"
    write_runs(path, RUNS)
    store = Store.open(path, write=True)
    store.ingest()
    before = contents(store)
    Recorder(path, "more", PROVENANCE).flush(losses(RUNS[0], range(300, 20_000)), [state(RUNS[0], steps=20_000)])
    shutil.copytree(path, path.with_name("after"))
    after = Store.open(path.with_name("after"), write=True)
    after.ingest()
    return path, before, contents(after)


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", ROOM) as folder:
        yield folder


def fill(disk: Path, kilobytes: int) -> None:
    """Leave so much room."""
    resize(disk, sum(path.stat().st_blocks for path in disk.rglob("*")) // 2 + kilobytes)


def tried(call: Callable[[], IngestReport | Store]) -> bool:
    """Whether a call came through; False where the disk was full, and anything else fails the test."""
    try:
        report = call()
    except OSError as error:
        found = error
    else:
        assert isinstance(report, Store) or (report.skipped, report.busy) == ([], None)
        return True
    assert (found.errno, str(found).count("\n")) == (errno.ENOSPC, 0)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("call", ["new", "rebuild", "damaged", "fold"])
def test_on_a_disk_of_any_size_all_comes_in_or_one_line_says_that_it_is_full(roomy, disk, call):
    source, before, after = roomy
    store, came_through = disk / "store", []
    for kilobytes in range(0, 20_000, STEP):
        resize(disk, ROOM)
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(source, store)
        file = store / "study.duckdb"
        if call == "new":
            file.unlink()
        elif call == "damaged":
            file.write_bytes(b"garbage")
        fill(disk, kilobytes)
        came_through.append(tried(lambda: Store(store, write=True).ingest(rebuild=call == "rebuild")))
        if came_through[-1]:
            assert contents(Store.open(store)) == after, kilobytes
        elif call == "new":
            assert not file.exists(), kilobytes
        elif call == "damaged":
            assert file.read_bytes() == b"garbage", kilobytes
        else:
            assert contents(Store.open(store)) in (before, after), kilobytes
        resize(disk, ROOM)
        assert tried(Store(store, write=True).ingest), kilobytes
        assert contents(Store.open(store)) == after, kilobytes
        assert not list(store.glob(".study*")), kilobytes
        if all(came_through[-3:]) and len(came_through) > 3:
            break
    assert set(came_through) == {False, True}, "the sizes that were tried have to be on both sides"


def test_a_new_store_on_a_full_disk_is_not_made(roomy, disk):
    """What was made there could not be read: `has store version None`."""
    for kilobytes in range(0, 4000, STEP):
        store = disk / str(kilobytes)
        fill(disk, kilobytes)
        tried(partial(Store.open, store, write=True))
        assert not (store / "study.duckdb").exists() or Store.open(store).sql("from runs").fetchall() == []
        resize(disk, ROOM)
        assert Store.open(store, write=True).ingest().busy is None
