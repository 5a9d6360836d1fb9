"""Rows of an answer as a page shows them: texts, cut where they are long."""

import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from study.store.printable import clean

LONGEST = 200
"""Characters of a value."""


def is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def shown(table: pa.Table) -> list[list[str | None]]:
    """The rows of a small table as texts; None for NULL."""
    columns = [[None if value is None else _cut(_text(value)) for value in _values(column)] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):  # a date that is infinite, or before the year 1
        return pc.cast(column, pa.string()).to_pylist()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _number(value: float) -> str:
    """A number in six digits, and whole where it is: sums of integers come as doubles."""
    if not math.isfinite(value):
        return {"nan": "NaN"}.get(str(value), str(value))
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return f"{value:.6g}"


def _cut(text: str) -> str:
    return clean(text if len(text) <= LONGEST else f"{text[:LONGEST]}...")
