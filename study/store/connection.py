"""Connections to a store's DuckDB file, each for as short as possible.

DuckDB lets one process write or many read, and each keeps the others out. So nobody holds the file, and whoever finds
it held tries again for a moment.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from study.store.errors import QueryError, StoreBusy, StoreError, StoreUnusable
from study.store.files import patiently

VERSION = "5"
"""Of the tables. A file of an older version is made anew from the parts."""
TIMEOUT = 5.0
"""Seconds for which a reader or a writer waits for the other."""

HELD = ("Conflicting lock", "different configuration", "Unique file handle conflict")
"""How DuckDB says that somebody has the file open: another process, or (the other two) a thread of this one."""
DAMAGED = (
    "not a valid DuckDB database file",
    "Could not read enough bytes",
    "Corrupt database file",
    "Serialization Error",
    "replaying WAL",
    "INTERNAL Error",
)
"""How DuckDB says that a file is not what it has written. Whatever else it says, the file may be in order."""

SAFE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}
"""SQL sees the tables of its own database: no files, no network, no extensions, no Python variables."""


@contextmanager
def connected(file: Path, *, write: bool = False, timeout: float = TIMEOUT) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a store file of this version; StoreBusy where others hold it for longer than `timeout` seconds,
    StoreUnusable where a writer must make it anew, StoreError for anything else that DuckDB refuses in the block."""
    with closing(_opened(file, write, timeout)) as connection, translated():
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


def _opened(file: Path, write: bool, timeout: float) -> duckdb.DuckDBPyConnection:
    """Open the file once those who hold it in the other mode have let go."""
    for _ in patiently(timeout):
        try:
            return duckdb.connect(file, read_only=not write, config=SAFE)
        except duckdb.Error as error:
            if any(words in str(error) for words in HELD):
                continue
            if "No space left" in str(error):
                raise OSError(errno.ENOSPC, first_line(error)) from error
            message = f"store file '{file}' cannot be opened ({first_line(error)})"
            if any(words in str(error) for words in DAMAGED):
                mend = "`study ingest` makes it anew from the parts, and keeps this one."
                raise StoreUnusable(f"{message}: {mend}", "damaged") from error
            if file.exists() and not os.access(file, os.R_OK | os.W_OK * write):
                raise StoreError(f"{message}: look at its permissions, or take another --store.") from error
            raise StoreError(
                f"{message}: where it does not open later either, move it away and run `study ingest`, which makes it "
                f"from the parts."
            ) from error
    raise StoreBusy(
        f"store file '{file}' is held by another process for more than {timeout:g} s: "
        f"end it or try again later; what was recorded waits beside it."
    )


@contextmanager
def translated() -> Iterator[None]:
    """DuckDB's errors as ours."""
    try:
        yield
    except duckdb.Error as error:
        if "No space left" in str(error):
            raise OSError(errno.ENOSPC, first_line(error)) from error
        raise QueryError(str(error)) from error


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says, without its hints."""
    return str(error).splitlines()[0]
