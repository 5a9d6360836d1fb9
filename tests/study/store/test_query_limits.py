"""What a query may take: memory, no disk, and no longer than its user waits."""

import os
import signal
import time

import pytest

from study.store import connection
from study.store.database import Store
from study.store.errors import StoreError
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
