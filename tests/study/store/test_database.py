"""The store: each part once, the same tables whatever the order, nobody locked out, nothing lost to a kill."""

import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from study.store import definitions, fold, views
from study.store.database import Store
from study.store.errors import StoreError, StoreUnusable
from study.store.levels import LEVELS, SPLITS
from study.store.part_file import ABOUT, encoded
from study.store.parts import Recorder, write_plan
from study.store.query import query
from tests.support.parts import PROVENANCE, A, B, losses, plan_row, state, write_parts
from trainables.errors import SpecError

TABLES = (
    "studies",
    "study_runs",
    "run_specs",
    "attempts",
    "metrics",
    "overruled",
    "recorded",
    "curves",
    "measures",
    "ends",
    "runs",
    "observed",
    "observations",
)


def contents(store: Store) -> dict[str, list]:
    return {table: store.sql(f"select * from {table} order by all").fetchall() for table in TABLES}


def ingested(path: Path) -> Store:
    store = Store.open(path, write=True)
    store.ingest()
    return store


def python(script: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)


# What goes in.


def test_plans_states_and_metrics_come_together_in_runs(tmp_path):
    write_plan(tmp_path, "s", {"question": "?"}, [plan_row(A), plan_row(B, horizon=70)])
    recorder = Recorder(tmp_path, "pack", PROVENANCE)
    recorder.flush(losses(A, [0, 1]), [state(A, steps=1)])
    recorder.flush(losses(A, [2]), [state(A, status="finished", steps=2)])
    store = ingested(tmp_path)
    runs = "select run_id, status, stop_reason, horizon, steps, wall_seconds from runs order by run_id"
    assert store.sql(runs).fetchall() == sorted(
        [(A, "finished", "horizon", 100, 2, 1.5), (B, "planned", None, 70, 0, 0.0)]
    )
    assert store.sql("select host, versions->>'python', ended_at::text from attempts").fetchall() == [
        ("here", "3", "2026-01-02 03:05:05")
    ]
    assert store.sql("select count(*) from metrics").fetchall() == [(3,)]
    assert store.sql("select kind, rows, error from parts order by part").fetchall() == [
        ("metrics", 2, None),
        ("metrics", 1, None),
        ("plan", 2, None),
    ]


def test_a_part_goes_in_once(tmp_path):
    write_parts(tmp_path, 3)
    store = Store.open(tmp_path, write=True)
    first, second = store.ingest(), store.ingest()
    assert (first.parts, first.rows, first.skipped, first.busy) == (4, 61, [], None)
    assert (second.parts, second.rows) == (0, 0)
    assert store.sql("select count(*) from metrics").fetchall() == [(60,)]


def test_the_order_of_parts_does_not_matter(tmp_path):
    source = tmp_path / "source"
    for horizon in (100, 300, 200):
        write_plan(source, "s", {"horizon": horizon}, [plan_row(A, horizon=horizon, pack_id=f"pack{horizon}")])
    for pack, attempt, steps in [
        ("p", 1, [0, 1, 2]), ("p", 1, [2, 3, 9]), ("q", 1, [2, 3]), ("p", 2, [3, 5]), ("p", 3, [4, 6]), ("p", 3, [11]),
    ]:  # fmt: skip
        recorder = Recorder(source, pack, PROVENANCE)
        value = random.random()
        rows = {name: both * 2 for name, both in losses(A, steps, attempt, value).items()}
        rows["run_id"][: len(steps)] = [B] * len(steps)
        recorder.flush(rows, [state(A, attempt, steps=max(steps)), state(B, attempt, "failed", error="e")])
    names = [file.relative_to(source) for file in source.rglob("*.parquet")]
    expected = contents(ingested(source))
    assert [row[3] for row in expected["study_runs"]] == [300]
    assert [row[4] for row in expected["study_runs"]] == [[100, 200, 300]]
    assert [row[5] for row in expected["study_runs"]] == ["pack200"]
    for order in random.Random(0).sample(list(itertools.permutations(names)), 3):
        copy = tmp_path / "copy"
        store = Store.open(copy, write=True)
        for name in order:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, copy / name)
            assert store.ingest().parts == 1
        assert contents(store) == expected
        shutil.rmtree(copy)


def test_an_attempt_that_comes_as_far_replaces_earlier_ones_from_its_first_step_on(tmp_path):
    Recorder(tmp_path, "p", {}).flush(losses(A, [0, 1, 2, 3, 7], 1, 1.0), [])
    Recorder(tmp_path, "p", {}).flush(losses(A, [2, 4, 7], 2, 2.0), [])
    rows = ingested(tmp_path).sql("select step, value, attempt from metrics order by step").fetchall()
    assert rows == [(0, 1.0, 1), (1, 1.0, 1), (2, 2.0, 2), (4, 2.0, 2), (7, 2.0, 2)]


def test_an_attempt_takes_nothing_back_until_it_comes_as_far(tmp_path):
    Recorder(tmp_path, "p", {}).flush(losses(A, [0, 1, 2, 3, 7], 1, 1.0), [])
    later = Recorder(tmp_path, "p", {})
    later.flush(losses(A, [2, 4], 2, 2.0), [])
    store = ingested(tmp_path)
    steps = "select step, attempt from metrics order by step"
    assert store.sql(steps).fetchall() == [(0, 1), (1, 1), (2, 1), (3, 1), (7, 1)]
    later.flush(losses(A, [9], 2, 2.0), [])
    store.ingest()
    assert store.sql(steps).fetchall() == [(0, 1), (1, 1), (2, 2), (4, 2), (9, 2)]


def test_of_two_values_for_one_key_the_later_part_has_the_last_word(tmp_path):
    recorder = Recorder(tmp_path, "p", {})
    recorder.flush(losses(A, [0, 1], value=1.0), [])
    recorder.flush(losses(A, [1], value=2.0), [])
    assert ingested(tmp_path).sql("select step, value from metrics order by step").fetchall() == [(0, 1.0), (1, 2.0)]


def test_a_key_repeated_within_a_part_has_one_row(tmp_path):
    twice = losses(A, [1, 2, 1]) | {"value": [1.0, 2.0, 3.0]}
    Recorder(tmp_path, "p", {}).flush(twice, [])
    assert ingested(tmp_path).sql("select step, value from metrics order by step").fetchall() == [(1, 3.0), (2, 2.0)]


def test_a_failed_state_is_not_undone_by_an_older_running_one(tmp_path):
    recorder = Recorder(tmp_path, "p", {})
    recorder.flush({}, [state(A, status="failed", steps=5, error="boom")])
    recorder.flush({}, [state(A, status="running", steps=9)])
    rows = ingested(tmp_path).sql("select status, steps, error from attempts").fetchall()
    assert rows == [("failed", 5, "boom")]


def test_parts_that_cannot_be_read_are_skipped_and_the_others_go_in(tmp_path):
    write_parts(tmp_path, 2)
    good = tmp_path / "parts/pack/0001-000001.parquet"
    bad = tmp_path / "parts/bad"
    bad.mkdir()
    (bad / "garbage.parquet").write_bytes(b"garbage")
    (bad / "empty.parquet").touch()
    (bad / "torn.parquet").write_bytes(good.read_bytes()[:-50])
    damaged = bytearray(good.read_bytes())
    damaged[4:40] = bytes(36)
    (bad / "damaged.parquet").write_bytes(damaged)
    table = pq.read_table(good)
    about = json.loads(table.schema.metadata[ABOUT])
    variants = {
        "columns": (table.drop_columns("value"), about),
        "format": (table, about | {"format": 3}),
        "null": (table.set_column(5, "value", pa.nulls(len(table), pa.float64())), about),
        "state": (table, about | {"runs": [state(A, status="asleep")]}),
    }
    for name, (columns, says) in variants.items():
        (bad / f"{name}.parquet").write_bytes(encoded(columns, says | {"name": f"bad/{name}.parquet"}))
    pq.write_table(table.replace_schema_metadata(None), bad / "foreign.parquet")
    write_plan(tmp_path, "broken", {}, [plan_row(B, spec="{no json")])
    (tmp_path / "parts/pack/.0001-000009.parquet.1.tmp").write_bytes(b"half")

    store = Store.open(tmp_path, write=True)
    report = store.ingest()
    reasons = dict(report.skipped)
    assert (report.parts, len(reasons)) == (3, 10)
    assert "value" in reasons["bad/columns.parquet"]
    assert "format 3" in reasons["bad/format.parquet"]
    assert "CHECK" in reasons["bad/state.parquet"]
    assert all("\n" not in reason for reason in reasons.values())
    assert store.sql("select count(*) from metrics").fetchall() == [(40,)]
    assert store.sql("select count(*) from parts where error is not null").fetchall() == [(10,)]
    assert store.ingest().skipped == []

    (bad / "torn.parquet").write_bytes(encoded(table, about | {"name": "bad/torn.parquet"}))
    assert store.ingest().parts == 1
    assert store.sql("select error from parts where part = 'bad/torn.parquet'").fetchall() == [(None,)]


def test_a_rebuild_gives_the_same_tables(tmp_path):
    write_parts(tmp_path, 5)
    store = ingested(tmp_path)
    before = contents(store)
    assert store.ingest(rebuild=True).parts == 6
    assert contents(store) == before
    assert {file.name for file in tmp_path.iterdir()} == {".lock", "parts", "study.duckdb"}


# What can go wrong with the file.


@pytest.mark.parametrize("damage", ["garbage", "empty", "truncated", "foreign", "newer", "directory"])
def test_a_file_that_is_no_store_says_the_mend_and_a_rebuild_mends_it(tmp_path, damage):
    write_parts(tmp_path, 2)
    file = tmp_path / "study.duckdb"
    ingested(tmp_path)
    if damage == "garbage":
        file.write_bytes(random.randbytes(100_000))
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "truncated":
        file.write_bytes(file.read_bytes()[:20_000])
    elif damage == "directory":
        file.unlink()
        file.mkdir()
    else:
        if damage == "foreign":
            file.unlink()
        with duckdb.connect(file) as connection:
            sql = {
                "foreign": "create table t (a int)",
                "newer": "update store_info set value = '99' where key = 'version'",
            }
            connection.execute(sql[damage])
    with pytest.raises(StoreError, match="study ingest") as caught:
        Store.open(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    bytes_before = None if damage == "directory" else file.read_bytes()
    if damage == "newer":  # of use to a newer version: only an explicit rebuild takes its place
        with pytest.raises(StoreError, match="--rebuild"):
            Store(tmp_path, write=True).ingest()
        assert Store(tmp_path, write=True).ingest(rebuild=True).parts == 3
    elif damage != "directory":
        assert Store(tmp_path, write=True).ingest().parts == 3
        assert (tmp_path / "study.duckdb.damaged").read_bytes() == bytes_before
    if damage != "directory":
        assert Store.open(tmp_path).sql("select count(*) from metrics").fetchall() == [(40,)]


def test_a_store_of_an_older_version_is_made_anew_and_a_copy_of_the_old_file_is_kept(tmp_path):
    write_parts(tmp_path, 2)
    before = contents(ingested(tmp_path))
    with duckdb.connect(tmp_path / "study.duckdb") as connection:
        connection.execute("update store_info set value = '1' where key = 'version'")
        connection.execute("drop view outcomes cascade; drop table if exists measures")
    with pytest.raises(StoreError, match="is of store version 1, this package reads version"):
        Store.open(tmp_path)
    store = Store.open(tmp_path, write=True)
    store.ingest()
    assert contents(store) == before
    with duckdb.connect(tmp_path / "study.duckdb.version-1", read_only=True) as connection:
        assert connection.sql("select count(*) from metrics").fetchall() == [(40,)]


def test_a_file_that_is_damaged_while_a_study_runs_is_made_anew_by_the_next_ingest(tmp_path, caplog):
    write_parts(tmp_path, 2)
    store = ingested(tmp_path)
    before = contents(store)
    (tmp_path / "study.duckdb").write_bytes(b"garbage" * 10_000)
    assert store.ingest().parts == 3
    assert contents(store) == before
    assert "is damaged: it is kept as study.duckdb.damaged and made anew from the parts" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        "IO Error: Cannot open file: Too many open files",
        "Out of Memory Error: failed to pin block of size 256.0 KiB",
        "Invalid Input Error: The following options were not recognized: b/study.duckdb",
        "IO Error: Trying to read a database file with version number 99",
    ],
)
def test_a_file_that_is_in_order_is_never_put_aside(tmp_path, monkeypatch, error):
    store = ingested(tmp_path)
    before = (tmp_path / "study.duckdb").read_bytes()

    def refuse(*words, **options):
        raise duckdb.Error(error)

    with monkeypatch.context() as patched:
        patched.setattr("study.store.connection.duckdb.connect", refuse)
        for call in (lambda: Store.open(tmp_path, write=True), store.ingest, lambda: store.sql("select 1")):
            with pytest.raises(StoreError, match=re.escape(error)) as caught:
                call()
            assert not isinstance(caught.value, StoreUnusable)
    assert (tmp_path / "study.duckdb").read_bytes() == before
    assert not list(tmp_path.glob("study.duckdb.*"))


@pytest.mark.parametrize("name", ["", " ", "s3://b/p", "file:///tmp/x", "a?b", "a\\b", Path("s3://b/p")])
def test_a_store_is_a_folder_whose_name_duckdb_takes_as_it_stands(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for write in (False, True):
        with pytest.raises(StoreError, match=r"^store '.*'( is empty| is a URL|: DuckDB does not read )"):
            Store.open(name, write=write)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", "é[a]*", "50%20", "it's", '"q"', "x#y;z", "a:b", "~", "$HOME", "{n}", "-v"])
def test_other_names_of_a_store_are_names(tmp_path, name):
    write_parts(tmp_path / name, 2)
    assert ingested(tmp_path / name).sql("select count(*) from metrics").fetchall() == [(40,)]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_path_without_a_store_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="has no study"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="has no study"):
        Store.open(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="is a file"):
        Store.open(tmp_path / "file")


def test_a_store_with_odd_characters_in_its_path_works(tmp_path):
    path = tmp_path / "a [1] *'b"
    write_parts(path, 1)
    assert ingested(path).sql("select count(*) from metrics").fetchall() == [(20,)]


def test_a_database_file_that_is_deleted_comes_back_with_the_next_ingest(tmp_path):
    write_parts(tmp_path, 1)
    store = ingested(tmp_path)
    (tmp_path / "study.duckdb").unlink()
    assert store.ingest().parts == 2


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "x" * 200, "a\0b"])
def test_names_that_lead_out_of_the_store_do_not_get_in(tmp_path, name):
    """A part may come from anyone: files of checkpoints are named by what its plan says."""
    bad = {"pack": plan_row(A, pack_id=name), "run": plan_row(A, run_id=name)}
    for study, row in bad.items():
        write_plan(tmp_path, study, {}, [row])
    with pytest.raises(SpecError, match="not a file name"):
        write_plan(tmp_path, name, {}, [plan_row(A)])
    with pytest.raises(SpecError, match="not a file name"):
        Recorder(tmp_path, name, PROVENANCE)
    Recorder(tmp_path, "p", PROVENANCE).flush(losses(name, [0]), [])
    Recorder(tmp_path, "q", PROVENANCE).flush({}, [state(name)])
    table = pq.read_table(next((tmp_path / "parts/plan").glob("pack-*")))
    about = json.loads(table.schema.metadata[ABOUT]) | {"study": name, "name": "plan/study.parquet"}
    table = table.set_column(table.column_names.index("pack_id"), "pack_id", pa.array(["pack"]))
    (tmp_path / "parts/plan/study.parquet").write_bytes(encoded(table, about))
    store = Store.open(tmp_path, write=True)
    report = store.ingest()
    assert report.parts == 0
    assert [("not a file name" in reason) for _, reason in report.skipped] == [True] * 5
    assert store.sql("select count(*) from runs").fetchall() == [(0,)]


# What readers may do.


@pytest.fixture(scope="module")
def reader(tmp_path_factory) -> Store:
    path = tmp_path_factory.mktemp("store")
    write_parts(path, 1)
    ingested(path)
    return Store.open(path)


@pytest.mark.parametrize(
    "text",
    [
        "insert into store_info values ('a', 'b')",
        "delete from metrics",
        "drop view runs",
        "create table t (a int)",
        "attach '{tmp}/other.duckdb'",
        "copy metrics to '{tmp}/metrics.csv'",
        "copy (select 1) to '{tmp}/one.parquet'",
        "export database '{tmp}/copy'",
        "select * from read_text('/etc/hostname')",
        "select * from read_parquet('{tmp}/*.parquet')",
        "select * from '/etc/hostname'",
        "select * from glob('/*')",
        "install httpfs",
        "load httpfs",
        "load '{tmp}/x.duckdb_extension'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset threads",
        "pragma profiling_output='{tmp}/profile'",
        "pragma enable_profiling",
        "call enable_logging()",
        "import database '{tmp}'",
        "select * from read_blob('/etc/hostname')",
        "select * from read_csv('/etc/hostname')",
        "select * from read_json('/etc/hostname')",
        "select * from read_duckdb('/etc/hostname')",
        "select * from sniff_csv('/etc/hostname')",
        "select * from '{tmp}/file.csv'",
        "select getenv('HOME')",
        "create secret (type s3, key_id 'a', secret 'b')",
        "select * from duckdb_secrets()",
        "select * from query('drop table metrics')",
        "select 1; drop table metrics",
        "begin; delete from metrics; commit",
        "update metrics set value = 1",
        "truncate metrics",
        "alter table metrics add column a int",
        "comment on table metrics is 'a'",
        "create macro f(a) as a",
        "attach ':memory:' as other",
        "call nothing()",
        "select * from some_table",
        "selec 1",
        "",
    ],
)
def test_a_query_cannot_leave_the_store_or_change_it(reader, tmp_path, text):
    some_table = pa.table({"a": [1]})
    with pytest.raises(StoreError) as caught:
        reader.sql(text.format(tmp=tmp_path))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    del some_table


@pytest.mark.parametrize("text", ["checkpoint", "begin", "vacuum", "create temp table t as select 1", "load parquet"])
def test_statements_without_effect_leave_the_file_as_it_is(reader, text):
    before = (reader.path / "study.duckdb").read_bytes()
    reader.sql(text)
    assert (reader.path / "study.duckdb").read_bytes() == before
    assert reader.sql("select count(*)::integer from metrics").fetchall() == [(20,)]


def test_a_query_without_an_end_is_refused_before_it_takes_the_memory(reader, monkeypatch):
    monkeypatch.setattr("study.store.query.MAX_BYTES", 1_000_000)
    with pytest.raises(StoreError, match=r"gives more than 0\.001 GB: aggregate it"):
        reader.sql("select * from range(1000000000000)")


def test_a_read_only_store_does_not_ingest(reader):
    with pytest.raises(StoreError, match="write=True"):
        reader.ingest()


def test_results_come_as_tuples_arrow_and_pandas_without_decimals(reader):
    result = reader.sql("select sum(step) as total, 1.5 as x, run_id from metrics where step < ? group by all", [3])
    assert result.fetchall() == [(3.0, 1.5, A)]
    assert result.to_arrow_table().schema.types == [pa.float64(), pa.float64(), pa.string()]
    assert result.df()["total"].dtype == "float64"


def test_queries_together_are_of_one_state_and_a_writer_waits_for_them(tmp_path):
    write_parts(tmp_path, 2)
    store, reader, count = ingested(tmp_path), Store.open(tmp_path), "select count(*) from metrics"
    Recorder(tmp_path, "other", PROVENANCE).flush(losses(B, [0]), [])
    with reader.together():
        before = reader.sql(count).fetchall()
        assert store.ingest(timeout=0.2).busy
        assert reader.sql(count).fetchall() == before
    assert store.ingest().parts == 1
    assert reader.sql(count).fetchall() == [(before[0][0] + 1,)]


def test_query_runs_on_arrow_tables_and_sees_nothing_else():
    numbers = pa.table({"a": [1, 2]})
    assert query("select max(a) as a from given", {"given": numbers}).to_pylist() == [{"a": 2}]
    for text in ("select * from numbers", "select * from read_text('/etc/hostname')", "attach 'x.duckdb'"):
        with pytest.raises(StoreError):
            query(text, {"given": numbers})


# Views.

HEAD = """with names(phase, generalized, color, words) as (values ('p', true, '#000000', 'all')),
defaults as (select 1 as threshold),
params as (select * from defaults)"""


@pytest.fixture
def sql_folder(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "study"
    (folder / "store/sql/views").mkdir(parents=True)
    (folder / "phases").mkdir()
    for module in (views, definitions):
        monkeypatch.setattr(module, "files", lambda package: tmp_path / package.replace(".", "/"))
    steps = ", ".join(f"1 as {split}_step_{level}" for split in SPLITS for level in LEVELS.values())
    for file, key in (("20_outcomes", "'a'"), ("21_keyed_outcomes", "{'study': 's', 'run_id': 'a'}")):
        (folder / f"store/sql/views/{file}.sql").write_text(f"-- One row.\nselect {key} as run_id, {steps};\n")
    (folder / "phases/one.sql").write_text(f"{HEAD}\nselect run_id, 'p' as phase from outcomes -- end")
    return folder


def test_views_build_on_each_other_and_follow_their_files(sql_folder, tmp_path):
    store = ingested(tmp_path / "store")
    (sql_folder / "store/sql/views/40_cells.sql").write_text(
        "select definition, count(*)::integer as runs from phases group by 1"
    )
    store.ingest()
    assert store.sql("from phases").fetchall() == [("a", "one", "p")]
    assert store.sql("from study_phases").fetchall() == [("s", "a", "one", "p")]
    (sql_folder / "phases/two.sql").write_text(f"{HEAD}\nselect 1 as other, 'q' as phase, run_id from outcomes")
    store.ingest()
    assert store.sql("from cells order by all").fetchall() == [("one", 1), ("two", 1)]
    named = [(name, 1, "p", True, "#000000", "all") for name in ("one", "two")]
    assert store.sql("from phase_names order by 1").fetchall() == named


@pytest.mark.parametrize("name", ["store/sql/views/10_curves.sql", "phases/liu.sql"])
def test_a_broken_view_file_is_named(sql_folder, tmp_path, name):
    store = ingested(tmp_path / "store")
    (sql_folder / name).write_text("select nothing from nowhere")
    with pytest.raises(StoreError, match=f"study/{name} .*nowhere"):
        store.ingest()


def test_the_views_of_this_version_are_installed(reader):
    names = {name for (name,) in reader.sql("select view_name from duckdb_views() where not internal").fetchall()}
    assert {"outcomes", "phases", "cells"} <= names


# Many processes.

INGEST = "import sys; from study.store.database import Store; Store.open(sys.argv[1], write=True).ingest()"

READ = """
import sys, time
from study.store.database import Store
store, last, reads = Store.open(sys.argv[1]), 0, 0
print("ready", flush=True)
while last < int(sys.argv[2]):
    [(count,)] = store.sql("select count(*) from metrics").fetchall()
    assert count >= last, (count, last)
    last, reads = count, reads + 1
print(reads)
"""

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_reader_in_a_tight_loop_beside_a_writer_sees_no_error_and_growing_counts(tmp_path):
    store = Store.open(tmp_path, write=True)
    reader = python(READ, str(tmp_path), "150")
    assert reader.stdout.readline() == "ready\n"
    recorder = Recorder(tmp_path, "p", {})
    for part in range(15):
        recorder.flush(losses(A, range(part * 10, part * 10 + 10)), [])
        assert store.ingest(timeout=20).busy is None
    assert reader.wait(20) == 0


def test_threads_of_one_process_read_while_another_writes(tmp_path):
    store = ingested(tmp_path)
    failures, busy, done = [], [], threading.Event()

    def read():
        while not done.is_set():
            try:
                store.sql("select count(*) from metrics")
            except StoreError as error:
                failures.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    recorder = Recorder(tmp_path, "p", {})
    for part in range(5):
        recorder.flush(losses(A, [part]), [])
        busy.append(store.ingest().busy)
    done.set()
    thread.join()
    assert (failures, busy) == ([], [None] * 5)


def test_ingest_gives_up_beside_a_reader_that_stays_and_brings_all_in_later(tmp_path):
    store = ingested(tmp_path)
    write_parts(tmp_path, 2)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "study.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    report = store.ingest(timeout=0.2)
    assert (report.parts, "held by another process" in report.busy) == (0, True)
    holder.communicate("")
    assert store.ingest().parts == 3


def test_a_killed_ingest_leaves_the_old_state_or_the_new_one(tmp_path):
    write_parts(tmp_path, 20, rows=2_000)
    reference = tmp_path / "reference"
    shutil.copytree(tmp_path / "parts", reference / "parts")
    expected = contents(ingested(reference))
    store = Store.open(tmp_path, write=True)
    for rebuild in [False, True, False]:
        script = f"""
import sys
from study.store import ingest
ingest.MAX_ROWS = 4_000
from study.store.database import Store
store = Store.open(sys.argv[1], write=True)
print("ready", flush=True)
store.ingest(rebuild={rebuild})
"""
        process = python(script, str(tmp_path))
        process.stdout.readline()
        time.sleep(random.uniform(0.03, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        [(rows, keys, recorded)] = store.sql(
            "select count(*), count(distinct step), (select sum(rows) from parts where kind = 'metrics') from metrics"
        ).fetchall()
        assert rows == keys == (recorded or 0)
    store.ingest()
    assert contents(store) == expected
    store.ingest(rebuild=True)
    assert contents(store) == expected
    assert not list(tmp_path.glob(".study.duckdb.*"))


def test_two_ingests_at_once_bring_each_part_in_once(tmp_path):
    write_parts(tmp_path, 20, rows=500)
    Store.open(tmp_path, write=True)
    processes = [python(INGEST, str(tmp_path)) for _ in range(2)]
    assert [process.wait(30) for process in processes] == [0, 0]
    assert Store.open(tmp_path).sql("select count(*), count(distinct step) from metrics").fetchall() == [
        (10_000, 10_000)
    ]


def test_a_large_ingest_takes_several_transactions(tmp_path, monkeypatch):
    monkeypatch.setattr("study.store.ingest.MAX_PARTS", 16)
    folds = []
    once = fold._fold
    monkeypatch.setattr(fold, "_fold", lambda *arguments: (folds.append(1), once(*arguments)))
    write_parts(tmp_path, 40)
    assert Store.open(tmp_path, write=True).ingest().parts == 41
    assert len(folds) == 3
