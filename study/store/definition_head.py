"""What a phase definition begins with: the table of its phases, and its parameters."""

import re
from collections import Counter

import duckdb

from study.store.definition_form import Wrong
from study.store.definitions import Definition, named_rows
from study.store.errors import QueryError
from study.store.sql_text import blanked, ctes, line_at

HEAD = "with names(phase, generalized) as (values ('memorization', false), ('grokking', true))"
PARAMS = re.compile(r"params\s+as\s*\(\s*(select\s*\*\s*)?from\s+defaults\s*\)", re.IGNORECASE)
MOST = 100
"""Phases of a definition."""
COLUMNS = {"phase", "generalized", "color", "words"}


def check_head(connection: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    """The tables of names and of parameters, which are asked for by themselves."""
    spans = ctes(definition.sql)
    if "names" not in spans:
        raise Wrong(f"it has no table of its phases. Begin with `{HEAD}`.", 1)
    line = line_at(definition.sql, spans["names"][0])
    try:
        connection.execute(definition.query_on(f"from names limit {MOST}", "names")).fetchall()
        rows = named_rows(definition)
    except duckdb.InterruptException:
        raise
    except (duckdb.Error, QueryError) as error:
        said = str(error).splitlines()[0]
        raise Wrong(f"its table of phases does not work by itself ({said}). Write it as `{HEAD}`.", line) from None
    if len(rows) == MOST:
        raise Wrong(f"names has {MOST} rows or more. Nobody tells so many phases apart.", line)
    columns = set(rows[0]) if rows else set()
    if not {"phase", "generalized"} <= columns <= COLUMNS:
        said = ", ".join(sorted(columns)) or "no rows"
        raise Wrong(f"names has {said}. Its columns are phase, generalized and, if you like, color, words.", line)
    for row in rows:
        if not isinstance(row["phase"], str) or not isinstance(row["generalized"], bool):
            raise Wrong(f"names has the row {list(row.values())}. A phase is text, generalized is true or false.", line)
        color = row.get("color")
        if color is not None and not re.fullmatch("#[0-9a-fA-F]{6}", str(color)):
            raise Wrong(
                f"phase {row['phase']!r} has the color {color!r}. Write #rrggbb, or NULL for one of ours.", line
            )
        if not isinstance(row.get("words"), str | None):
            raise Wrong(f"phase {row['phase']!r} has the words {row['words']!r}. Write text.", line)
    for column, what in (("phase", "phase"), ("color", "color")):
        for value, times in Counter(row.get(column) for row in rows).items():
            if value is not None and times > 1:
                raise Wrong(f"names has the {what} {value!r} {times} times. Give each phase its own.", line)
    if len({"defaults", "params"} & set(spans)) == 1:
        raise Wrong("parameters are two tables: defaults as (select ...), params as (select * from defaults).", line)
    if "params" in spans:
        text = definition.sql[slice(*spans["params"])]
        if not PARAMS.fullmatch(blanked(text).strip()):
            line = line_at(definition.sql, spans["params"][0])
            raise Wrong("write `params as (select * from defaults)`: thresholds are changed there.", line)
        try:
            [_] = connection.execute(definition.query_on("from defaults limit 2", "defaults")).fetchall()
        except duckdb.InterruptException:
            raise
        except (duckdb.Error, ValueError):
            line = line_at(definition.sql, spans["defaults"][0])
            raise Wrong(
                "defaults must be one row of constants: `defaults as (select 0.9 as threshold)`.", line
            ) from None
