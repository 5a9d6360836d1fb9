"""A phase definition that a user brings, tried on invented outcomes before any run has some.

It is text from elsewhere, in a study file or in somebody's store. It is read and tried in a DuckDB that reaches no file
and no network, and becomes part of a store's views only if it is one select over `outcomes` and nothing else: views are
kept in the store's file, and any client may ask them.
"""

import re
import threading
from collections import Counter
from contextlib import closing
from functools import cache

import duckdb

from study.store.connection import SAFE, first_line
from study.store.definition_form import Wrong, check_form, line_of
from study.store.definition_head import HEAD, check_head
from study.store.definitions import Definition, definitions, ours
from study.store.invented_outcomes import ROWS, invented_outcomes, outcome_columns
from study.store.levels import without_macro
from study.store.sql_text import blanked
from study.store.thresholds import check_thresholds, defaults_of
from trainables.components import closest
from trainables.errors import SpecError

SECONDS = 5.0
"""A definition that takes longer for these few rows would never end for those of a study."""
MANY = 1000
"""So many of its rows are looked at."""
KEYED = """
    drop view definition;
    create or replace table outcomes as
    select {'study': 's', 'run_id': run_id} as run_id, * exclude (run_id) from outcomes"""


@cache  # the same text comes with every plan of its study
def why_not(definition: Definition) -> str | None:
    """What is wrong with a definition, as what follows its name: `, line 7: ...`; None where it works."""
    if definition.name in definitions():
        same = definition.sql == ours(definition.name).sql
        return None if same else f": {definition.name!r} is the name of one of ours, with another text. Rename yours."
    try:
        with closing(duckdb.connect(config=SAFE)) as connection:
            timer = threading.Timer(SECONDS, connection.interrupt)
            timer.start()
            try:
                _check(connection, definition)
            finally:
                timer.cancel()
    except Wrong as wrong:
        where = "" if wrong.line is None else f", line {wrong.line}"
        return f"{where}: {' '.join(str(wrong).split())}"
    except duckdb.InterruptException:
        return f": it takes more than {SECONDS:g} seconds for {len(ROWS)} runs. Look for a join without a condition."
    except (SpecError, duckdb.Error) as error:
        return f": {str(error).splitlines()[0]}"
    return None


def _check(connection: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    if not blanked(definition.sql, comments_only=True).strip():
        raise Wrong(f"it is empty. Begin with `{HEAD}`, then a select that gives run_id and phase from outcomes.")
    check_form(connection, definition.sql)
    check_head(definition)
    connection.register("invented", invented_outcomes())
    connection.execute("create table outcomes as from invented")
    _check_select(connection, definition)
    _check_answers(connection)
    check_thresholds(definition, "passages")
    connection.execute(KEYED)
    try:
        _install(connection, definition.sql)
        connection.execute("select run_id.study, phase from definition").fetchall()
    except (duckdb.BinderException, duckdb.ConversionException) as error:
        raise Wrong(
            "it looks into run_id, which may be any key of a run. Pass it on as it is.", line_of(error)
        ) from None


def _install(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Make the definition a view; what DuckDB says of lines is true of the text."""
    connection.execute(f"create temp view definition as from ({without_macro(sql)}\n)")


def _check_select(connection: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    """It can be answered, with the columns that it must have."""
    try:
        _install(connection, definition.sql)
        found = connection.sql("from definition")
    except duckdb.Error as error:
        missing = re.search(r'column "(\w+)" not found|does not have a column named "(\w+)"', str(error))
        if missing:
            name, known = missing[1] or missing[2], [name for name, _ in outcome_columns()]
            near = closest(name, [*known, *defaults_of(definition)], '`study sql "describe outcomes"` shows all.')
            raise Wrong(f"outcomes has no column {name!r}. {near}", line_of(error)) from None
        hint = re.search(r'^Did you mean "(.*?)"', str(error), re.MULTILINE)
        raise Wrong(f"{first_line(error).partition(': ')[2]} {hint[0] + '?' if hint else ''}", line_of(error)) from None
    kinds = dict(zip(found.columns, map(str, found.types), strict=True))
    lines = blanked(definition.sql).lower().splitlines()
    last = max((number for number, line in enumerate(lines, 1) if re.search(r"\bselect\b", line)), default=None)
    for name in {"run_id", "phase"} - set(kinds):
        said = ", ".join(kinds)
        raise Wrong(f"it gives {said}, and no {name}. A definition gives run_id and phase, by these names.", last)
    if kinds["phase"] != "VARCHAR":
        raise Wrong(f"its phases are of type {kinds['phase']}. A phase is text, such as 'memorization'.", last)


def _check_answers(connection: duckdb.DuckDBPyConnection) -> None:
    """One row for each run."""
    try:
        rows = connection.execute(f"select run_id, phase from definition limit {MANY}").fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise Wrong(f"it fails on a run: {first_line(error)}. Use try_cast, or coalesce what may be NULL.") from None
    found = Counter(run_id for run_id, _ in rows)
    for run_id in ROWS:
        if found[run_id] > 1:
            raise Wrong(f"it gives several rows for {run_id}. Give one for each run; look at its joins.")
    for run_id in ROWS:
        if not found[run_id]:
            raise Wrong(f"it gives no row for {run_id}. Leave out no run; that of no phase is 'unresolved', or NULL.")
    if extra := set(found) - set(ROWS):
        raise Wrong(
            f"it gives a row for the run {extra.pop()!r}, which outcomes does not have. Pass run_id on as it is."
        )
