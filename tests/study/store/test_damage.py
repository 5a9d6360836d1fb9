"""A DuckDB file that is damaged anywhere: a reader says so, a writer makes it anew, and every value is as before."""

import random
import shutil
from pathlib import Path

import duckdb
import pytest

from study.store import anew
from study.store.connection import connected, read_all
from study.store.database import Store
from study.store.errors import QueryError, StoreError, StoreUnusable
from study.store.parts import Recorder, write_plan
from tests.support.database_damage import BLOCK, HEADERS, KINDS, damaged
from tests.support.parts import PROVENANCE, A, invented, losses, plan_row, state, write_runs

TABLES = ("studies", "study_runs", "run_specs", "attempts", "metrics", "recorded", "curves", "measures", "outcomes")
RUNS = [invented(f"r{i}") for i in range(20)]


def contents(store: Store) -> dict[str, list]:
    return {table: store.sql(f"from {table} order by all").fetchall() for table in TABLES}


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory) -> tuple[Path, dict[str, list]]:
    """A store whose file has every table in blocks of their own, and what it holds."""
    path = tmp_path_factory.mktemp("undamaged")
    write_runs(path, RUNS)
    store = Store.open(path, write=True)
    assert store.ingest().parts == 21
    return path, contents(store)


@pytest.fixture
def copy(undamaged, tmp_path) -> Path:
    shutil.copytree(undamaged[0], tmp_path / "store")
    return tmp_path / "store"


def without_block(data: bytes, number: int) -> bytes:
    begin = HEADERS + number * BLOCK
    return data[:begin] + bytes(BLOCK) + data[begin + BLOCK :]


def test_every_block_of_a_file_is_read_when_it_is_opened_for_writing(undamaged, copy):
    """With keys there were blocks of indices: one was read by some queries, at some moments, and by no check."""
    file = copy / "study.duckdb"
    whole = file.read_bytes()
    num_blocks = (len(whole) - HEADERS) // BLOCK
    assert num_blocks > 8
    for number in range(num_blocks):
        file.write_bytes(without_block(whole, number))
        with pytest.raises(StoreUnusable), connected(file) as connection:
            read_all(connection)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_a_store_with_a_damaged_file_has_every_value_after_it_was_opened_for_writing(undamaged, copy, kind, seed):
    _, expected = undamaged
    file = copy / "study.duckdb"
    how, bad = damaged(file.read_bytes(), random.Random(f"{kind} {seed}"), kind)
    file.write_bytes(bad)
    said = ""
    try:
        assert contents(Store.open(copy)) == expected, how
    except StoreUnusable as error:
        said = str(error)
    assert not said or ("`study ingest` makes it anew" in said and "\n" not in said), how
    store = Store.open(copy, write=True)
    assert store.ingest().skipped == [], how
    assert contents(store) == expected, how
    if (kept := copy / "study.duckdb.damaged").exists():
        assert kept.read_bytes() == bad, how


def test_an_ingest_without_new_parts_finds_what_a_reader_has_met(undamaged, copy):
    """`study ingest` is what the reader is told to call."""
    file = copy / "study.duckdb"
    bad = without_block(file.read_bytes(), 0)
    file.write_bytes(bad)
    with pytest.raises(StoreUnusable, match="`study ingest` makes it anew"):
        contents(Store.open(copy))
    assert Store(copy, write=True).ingest(check=True).parts == 21
    assert contents(Store.open(copy)) == undamaged[1]


def test_damage_that_only_a_fold_meets_is_mended_by_it(undamaged, copy, monkeypatch):
    """A driver looks once, and brings in parts for days."""
    store = Store.open(copy, write=True)
    file = copy / "study.duckdb"
    with duckdb.connect(file) as opened:
        opened.execute("drop table recorded")
    Recorder(copy, "more", PROVENANCE).flush(losses(RUNS[0], [900]), [state(RUNS[0], steps=900)])
    assert store.ingest().parts == 22
    assert store.sql("select max(step) from metrics").fetchall() == [(900,)]
    assert (copy / "study.duckdb.damaged").exists()


@pytest.mark.parametrize(
    "sql", ["delete from store_info", "drop table store_info", "update store_info set value = 'x'"]
)
def test_a_file_without_a_version_is_made_anew(undamaged, copy, sql):
    with duckdb.connect(copy / "study.duckdb") as opened:
        opened.execute(sql)
    with pytest.raises(StoreUnusable, match="`study ingest` makes it anew"):
        Store.open(copy)
    assert contents(Store.open(copy, write=True)) == undamaged[1]


def test_a_version_is_a_number(copy):
    with duckdb.connect(copy / "study.duckdb") as opened:
        opened.execute("update store_info set value = '10' where key = 'version'")
    with pytest.raises(StoreError, match="upgrade grokking-study") as caught:
        Store.open(copy, write=True)
    assert not isinstance(caught.value, StoreUnusable)
    assert not list(copy.glob("study.duckdb.*"))


def test_the_first_copies_and_the_last_one_are_kept(undamaged, copy):
    file = copy / "study.duckdb"
    for i in range(5):
        file.write_bytes(b"garbage %d" % i)
        Path(f"{file}.wal").write_bytes(b"log %d" % i)
        assert Store.open(copy, write=True).ingest().busy is None
    kept = {path.name: path.read_bytes() for path in copy.glob("study.duckdb.damaged*")}
    assert kept == {
        "study.duckdb.damaged": b"garbage 0",
        "study.duckdb.damaged-2": b"garbage 1",
        "study.duckdb.damaged-3": b"garbage 4",
        "study.duckdb.damaged.wal": b"log 0",
        "study.duckdb.damaged-2.wal": b"log 1",
        "study.duckdb.damaged-3.wal": b"log 4",
    }
    assert contents(Store.open(copy)) == undamaged[1]


@pytest.mark.parametrize("log", ["noise", "of another store"])
def test_a_foreign_log_beside_the_file_changes_nothing(undamaged, copy, tmp_path, log):
    other = b"noise" * 1000
    if log == "of another store":
        with duckdb.connect(tmp_path / "other.duckdb") as opened:
            opened.execute("pragma disable_checkpoint_on_shutdown")
            opened.execute("create table metrics as select 'r0' as run_id, 1.0 as value")
        other = (tmp_path / "other.duckdb.wal").read_bytes()
        assert other
    (copy / "study.duckdb.wal").write_bytes(other)
    store = Store.open(copy, write=True)
    store.ingest()
    assert contents(store) == undamaged[1]


def test_the_old_file_stays_until_the_new_one_is_whole(copy, monkeypatch):
    file = copy / "study.duckdb"
    file.write_bytes(b"garbage")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(anew, "fold_new", full)
        with pytest.raises(OSError, match="No space left"):
            Store.open(copy, write=True)
    assert file.read_bytes() == b"garbage"
    assert {path.name for path in copy.iterdir()} == {".lock", "parts", "study.duckdb"}


def test_what_a_killed_writer_has_left_goes_with_the_next_rebuild(undamaged, copy):
    (copy / ".study.duckdb.1.tmp").write_bytes(b"half")
    (copy / ".study.duckdb.1.tmp.wal").write_bytes(b"half")
    (copy / ".study.duckdb.1.tmp.tmp").mkdir()
    (copy / ".study.duckdb.1.tmp.tmp/spilled").write_bytes(b"half")
    store = Store.open(copy, write=True)
    store.ingest(rebuild=True)
    assert contents(store) == undamaged[1]
    assert {path.name for path in copy.iterdir()} == {".lock", "parts", "study.duckdb"}


def test_an_error_that_somebody_keeps_does_not_keep_the_damaged_file_open(undamaged, copy):
    """A notebook keeps the last error, and DuckDB answers from what it has open, not from the file that came since."""
    file = copy / "study.duckdb"
    file.write_bytes(without_block(file.read_bytes(), 0))
    with pytest.raises(StoreUnusable) as kept:
        contents(Store.open(copy))
    assert Store.open(copy, write=True).ingest().busy is None
    assert contents(Store.open(copy)) == undamaged[1]
    assert kept.value.why == "damaged"


# What is no damage.

QUERIES = [
    "select error('Corrupt database file: INTERNAL Error: Serialization Error')",
    "select error('No space left on device')",
    "select 'Could not read enough bytes'::integer",
    "select * from nowhere",
    "selec 1",
    "select repeat('a', 10) + 1",
    "from read_csv('/etc/passwd')",
    "select json_extract('{', 'a')",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_is_refused_is_not_damage(copy, query):
    with pytest.raises(QueryError) as caught:
        Store.open(copy).sql(query)
    assert not isinstance(caught.value, StoreUnusable)


def test_a_part_that_is_refused_is_not_damage(copy):
    Recorder(copy, "odd", PROVENANCE).flush({}, [state(RUNS[0], status="Corrupt database file, INTERNAL Error")])
    write_plan(copy, "odd", {}, [plan_row(A, spec="{Corrupt INTERNAL Error")])
    report = Store.open(copy, write=True).ingest()
    assert len(report.skipped) == 2
    assert not list(copy.glob("study.duckdb.*"))


def test_an_error_of_duckdb_at_a_users_query_is_damage_only_where_the_file_is(copy, monkeypatch):
    store = Store.open(copy)

    def fails(*_: object) -> None:
        raise duckdb.InternalException("INTERNAL Error: a bug of DuckDB")

    monkeypatch.setattr("study.store.query._in_memory", fails)
    with pytest.raises(QueryError, match="a bug of DuckDB"):
        store.sql("select 1")
