"""The phase definitions that a store has beside ours: texts of its studies, which came with their plans.

A text is part of the store's views only where ingest has found that it works (definition_check.py); `error` says why
another is left out.
"""

import logging
from collections.abc import Iterable
from functools import cache
from typing import Any

import duckdb

from study.store.connection import first_line
from study.store.definition_check import why_not
from study.store.definitions import Definition, definitions, ours, with_ours
from study.store.views import phase_statements

log = logging.getLogger(__name__)

DEFAULT = "unified"
NEWEST = """
    select name, sql from definitions where error is null
    qualify row_number() over (partition by name order by added_at desc, digest desc) = 1 order by name"""
OF_STUDIES = """
    select studies.spec ->> 'definition' as name, sql, error, study
    from studies
    left join definitions on name = studies.spec ->> 'definition' and sql = studies.spec ->> 'definition_sql'"""
OF_STUDY = f"select name, sql, error from ({OF_STUDIES}) where study = ?"


def with_errors(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `definitions`, each with why it is left out."""
    return [{**row, "error": _error(Definition(row["name"], row["sql"]))} for row in rows]


def check_again(connection: duckdb.DuckDBPyConnection) -> None:
    """See which of the store's definitions work with this version of the package."""
    columns = ["name", "digest", "sql", "added_at"]
    rows = connection.execute(f"select {', '.join(columns)} from definitions").fetchall()
    found = with_errors(dict(zip(columns, row, strict=True)) for row in rows)
    for row in found:
        connection.execute(
            "update definitions set error = ? where name = ? and digest = ?", [row["error"], row["name"], row["digest"]]
        )


def install_phases(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views of phases anew, with the newest text of each of the store's definitions."""
    for statement in phase_statements(with_ours(newest(connection))).values():
        connection.execute(statement)


def newest(connection: duckdb.DuckDBPyConnection) -> list[Definition]:
    """The newest text that works of each name, by name."""
    return [Definition(name, sql) for name, sql in connection.execute(NEWEST).fetchall()]


def of_study(connection: duckdb.DuckDBPyConnection, study: str) -> Definition:
    """The study's own definition. Where the store has no text of it that works, ours by default, and a warning."""
    found = connection.execute(OF_STUDY, [study]).fetchall()
    return chosen(study, *found[0]) if found else ours(DEFAULT)


def failing(connection: duckdb.DuckDBPyConnection, own: Iterable[Definition]) -> list[str]:
    """Those of these definitions that fail on the outcomes that a connection sees, by name, with a warning."""
    found = []
    for definition in own:
        try:
            connection.execute(f"select max(phase) from (\n{definition.select}\n)")
        except duckdb.Error as error:
            found.append(definition.name)
            _warn(f"phase definition {definition.name!r} fails on runs, and is left out: {first_line(error)}")
    return found


def chosen(study: str, name: str | None, sql: str | None, error: str | None) -> Definition:
    """The definition of a study with what the store says of it."""
    if name is None:
        return ours(DEFAULT)
    if sql is not None and error is None:
        return Definition(name, sql)
    if sql is None and name in definitions():
        return ours(name)
    why = error or ": the store has no text of it, and it is not one of ours"
    _warn(f"phase definition {name!r} of study {study!r} is left out{why} Its phases are by {DEFAULT!r}.")
    return ours(DEFAULT)


def _error(definition: Definition) -> str | None:
    problem = why_not(definition)
    if problem:
        _warn(f"phase definition {definition.name!r} of this store is left out{problem}")
    return problem


@cache  # once in a process: every query of a study asks for its definition
def _warn(said: str) -> None:
    log.warning("study: %s", said)
