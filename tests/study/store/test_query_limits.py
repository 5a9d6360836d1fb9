"""What a query may take: memory, no disk, and no longer than its user waits."""

import os
import signal
import time

import pytest

from study.store import connection
from study.store.database import Store
from study.store.errors import QueryError, StoreError
from tests.support.parts import write_parts


@pytest.fixture
def reader(tmp_path) -> Store:
    write_parts(tmp_path, 1)
    Store.open(tmp_path, write=True).ingest()
    return Store.open(tmp_path)


def test_a_query_that_needs_too_much_memory_is_one_line(reader, monkeypatch):
    monkeypatch.setitem(connection.READER, "memory_limit", "50MB")
    before = {path: path.stat().st_mtime_ns for path in reader.path.rglob("*")}
    with pytest.raises(StoreError, match=r"needs more than 47\.6 MiB of memory: aggregate it") as caught:
        reader.sql("select count(*) from (select distinct hash(range), range from range(20000000))")
    assert "\n" not in str(caught.value)
    assert {path: path.stat().st_mtime_ns for path in reader.path.rglob("*")} == before, (
        "nothing is spilled to the disk"
    )


ENDLESS = "select count(*) from range(1000000000) a, range(1000000000) b where a.range + b.range = 7"


@pytest.mark.parametrize(
    "query", [ENDLESS, f"select 1 where exists ({ENDLESS})", "select sum(random()) from range(10000000000)"]
)
def test_ctrl_c_ends_a_query(reader, query):
    since = time.monotonic()
    pid = os.fork()
    if pid == 0:
        time.sleep(0.3)
        os.kill(os.getppid(), signal.SIGINT)
        os._exit(0)
    with pytest.raises(KeyboardInterrupt):
        reader.sql(query)
    os.waitpid(pid, 0)
    assert time.monotonic() - since < 10
    assert reader.sql("select 1").fetchall() == [(1,)]


@pytest.mark.parametrize("query", [ENDLESS, "select sum(random()) from range(10000000000)"])
def test_a_query_that_takes_longer_than_it_may_is_ended(reader, query):
    since = time.monotonic()
    with pytest.raises(StoreError, match=r"took longer than 0\.3 s and was ended: aggregate it"):
        reader.sql(query, seconds=0.3)
    assert time.monotonic() - since < 5
    assert reader.sql("select 1", seconds=0.3).fetchall() == [(1,)]


def test_a_store_is_opened_with_as_much_memory_as_its_queries_may_take(reader):
    small = Store.open(reader.path, memory=50_000_000)
    with pytest.raises(StoreError, match=r"needs more than 47\.6 MiB of memory"):
        small.sql("select count(*) from (select distinct hash(range), range from range(20000000))")
    with pytest.raises(StoreError, match=r"gives more than 0\.0125 GB"):
        small.sql("select repeat('x', 1000) as a from range(100000)")
    assert small.of("toy").memory == 50_000_000


def test_an_error_in_a_late_row_is_one_of_the_query(reader):
    late = "case when range = 150000 then 'late' else range::varchar end"
    with pytest.raises(QueryError, match="Could not convert string 'late' to INT32"):
        reader.sql(f"select x::integer from (select {late} as x from range(200000))")
