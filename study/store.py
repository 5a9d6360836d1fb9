"""The store: a DuckDB file made from the parts that workers wrote, `<store>/study.duckdb`.

DuckDB lets one process write or many read, and each keeps the others out. So nobody holds the file: a query opens it,
takes its result into memory and closes it; ingest holds it for one short transaction per batch of parts. Either waits
for the other. The file can be deleted at any time: ingest makes it again from the parts.
"""

import errno
import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pyarrow as pa

from study.files import atomic, patiently
from study.ingest import IngestReport, Part, batch_tables, new_parts, read_batches
from study.place import place_of, settle
from study.storage import storage_at
from study.views import view_statements
from trainables.errors import SpecError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

VERSION = "2"
FILE = "study.duckdb"
TIMEOUT = 5.0
"""Seconds for which a reader or a writer waits for the other."""

SLICE = 10_000_000
"""Rows of metrics that are measured at a time when all are: bounds memory."""

MAX_BYTES = 4_000_000_000
"""Of one result: a query without an end must not take the memory of what trains beside it."""

HELD = ("Conflicting lock", "different configuration", "Unique file handle conflict")
"""How DuckDB says that somebody has the file open: another process, or (the other two) a thread of this one."""

SAFE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}
"""SQL sees the tables of its own database: no files, no network, no extensions, no Python variables."""


class StoreError(SpecError):
    """A store that cannot be read or written, or a query that it cannot answer."""


class StoreBusy(StoreError):
    """Another process kept the store for longer than the timeout."""


class StoreUnusable(StoreError):
    """A database file that this version cannot read, and that a writer makes anew from the parts; `why` is one word."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Result:
    """The rows of a query, in memory."""

    table: pa.Table

    def to_arrow_table(self) -> pa.Table:
        return self.table

    def df(self) -> "pd.DataFrame":
        return self.table.to_pandas()

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(zip(*(column.to_pylist() for column in self.table.columns), strict=True))


@dataclass(frozen=True)
class Store:
    """One store directory. Holds no connection: it can be kept, pickled and shared between threads."""

    path: Path
    write: bool = False

    @classmethod
    def open(cls, path: str | Path = "results", *, write: bool = False, storage: str | None = None) -> Self:
        """The store in directory `path`; with `write`, made if need be. Raises StoreError when it cannot be used.

        `storage` is the URL of where a new store keeps its parts; None is the directory, or what an older one has.
        """
        store = cls(Path(path).absolute(), write)
        if store.path.is_file():
            raise StoreError(f"store '{path}' is a file: give the directory that holds {FILE}.")
        if write:
            settle(store.path, storage)
            store.path.mkdir(parents=True, exist_ok=True)
            with store._alone(TIMEOUT):
                if store._file.is_file():
                    try:
                        with _connection(store._file):
                            pass
                    except StoreBusy:
                        pass  # somebody can use it
                    except StoreUnusable as error:
                        store._put_aside(error.why)
                if not store._file.exists():
                    with store._new_file():
                        pass
        elif not store._file.exists():
            raise StoreError(
                f"store '{path}' has no {FILE}: run a study with `--store {path}`, or `study ingest` there."
            )
        else:
            with _connection(store._file):
                pass
        return store

    def sql(self, text: str, params: Any = None) -> Result:
        """The result of one read-only query; `params` fill `?` and `$name` in it. Sums and decimals are doubles."""
        with _connection(self._file) as connection:
            return Result(_select(connection, text, params))

    def ingest(self, *, rebuild: bool = False, timeout: float = TIMEOUT) -> IngestReport:
        """Bring in the parts that the file does not have yet; with `rebuild`, make the file anew from all parts.

        Waits up to `timeout` seconds at a time for readers and for another ingest. What does not get in stays on disk
        for the next ingest.
        """
        if not self.write:
            raise StoreError(f"store '{self.path}' is open read-only: open it with write=True to ingest.")
        report = IngestReport()
        try:
            with self._alone(timeout):
                anew = rebuild or not self._file.exists()
                if not anew:
                    try:
                        self._fold_new(self._file, report, timeout)
                    except StoreUnusable as error:
                        self._put_aside(error.why)
                        anew = True
                if anew:
                    with self._new_file() as file:
                        self._fold_new(file, report, timeout)
        except StoreBusy as error:
            report.busy = str(error)
        return report

    @property
    def place(self) -> str:
        """The folder or URL that holds parts, checkpoints and rungs, for `storage_at`; on this machine or elsewhere."""
        return place_of(self.path)

    @property
    def _file(self) -> Path:
        return self.path / FILE

    @contextmanager
    def _alone(self, timeout: float) -> Iterator[None]:
        """Keep every other writer out, in this process and in others, until the block ends or the process dies."""
        with open(self.path / ".lock", "a") as handle:
            for _ in patiently(timeout):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    continue
            else:
                raise StoreBusy(f"store '{self.path}' is being written by another process: try again in a moment.")
            yield

    def _put_aside(self, why: str) -> None:
        """Keep a damaged file, or one of an older version, under another name: what follows makes it anew."""
        copy = self._file.with_name(f"{FILE}.{why}")
        os.replace(self._file, copy)
        log.warning("study: %s is %s: it is kept as %s and made anew from the parts", self._file, why, copy.name)

    @contextmanager
    def _new_file(self) -> Iterator[Path]:
        """An empty database file, to fill; it takes the place of the store's file when the block ends well."""
        for stale in self.path.glob(f".{FILE}.*"):  # what a killed rebuild left
            stale.unlink()
        with atomic(self._file) as draft:
            with closing(duckdb.connect(draft, config=SAFE)) as connection:
                _install(connection)
            yield draft
            # A killed ingest may have left its log, which must not be replayed on the new file.
            self._file.with_name(f"{FILE}.wal").unlink(missing_ok=True)

    def _fold_new(self, file: Path, report: IngestReport, timeout: float) -> None:
        with _connection(file, timeout=timeout) as connection:
            [(digest,)] = connection.execute("select value from store_info where key = 'views'").fetchall()
            stamps = connection.execute("select part, size, mtime_ns, error is null from parts").fetchall()
        if digest != _digest():
            with _connection(file, write=True, timeout=timeout) as connection:
                _install(connection)
        known = {part: None if good else (size, mtime_ns) for part, size, mtime_ns, good in stamps}
        storage = storage_at(self.place)
        for batch in read_batches(storage, new_parts(storage, known)):
            _fold(file, batch, report, timeout)


def query(text: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The result of a query on Arrow tables, by name. No store is involved and nothing is written."""
    with _translated(), closing(duckdb.connect(config=SAFE)) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return _select(connection, text)


def _select(connection: duckdb.DuckDBPyConnection, text: str, params: Any = None) -> pa.Table:
    relation = connection.sql(text, params=params)
    if relation is None:
        raise StoreError(f"query {text!r} gives no rows: write a select statement.")
    table = _in_memory(relation, text)
    if len(set(table.column_names)) < len(table.column_names):  # select 1 as a, 2 as a: a row as a dict would lose one
        names = table.column_names
        table = table.rename_columns(
            [f"{name}_{names[:i].count(name)}" if name in names[:i] else name for i, name in enumerate(names)]
        )
    for i, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type):  # a sum of bigints too: no chart and no JSON takes it
            table = table.set_column(i, column.name, table.column(i).cast(pa.float64()))
    return table


def _in_memory(relation: duckdb.DuckDBPyRelation, text: str) -> pa.Table:
    """All rows; StoreError once they are too many to hold."""
    reader, batches, size = relation.to_arrow_reader(), [], 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > MAX_BYTES:
            raise StoreError(
                f"query {text!r} gives more than {MAX_BYTES / 1e9:g} GB: aggregate it, or ask for a part of it."
            )
    return pa.Table.from_batches(batches, reader.schema)


def _fold(file: Path, batch: list[Part], report: IngestReport, timeout: float) -> None:
    """Fold a batch of parts in one transaction. What DuckDB refuses is halved until the one bad part is alone."""
    tables = batch_tables(batch)
    try:
        with _connection(file, write=True, timeout=timeout) as connection:
            for name, table in tables.items():
                connection.register(name, table)
            connection.execute("begin")
            connection.execute(_text("fold.sql"))
            connection.execute(_text("measures.sql"))
            connection.execute("commit")
    except StoreError as error:
        if not isinstance(error.__cause__, duckdb.DataError | duckdb.IntegrityError):
            raise
        half = len(batch) // 2
        halves = [batch[:half], batch[half:]] if half else [[replace(batch[0], rows=0, tables={}, error=str(error))]]
        for smaller in halves:
            _fold(file, smaller, report, timeout)
        return
    report.add(batch)


def _install(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring tables, measures and views up to the files of this version, in one transaction."""
    facts = {"version": VERSION, "views": _digest(), "measures": _hash(_text("measures.sql"))}
    connection.execute("begin")
    connection.execute(_text("schema.sql"))
    if ("measures", facts["measures"]) not in connection.execute("from store_info").fetchall():
        _measure_anew(connection)
    for source, statement in view_statements().items():
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            raise StoreError(f"view file analysis/{source} does not work: {_line(error)}") from error
    connection.executemany("insert or replace into store_info values (?, ?)", list(facts.items()))
    connection.execute("commit")


def _measure_anew(connection: duckdb.DuckDBPyConnection) -> None:
    """Make curves and measures from metrics, a few runs at a time: memory for all of them is not asked for."""
    connection.execute("drop table curves; drop table measures")
    connection.execute(_text("schema.sql"))
    connection.execute("create temp table contested (run_id text); create temp table late (run_id text)")
    [(rows,)] = connection.execute("select count(*) from metrics").fetchall()
    slices = 1 + rows // SLICE
    for i in range(slices):
        connection.execute(f"create or replace temp view fresh as from metrics where hash(run_id) % {slices} = {i}")
        connection.execute(_text("measures.sql"))


def _digest() -> str:
    """A hash of all that `_install` puts into a file."""
    return _hash([_text("schema.sql"), _text("measures.sql"), view_statements()])


def _hash(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _text(name: str) -> str:
    return files("study").joinpath(name).read_text(encoding="utf-8")


@contextmanager
def _connection(file: Path, *, write: bool = False, timeout: float = TIMEOUT) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a store of this version, for as short as possible: others wait meanwhile."""
    with closing(_connect(file, write, timeout)) as connection, _translated():
        try:
            [(version,)] = connection.execute("select value from store_info where key = 'version'").fetchall()
        except (duckdb.CatalogException, ValueError):
            version = None
        if version and version < VERSION:
            raise StoreUnusable(
                f"store file '{file}' is of store version {version}, this package reads version {VERSION}: "
                f"`study ingest` makes it anew from the parts, and keeps the old one.",
                f"version-{version}",
            )
        if version != VERSION:
            raise StoreError(
                f"store file '{file}' has store version {version}, this package reads version {VERSION}: "
                f"upgrade grokking-study, or make the file anew from the parts with `study ingest --rebuild`."
            )
        yield connection


def _connect(file: Path, write: bool, timeout: float) -> duckdb.DuckDBPyConnection:
    """Open the file, when those who have it open the other way let go of it."""
    for _ in patiently(timeout):
        try:
            return duckdb.connect(file, read_only=not write, config=SAFE)
        except duckdb.Error as error:
            if any(words in str(error) for words in HELD):
                continue
            if "No space left" in str(error):
                raise OSError(errno.ENOSPC, _line(error)) from error
            message = f"store file '{file}' cannot be opened ({_line(error)})"
            if file.is_file() and os.access(file, os.R_OK | os.W_OK):
                mend = "`study ingest` makes it anew from the parts, and keeps this one."
                raise StoreUnusable(f"{message}: {mend}", "damaged") from error
            raise StoreError(
                f"{message}: move it away and run `study ingest`, which makes it from the parts."
            ) from error
    raise StoreBusy(
        f"store file '{file}' is held by another process for more than {timeout:g} s: "
        f"end it or try again later; what was recorded waits beside it."
    )


@contextmanager
def _translated() -> Iterator[None]:
    """DuckDB's errors as one line."""
    try:
        yield
    except duckdb.Error as error:
        if "No space left" in str(error):
            raise OSError(errno.ENOSPC, _line(error)) from error
        raise StoreError(_line(error)) from error


def _line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
