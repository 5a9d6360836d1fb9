"""Tables that follow from others, run by run: `ends`, `runs`, `observed` and `observations`. Ingest brings them up to
date for the runs that a batch touches, so that nobody who reads many runs has to put them together again.

A table is one file `study/store/sql/derived/<name>.sql` with one select statement.
"""

import duckdb

from study.store.connection import first_line
from study.store.errors import StoreError
from study.store.levels import sql_of
from study.store.query import quoted

DERIVED = ("ends", "runs", "observed", "observations")
"""The tables; each reads those before it, and SOURCES."""
SOURCES = ("study_runs", "run_specs", "attempts", "recorded", "measures")


def select_of(name: str) -> str:
    """The select statement of a table."""
    return sql_of(f"derived/{name}").strip()


def derived() -> list[str]:
    """The select statements of all of them."""
    return [select_of(name) for name in DERIVED]


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make a store's tables: those of the schema that are not there yet, and the derived ones anew, without rows."""
    connection.execute(sql_of("schema"))
    connection.execute("; ".join(f"drop table if exists {name}" for name in DERIVED))
    for name in DERIVED:
        try:
            connection.execute(f"create table {name} as\n{select_of(name)}\nlimit 0")
        except duckdb.Error as error:
            raise StoreError(f"file study/store/sql/derived/{name}.sql does not work: {first_line(error)}") from error


def derive_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the derived tables, which are empty."""
    connection.execute(
        "create or replace temp table touched as select run_id from run_specs union select run_id from attempts"
    )
    derive(connection)


def derive(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the derived tables up to date for the runs of the temporary table `touched`."""
    [(file,)] = connection.execute("select current_database()").fetchall()
    main = f"{quoted(file)}.main"
    for name in SOURCES:  # before those of the file, so that a select reads these runs alone
        connection.execute(f"create temp view {name} as select * from {main}.{name} semi join touched using (run_id)")
    for name in DERIVED:
        connection.execute(f"create temp table {name} as\n{select_of(name)}")
    for name in DERIVED:
        connection.execute(f"delete from {main}.{name} where run_id in (from touched)")
        connection.execute(f"insert into {main}.{name} by name from temp.{name}")
        connection.execute(f"drop table temp.{name}")
    connection.execute("; ".join(f"drop view temp.{name}" for name in SOURCES))
