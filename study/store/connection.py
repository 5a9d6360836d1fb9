"""Connections to a store's DuckDB file, each for as short as possible.

DuckDB lets one process write or many read, and each keeps the others out. So nobody holds the file, and whoever finds
it held tries again for a moment.
"""

import errno
import os
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import duckdb

from study.store.errors import QueryError, StoreBusy, StoreError, StoreUnusable
from study.store.files import patiently
from study.store.turns import Turns

VERSION = "8"
"""Of the tables. A file of an older version is made anew from the parts."""
TIMEOUT = 5.0
"""Seconds for which a reader or a writer waits for the other."""

TURNS: defaultdict[Path, Turns] = defaultdict(Turns)
"""The readers of this process by file."""

HELD = ("Conflicting lock", "different configuration", "Unique file handle conflict")
"""How DuckDB says that somebody has the file open: another process, or (the other two) a thread of this one."""
DAMAGED = (
    "not a valid DuckDB database file",
    "Could not read enough bytes",
    "Corrupt",
    "Serialization Error",
    "replaying WAL",
    "INTERNAL Error",
)
"""How DuckDB says that a file is not what it has written. Whatever else it says of a file, it may be in order."""
BROKEN = (
    duckdb.InternalError,
    duckdb.FatalException,
    duckdb.SerializationException,
    duckdb.CatalogException,
    duckdb.BinderException,
    duckdb.ParserException,
)
"""What else our own statements meet in a file that is not what this package has written: they are right themselves."""
OF_QUERIES = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException)
"""Those of them that a user's query brings about by a slip."""
FULL = ("No space left", "Disk quota exceeded")
OF_CONTENT = (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError)
"""Errors that quote a query or values: their words say nothing of the file."""

SAFE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}
"""SQL sees the tables of its own database: no files, no network, no extensions, no Python variables."""
READER = SAFE | {"memory_limit": "25%", "temp_directory": ""}
"""A query takes a quarter of the machine's memory from what trains beside it, and no disk: a writer that runs out of
memory has the folder beside its file, which is removed with it."""


@contextmanager
def connected(
    file: Path, *, write: bool = False, timeout: float = TIMEOUT, memory: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a store file of this version, for statements of ours; those of users go into `translated`.

    All readers of one process have `memory` bytes together, None = as READER says. Two with another limit keep each
    other out, as if one of them wrote.

    StoreBusy where others hold the file for longer than `timeout` seconds, StoreUnusable where a writer must make it
    anew, also when that shows in the block, OSError where the disk is full, StoreError for what else DuckDB refuses.
    """
    turn = nullcontext() if write else TURNS[file].reading()
    with turn, _ours(file), closing(_opened(file, write, timeout, memory)) as connection:
        _check_version(file, connection)
        yield connection


def _check_version(file: Path, connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute("select value from store_info where key = 'version'").fetchall()
    version = found[0][0] if len(found) == 1 else None
    if version is None or not version.isdecimal():
        raise _damaged(file, f"its version is {version}")
    if int(version) < int(VERSION):
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


def read_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every value of every table, so that damage shows where nothing else would look: DuckDB compares each block
    that it reads with its checksum."""
    tables = connection.execute("select table_name from duckdb_tables() where not internal").fetchall()
    for (name,) in tables:
        connection.execute(f"select bit_xor(hash(columns(*))) from {name}").fetchall()


def _opened(file: Path, write: bool, timeout: float, memory: int | None) -> duckdb.DuckDBPyConnection:
    """Open the file once those who hold it in the other mode have let go."""
    reader = READER | ({"memory_limit": f"{memory}B"} if memory else {})
    for _ in patiently(timeout):
        try:
            return duckdb.connect(file, read_only=not write, config=SAFE if write else reader)
        except duckdb.Error as error:
            if any(words in str(error) for words in HELD):
                continue
            if _says(error, FULL):
                raise OSError(errno.ENOSPC, first_line(error)) from error
            if is_damage(error):
                raise _damaged(file, first_line(error)) from error
            message = f"store file '{file}' cannot be opened ({first_line(error)})"
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
def _ours(file: Path) -> Iterator[None]:
    """DuckDB's errors at statements of ours as ours."""
    with translated():
        try:
            yield
        except duckdb.Error as error:
            if is_damage(error):
                traceback.clear_frames(error.__traceback__)
                raise _damaged(file, first_line(error)) from error
            raise


def is_damage(error: duckdb.Error) -> bool:
    """Whether this error, at opening a file or at a statement of ours, says that the file is to be made anew. At a
    user's query it may as well be of the query."""
    return not _says(error, ("Out of Memory",)) and (isinstance(error, BROKEN) or _says(error, DAMAGED))


def _says(error: duckdb.Error, words: Iterable[str]) -> bool:
    return not isinstance(error, OF_CONTENT) and any(word in str(error) for word in words)


def _damaged(file: Path, why: str) -> StoreUnusable:
    mend = "`study ingest` makes it anew from the parts, and keeps this one"
    return StoreUnusable(f"store file '{file}' is damaged ({why}): {mend}.", "damaged")


@contextmanager
def translated() -> Iterator[None]:
    """DuckDB's errors as ours."""
    try:
        yield
    except duckdb.Error as error:
        # Whoever keeps an error keeps its frames, whose results keep the file open, though another may have its place.
        traceback.clear_frames(error.__traceback__)
        if _says(error, FULL):
            raise OSError(errno.ENOSPC, first_line(error)) from error
        raise QueryError(str(error)) from error


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says, without its hints."""
    return str(error).splitlines()[0]
