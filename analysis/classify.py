"""The phase of each run under a named definition: a file of `analysis/phases/`, run on a table of outcomes.

A definition starts with its parameters (`with defaults as (select 0.9::double as threshold, ...)`, then
`params as (select * from defaults)`) and names every column it reads as `outcomes.<column>`. A definition that reads
first passages picks their level by its parameter `threshold`.
"""

import importlib.resources
import re
from collections.abc import Mapping

import pyarrow as pa

from trainables.components import closest
from trainables.errors import SpecError

PARAMS = "params as (select * from defaults)"
LEVELS = {0.5: "50", 0.9: "90", 0.95: "95", 0.99: "99"}
"""The accuracies at which first passages are stored, and the end of their columns' names."""
ASSUMED = {
    "status": "finished",
    "stop_reason": "horizon",
    "horizon": 0,  # NULL would say that there are no records
    "label_corruption": 0.0,
    "chance_accuracy": 0.0,
    "train_accuracy_at_test_onset": None,
}
"""What holds for the runs of a table without the column."""


def definitions() -> list[str]:
    """Names of the phase definitions, sorted."""
    return sorted(f.name.removesuffix(".sql") for f in _folder().iterdir() if f.name.endswith(".sql"))


def classify(
    definition: str, outcomes: pa.Table, curves: pa.Table | None = None, params: Mapping[str, float] | None = None
) -> pa.Table:
    """A table (run_id, phase) with one row per row of `outcomes`.

    `outcomes` has the columns of the store's view that the definition reads; `ASSUMED` fills in those that a paper's
    table does not have. NaN counts as NULL. `curves` is only for a definition that reads it. `params` overrides
    thresholds. Raises SpecError for an unknown definition or parameter and for a missing column.
    """
    from study.store import query  # here, because the store reads the SQL files of this package

    if definition not in definitions():
        raise SpecError(f"No phase definition named {definition!r}. {closest(definition, definitions())}")
    sql = (_folder() / f"{definition}.sql").read_text()
    defaults = query(sql.partition(f",\n{PARAMS}")[0] + " select * from defaults", {}).to_pylist()[0]
    params = {name: float(value) for name, value in (params or {}).items()}
    for name in params:
        if name not in defaults:
            raise SpecError(
                f"Phase definition {definition!r} has no parameter {name!r}. {closest(name, list(defaults))}"
            )
    if params:
        values = ", ".join(f"'{value}'::double as {name}" for name, value in params.items())
        sql = sql.replace(PARAMS, f"params as (select * replace ({values}) from defaults)")
    tables = {"outcomes": _complete(outcomes, definition, sql, (defaults | params).get("threshold", 0.0))}
    return query(f"select run_id, phase from ({sql})", tables | ({} if curves is None else {"curves": curves}))


def _complete(outcomes: pa.Table, definition: str, sql: str, threshold: float) -> pa.Table:
    """The columns of `outcomes` that `sql` reads, NaN as NULL, absent ones as assumed."""
    columns = {}
    for name in sorted(set(re.findall(r"\boutcomes\.(\w+)", sql))):
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
    return pa.table(columns)


def _folder():
    return importlib.resources.files("analysis") / "phases"
