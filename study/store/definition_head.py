"""What a phase definition begins with: the table of its phases, and its parameters."""

import re
from collections import Counter

from study.store.definition_form import Wrong
from study.store.definitions import Definition
from study.store.errors import QueryError
from study.store.query import query
from study.store.sql_text import blanked, ctes, line_at

HEAD = "with names(phase, generalized) as (values ('memorization', false), ('grokking', true))"
PARAMS = re.compile(r"params\s+as\s*\(\s*(select\s*\*\s*)?from\s+defaults\s*\)", re.IGNORECASE)
COLUMNS = {"phase", "generalized", "color", "words"}


def check_head(definition: Definition) -> None:
    """The tables of names and of parameters, which are asked for by themselves."""
    spans = ctes(definition.sql)
    if "names" not in spans:
        raise Wrong(f"it has no table of its phases. Begin with `{HEAD}`.", 1)
    line = line_at(definition.sql, spans["names"][0])
    try:
        rows = query(definition.query_on("from names", "names"), {}).to_pylist()
    except QueryError as error:
        raise Wrong(f"its table of phases does not work by itself ({error}). Write it as `{HEAD}`.", line) from None
    columns = set(rows[0]) if rows else set()
    if not {"phase", "generalized"} <= columns <= COLUMNS:
        said = ", ".join(columns) or "no rows"
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
            [_] = query(definition.query_on("from defaults", "defaults"), {}).to_pylist()
        except (QueryError, ValueError):
            line = line_at(definition.sql, spans["defaults"][0])
            raise Wrong(
                "defaults must be one row of constants: `defaults as (select 0.9 as threshold)`.", line
            ) from None
