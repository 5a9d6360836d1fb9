"""The phase of each run under a definition, run on a table of outcomes.

study/store/definitions.py says what a definition looks like. One that reads first passages picks their level by the
threshold that it gives to `passages`.
"""

import re
from collections.abc import Mapping

import pyarrow as pa

from study.store.definition_source import given_definition
from study.store.definitions import Definition, definitions
from study.store.levels import LEVELS, SPLITS
from study.store.sql_text import blanked
from study.store.thresholds import thresholds_of, with_params
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
    definition: str | Definition,
    outcomes: pa.Table,
    curves: pa.Table | None = None,
    params: Mapping[str, float] | None = None,
) -> pa.Table:
    """A table (run_id, phase) with one row per row of `outcomes`.

    `definition` is one of ours by name, the path of an SQL file, or SQL text. `outcomes` has those columns of the
    store's view that the definition reads; `ASSUMED` fills in what the table of a paper may lack. NaN counts as NULL.
    `curves` is needed only by a definition that reads it. `params` overrides the defaults. Raises SpecError for an
    unknown definition or parameter, for a text that does not work, and for a missing column.
    """
    from study.store.query import query  # duckdb takes a moment to import

    found = definition if isinstance(definition, Definition) else given_definition(definition)
    if found is None:
        raise SpecError(f"No phase definition named {definition!r}. {closest(str(definition), definitions())}")
    found = with_params(found, params or {})
    tables = {"outcomes": _complete(outcomes, found)}
    tables |= {} if curves is None else {"curves": curves}
    return query(found.select, tables)


def _complete(outcomes: pa.Table, definition: Definition) -> pa.Table:
    """The columns of `outcomes` that a definition reads, with NaN as NULL, and `ASSUMED` for absent columns."""
    columns = {}
    levels = {LEVELS[threshold] for threshold in thresholds_of(definition)}
    for name in columns_read(definition):
        passage = re.fullmatch(r"\w+_step_(\d\d)", name)
        if name in outcomes.column_names:
            column = outcomes[name]
            floating = pa.types.is_floating(column.type)
            columns[name] = pa.Array.from_pandas(column.to_pandas()) if floating else column  # NaN becomes NULL
        elif name in ASSUMED:
            columns[name] = pa.repeat(pa.scalar(ASSUMED[name]), len(outcomes))
        elif passage and levels and passage[1] not in levels:
            columns[name] = pa.nulls(len(outcomes))
        else:
            raise SpecError(
                f"Phase definition {definition.name!r} reads the column {name!r}, which outcomes lacks. "
                f"It has: {', '.join(outcomes.column_names)}."
            )
    unread = {name: pa.nulls(len(outcomes)) for name in PASSAGES if name not in columns}
    return pa.table(columns | unread)  # passages at all levels are named, a definition reads some of them


def columns_read(definition: Definition) -> list[str]:
    """The columns of `outcomes` that a definition reads, sorted; for a passage at its threshold those of all levels."""
    from study.store.invented_outcomes import outcome_columns

    text = blanked(definition.sql)
    named = {*re.findall(r"\boutcomes\.(\w+)", text), *({*re.findall(r"\w+", text)} & {*dict(outcome_columns())})}
    for step in {f"{split}_step" for split in SPLITS} & {*re.findall(r"\w+", text)}:
        named = named - {step} | {f"{step}_{level}" for level in LEVELS.values()}
    return sorted(named)
