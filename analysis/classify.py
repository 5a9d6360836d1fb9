"""The phase of each run under a named definition: a file of `study/phases/`, run on a table of outcomes.

study/store/definitions.py says what such a file looks like. A definition that reads first passages picks their level by
its parameter `threshold`.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from study.store.definitions import PARAMS, defaults_query, definitions, select_of
from study.store.levels import LEVELS, SPLITS, passages_macro
from trainables.components import closest
from trainables.errors import SpecError

PASSAGES = tuple(f"{split}_step_{level}" for split in SPLITS for level in LEVELS.values())
ASSUMED = {
    "status": "finished",
    "stop_reason": "horizon",
    "horizon": 0,  # NULL would say that there are no records
    "label_corruption": 0.0,
    "chance_accuracy": 0.0,
    "train_accuracy_at_test_onset": None,
    "num_tested": 1,  # 0 would say that there is no test split
}
"""The value of a column for the runs of a table that lacks it."""


def classify(
    definition: str, outcomes: pa.Table, curves: pa.Table | None = None, params: Mapping[str, float] | None = None
) -> pa.Table:
    """A table (run_id, phase) with one row per row of `outcomes`.

    `outcomes` has those columns of the store's view that the definition reads; `ASSUMED` fills in what the table of a
    paper may lack. NaN counts as NULL. `curves` is needed only by a definition that reads it. `params` overrides
    the defaults. Raises SpecError for an unknown definition or parameter and for a missing column.
    """
    from study.store.query import query  # duckdb takes a moment to import

    if definition not in definitions():
        raise SpecError(f"No phase definition named {definition!r}. {closest(definition, definitions())}")
    sql = select_of(definition)
    defaults = query(defaults_query(definition), {}).to_pylist()[0]
    params = dict(params or {})
    for name, value in params.items():
        if name not in defaults:
            raise SpecError(
                f"Phase definition {definition!r} has no parameter {name!r}. {closest(name, list(defaults))}"
            )
        params[name] = _number(definition, name, value)
    if params:
        values = ", ".join(f"'{value}'::double as {name}" for name, value in params.items())
        sql = sql.replace(PARAMS, f"params as (select * replace ({values}) from defaults)")
    tables = {"outcomes": _complete(outcomes, definition, sql, (defaults | params).get("threshold", 0.0))}
    tables |= {} if curves is None else {"curves": curves}
    return query(f"select run_id, phase from ({sql})", tables, [passages_macro()])


def _number(definition: str, name: str, value: Any) -> float:
    """A parameter as a number, NumPy's too; SpecError for anything else, NaN and infinity."""
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpecError(f"Phase definition {definition!r}: {name} must be a finite number, got {value!r}.")
    return float(value)


def _complete(outcomes: pa.Table, definition: str, sql: str, threshold: float) -> pa.Table:
    """The columns of `outcomes` that `sql` reads, with NaN as NULL and the values of `ASSUMED` for absent columns."""
    columns = {}
    for name in columns_read(sql):
        passage = re.fullmatch(r"\w+_step_(\d\d)", name)
        if passage and threshold not in LEVELS:
            raise SpecError(
                f"Phase definition {definition!r}: threshold is {threshold}, and first passages are stored "
                f"at {', '.join(map(str, LEVELS))}. Choose one of these."
            )
        if name in outcomes.column_names:
            column = outcomes[name]
            floating = pa.types.is_floating(column.type)
            columns[name] = pa.Array.from_pandas(column.to_pandas()) if floating else column  # NaN becomes NULL
        elif name in ASSUMED:
            columns[name] = pa.repeat(pa.scalar(ASSUMED[name]), len(outcomes))
        elif passage and passage[1] != LEVELS[threshold]:
            columns[name] = pa.nulls(len(outcomes))
        else:
            raise SpecError(
                f"Phase definition {definition!r} reads the column {name!r}, which outcomes lacks. "
                f"It has: {', '.join(outcomes.column_names)}."
            )
    unread = {name: pa.nulls(len(outcomes)) for name in PASSAGES if name not in columns}
    return pa.table(columns | unread)  # the macro names every passage, a definition reads some of them


def columns_read(sql: str) -> list[str]:
    """The columns of `outcomes` that a definition reads, sorted; for a passage at its threshold those of all levels."""
    named = {*re.findall(r"\boutcomes\.(\w+)", sql)}
    for step in {f"{split}_step" for split in SPLITS} & named:
        named = named - {step} | {f"{step}_{level}" for level in LEVELS.values()}
    return sorted(named)
