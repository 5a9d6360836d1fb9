"""Queries, and their results in memory."""

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from study.store.connection import READER, translated
from study.store.errors import QueryError, StoreError
from trainables.errors import SpecError

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 4_000_000_000
"""Of one result: a query without an end must not take the memory of what trains beside it."""
NUMBERS = ("decimal", "hugeint", "uhugeint")
TEXTS = ("interval", "bit", "blob", "bignum", "geometry", "variant", "union", "time with time zone")
MAX_SHOWN = 40
"""Rows that a notebook shows."""
MAX_QUOTED = 80
"""Characters of a query that an error quotes."""


@dataclass(frozen=True)
class Result:
    """The rows of a query, in memory."""

    table: pa.Table

    def to_arrow_table(self) -> pa.Table:
        return self.table

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self.table

    def pl(self) -> Any:
        """The rows as a Polars data frame; SpecError where Polars is not installed."""
        try:
            import polars
        except ImportError:
            raise SpecError("Polars is not installed: pip install polars, or take .df() or .arrow().") from None
        return polars.from_arrow(self.table)

    def _repr_html_(self) -> str:
        """A notebook shows the rows as a table, of many the first and the last."""
        return self.df().to_html(max_rows=MAX_SHOWN, border=0, index=False, show_dimensions=len(self.table) > MAX_SHOWN)

    def df(self) -> "pd.DataFrame":
        return self.table.to_pandas()

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(zip(*(column.to_pylist() for column in self.table.columns), strict=True))


def query(text: str, tables: Mapping[str, pa.Table], seconds: float | None = None) -> pa.Table:
    """The result of a query on Arrow tables, by name. No store is involved and nothing is written. StoreError where it
    takes longer than `seconds`; None = no limit."""
    with translated(), closing(duckdb.connect(config=READER)) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        if seconds is None:
            return select(connection, text)
        return interruptible(connection, lambda: Result(select(connection, text)), seconds).table


def interruptible(
    connection: duckdb.DuckDBPyConnection,
    work: Callable[[], Result],
    seconds: float | None = None,
    stop: Event | None = None,
) -> Result:
    """What `work` on the connection returns. It has a thread of its own, because DuckDB keeps signals waiting until it
    is done: so Ctrl-C ends a query within moments. StoreError where it takes longer than `seconds` (None = no limit),
    and once `stop` is set."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            return future.result(seconds) if stop is None else _until(stop, future, seconds)
        except (KeyboardInterrupt, TimeoutError) as ended:
            while wait([future], 0.05).not_done:  # again and again: an interrupt between two statements is forgotten
                connection.interrupt()
            if isinstance(ended, KeyboardInterrupt):
                raise
            raise StoreError(
                f"the query took longer than {seconds:g} s and was ended: aggregate it, or ask for a part of it."
            ) from None
        finally:
            del future  # its error would keep this frame, and with it the connection


def _until(stop: Event, future: "Future[Result]", seconds: float | None) -> Result:
    """The result; TimeoutError once `stop` is set, and after so many seconds."""
    deadline = math.inf if seconds is None else time.monotonic() + seconds
    while not wait([future], 0.1).done:
        if stop.is_set() or time.monotonic() > deadline:
            raise TimeoutError
    return future.result()


def select(
    connection: duckdb.DuckDBPyConnection, text: str, params: Any = None, max_bytes: int | None = None
) -> pa.Table:
    """The result of one statement that gives rows, with the types of `plain_type` and a name for each column.
    StoreError for a statement without rows, for more than `max_bytes` of them (None = MAX_BYTES), and for one that
    needs more memory than readers have."""
    if (number := len(connection.extract_statements(text))) > 1:  # DuckDB would answer the last one alone
        raise StoreError(f"query {_short(text)} holds {number} statements: give one at a time.")
    try:
        relation = connection.sql(text, params=params)
    except duckdb.InvalidInputException as error:
        if "read-only mode" in str(error):
            raise StoreError(f"query {_short(text)} would write: SQL only reads a store.") from None
        raise
    if relation is None:
        raise StoreError(f"query {_short(text)} gives no rows: write a select statement.")
    names, types = relation.columns, [plain_type(kind) for kind in relation.types]
    if types != [str(kind) for kind in relation.types]:
        relation = relation.project(", ".join(f"#{i}::{kind}" for i, kind in enumerate(types, 1)))
    try:
        return _in_memory(relation, text, max_bytes or MAX_BYTES).rename_columns(distinct(names))
    except (duckdb.OutOfMemoryException, OSError) as error:  # Arrow's error for what DuckDB says after the first rows
        if "Out of Memory" not in str(error):
            raise QueryError(str(error)) from None
        [(limit,)] = connection.execute("select current_setting('memory_limit')").fetchall()
        raise StoreError(
            f"query {_short(text)} needs more than {limit} of memory: aggregate it, or ask for a part of it."
        ) from None


def plain_type(kind: Any) -> str:
    """What a DuckDB type becomes, so that Arrow, CSV, JSON and charts have a place for it: large integers (all sums of
    integers are) and decimals are doubles, intervals, bit strings, blobs and their like are text; also within lists."""
    if kind.id in NUMBERS:
        return "DOUBLE"
    if kind.id in TEXTS:
        return "VARCHAR"
    if kind.id not in ("list", "array", "map", "struct"):
        return str(kind)
    parts = [(name, plain_type(inner), str(inner)) for name, inner in kind.children if not isinstance(inner, int)]
    if all(plain == was for _, plain, was in parts):
        return str(kind)
    first = parts[0][1]
    if kind.id == "map":
        return f"MAP({first}, {parts[1][1]})"
    if kind.id == "struct":
        return f"STRUCT({', '.join(f'{quoted(name)} {plain}' for name, plain, _ in parts)})"
    return f"{first}[]" if kind.id == "list" else f"{first}[{kind.children[1][1]}]"


def distinct(names: Sequence[str]) -> list[str]:
    """The names, each once: a later one that was there gets a number, as in a, a_1. A row as a dict would lose one."""
    found: list[str] = []
    for name in names:
        others = (f"{name}_{i}" for i in itertools.count(1))
        found.append(name if name not in found else next(o for o in others if o not in {*names, *found}))
    return found


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _in_memory(relation: duckdb.DuckDBPyRelation, text: str, max_bytes: int) -> pa.Table:
    """All rows; StoreError once they are too many to hold."""
    reader, batches, size = relation.to_arrow_reader(), [], 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > max_bytes:
            raise StoreError(
                f"query {_short(text)} gives more than {max_bytes / 1e9:g} GB: aggregate it, or ask for a part of it."
            )
    return pa.Table.from_batches(batches, reader.schema)


def _short(text: str) -> str:
    """A query in quotes, on one line: its beginning where it is long."""
    words = " ".join(text.split())
    return repr(words if len(words) <= MAX_QUOTED else f"{words[:MAX_QUOTED]}...")
