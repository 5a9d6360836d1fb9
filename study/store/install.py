"""What a database file holds before any part comes in: tables, measures and views, up to date with this package."""

import hashlib
from contextlib import suppress

import duckdb

from study.store.connection import VERSION, first_line
from study.store.definitions import definitions, ours
from study.store.derived import derive_all, derived, make_tables
from study.store.errors import StoreError
from study.store.levels import sql_of
from study.store.own_definitions import check_again, newest
from study.store.views import view_statements

SLICE = 10_000_000
"""Rows of metrics that are measured at a time when all are: bounds memory."""


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring tables, measures and views up to the files of this version, in one transaction."""
    measures = [sql_of("curves"), sql_of("measures")]
    facts = {
        "version": VERSION,
        "views": digest(),
        "measures": _hash(measures),
        "derived": _hash([measures, derived()]),
    }
    connection.execute("begin")
    connection.execute(sql_of("schema"))
    known = connection.execute("from store_info").fetchall()
    if ("measures", facts["measures"]) not in known:
        _measure_all(connection)
    if ("derived", facts["derived"]) not in known:
        make_tables(connection)
        derive_all(connection)
    check_again(connection)
    for source, statement in view_statements(newest(connection)).items():
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            source = source if "." in source else broken_definition() or source  # all of them are one view
            raise StoreError(f"view file study/{source} does not work: {first_line(error)}") from error
    connection.execute("delete from store_info")
    connection.executemany("insert into store_info values (?, ?)", list(facts.items()))
    connection.execute("commit")


def broken_definition() -> str | None:
    """The file of the first phase definition that does not work by itself; None if all of them do."""
    with duckdb.connect() as connection:
        make_tables(connection)
        with suppress(duckdb.Error):
            for statement in view_statements().values():
                connection.execute(statement)
        for name in definitions():
            try:
                for text in (ours(name).select, ours(name).names_select()):
                    connection.execute(f"create or replace temp view definition as\n{text}")
            except duckdb.Error:
                return f"phases/{name}.sql"
    return None


def digest() -> str:
    """A hash of all that `install` puts into a file."""
    return _hash([sql_of("schema"), sql_of("curves"), sql_of("measures"), derived(), view_statements()])


def _measure_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Make curves and measures from metrics, a few runs at a time: memory may not hold them all."""
    connection.execute("drop table curves; drop table measures")
    connection.execute(sql_of("schema"))
    empty = ("contested", "late", "planned_anew")
    connection.execute("; ".join(f"create temp table {name} (run_id text)" for name in empty))
    [(rows,)] = connection.execute("select count(*) from metrics").fetchall()
    if not rows:
        return
    slices = 1 + rows // SLICE
    for i in range(slices):
        connection.execute(f"create or replace temp view fresh as from metrics where hash(run_id) % {slices} = {i}")
        measure(connection)


def measure(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring curves and measures up to date with the temporary tables that fold.sql makes."""
    connection.execute(sql_of("curves"))
    connection.execute(f"create or replace temp table measured as\n{sql_of('measures')}")
    connection.execute("delete from measures where (run_id, cut) in (select run_id, cut from measured)")
    connection.execute("insert into measures by name from measured")


def _hash(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()
