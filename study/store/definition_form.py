"""The form of a phase definition: one select statement that reads `outcomes` and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from study.store.connection import first_line
from study.store.levels import without_macro
from study.store.sql_text import blanked, line_at

TABLE_FUNCTIONS = ("unnest", "range", "generate_series")
REFUSED = ("current_setting", "error", "getenv", "getvariable", "nextval", "sleep_ms", "write_log")
"""Functions that read the world or act on it, and the one that makes a query fail."""


class Wrong(Exception):
    """What is wrong with a definition, and on which line of its text; None where that is not known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def check_form(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """One select statement that reads `outcomes` alone."""
    text = without_macro(sql)
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        line = line_of(error)
        shown = sql.splitlines()[line - 1].strip()[:60] if line and line <= len(sql.splitlines()) else ""
        said = first_line(error).partition(": ")[2]
        raise Wrong(f"{said}. Look there, and at the end of the line before it: `{shown}`.", line) from None
    if len(statements) > 1:
        place = blanked(sql).index(";")
        after = place + 1 + len(sql[place + 1 :]) - len(blanked(sql, comments_only=True)[place + 1 :].lstrip())
        raise Wrong(f"it holds {len(statements)} statements. Write one select.", line_at(sql, after))
    [(answer,)] = connection.execute("select json_serialize_sql(?)", [text]).fetchall()
    tree = json.loads(answer)
    if tree["error"]:
        raise Wrong("it is no select statement. Write one that gives run_id and phase from outcomes.", 1)
    known = {
        "outcomes",
        *(entry["key"].lower() for node in _nodes(tree) for entry in node.get("cte_map", {}).get("map", [])),
    }
    for node in _nodes(tree):
        kind, line = node.get("type"), _line_of_node(text, node)
        if kind == "BASE_TABLE" and (node["table_name"].lower() not in known or node["schema_name"]):
            name = ".".join(filter(None, (node["catalog_name"], node["schema_name"], node["table_name"])))
            raise Wrong(
                f"it reads {name!r}. A definition reads outcomes, or passages(threshold), and nothing else.", line
            )
        function = node.get("function", {}) if kind == "TABLE_FUNCTION" else node
        name = str(function.get("function_name", "")).lower()
        if (kind == "TABLE_FUNCTION" and name not in TABLE_FUNCTIONS) or name in REFUSED or kind == "SHOW_REF":
            raise Wrong(f"it calls {name or 'show'!r}. A definition reads outcomes, no files and no settings.", line)


def line_of(error: duckdb.Error) -> int | None:
    found = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
    return int(found[1]) if found else None


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects in a tree of JSON."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
        waiting += list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _line_of_node(text: str, node: dict[str, Any]) -> int | None:
    place = node.get("query_location")
    return line_at(text, place) if isinstance(place, int) and place <= len(text) else None
