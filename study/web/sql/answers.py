"""Answers to the queries that readers write: each within some seconds, a few at a time, the small ones kept."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from weakref import WeakValueDictionary

import anyio
import pyarrow as pa
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from study.store.errors import QueryError, StoreBusy, StoreError, StoreUnusable
from study.store.printable import clean
from study.web.kept import Kept

SECONDS = 30.0
AT_A_TIME = 4
LOOK_SECONDS = 0.5
SMALL_BYTES, KEPT_BYTES = 20_000_000, 100_000_000
"""An answer larger than the first is asked for again at each of its pages, and those that are kept take no more than
the second together, so that all that readers ask stays within memory. What one query takes is limited by the store."""


class Queries:
    """Who asks waits here for a turn: one query of a browser at a time, and AT_A_TIME of all of them."""

    def __init__(self, kept: Kept, seconds: float = SECONDS) -> None:
        self.kept, self.seconds = kept, seconds
        self._turns = anyio.CapacityLimiter(AT_A_TIME)
        self._browsers: WeakValueDictionary[tuple[str, str], anyio.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    async def turn(self, request: Request, work: Callable[[Request], Response]) -> Response:
        """What `work` makes of a request, in a thread of its own. Waiting takes none, so that other pages go on. The
        query of a browser that has gone is ended."""
        host = request.client.host if request.client else ""
        browser = self._browsers.setdefault((host, request.headers.get("user-agent", "")), anyio.Lock())
        request.state.left = threading.Event()
        watcher = asyncio.create_task(_watch(request))
        try:
            async with browser:
                return await run_sync(partial(work, request), limiter=self._turns)
        finally:
            watcher.cancel()

    def answer(self, text: str, stop: threading.Event | None = None) -> pa.Table:
        """All rows of a query. StoreError where it cannot be answered, or not in time; `stop` ends it."""
        small: OrderedDict[str, pa.Table] = self.kept.get("queries", OrderedDict)  # those of this state of the store
        with self._lock:
            if text in small:
                small.move_to_end(text)
                return small[text]
        table = self.kept.store.sql(text, seconds=self.seconds, stop=stop).arrow()
        if table.nbytes + len(text) <= SMALL_BYTES:
            with self._lock:
                small[text] = table
                while sum(kept.nbytes + len(query) for query, kept in small.items()) > KEPT_BYTES:
                    small.popitem(last=False)
        return table


async def _watch(request: Request) -> None:
    """Say so when the browser has gone."""
    while not await request.is_disconnected():
        await asyncio.sleep(LOOK_SECONDS)
    request.state.left.set()


def query_of(request: Request) -> str:
    """The text of the query; forms send the ends of its lines as they like."""
    return request.query_params.get("query", "").replace("\r\n", "\n")


def refused(error: StoreError) -> str:
    """What there is to say of a query that cannot be answered, with DuckDB's pointer at the place. What is of the store
    and not of the query is raised again."""
    if isinstance(error, (StoreBusy, StoreUnusable)):
        raise error
    return clean(error.details if isinstance(error, QueryError) else str(error))
