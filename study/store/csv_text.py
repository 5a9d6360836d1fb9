"""Arrow tables as CSV."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv as pa_csv

from trainables.errors import SpecError

ROWS_AT_ONCE = 50_000


def csv_chunks(table: pa.Table, instead: str) -> Iterator[bytes]:
    """The table as CSV in UTF-8, whole lines at a time, the names of the columns first. SpecError for lists, structs
    and maps, which says what to do `instead`."""
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise SpecError(f"column {nested[0]!r} holds lists, which CSV has no place for: {instead}.")
    starts = range(0, len(table) or 1, ROWS_AT_ONCE)  # one even of no rows, for the names
    return (_csv(table.slice(start, ROWS_AT_ONCE), with_names=start == 0) for start in starts)


def _csv(table: pa.Table, with_names: bool) -> bytes:
    made = pa.BufferOutputStream()
    pa_csv.write_csv(table, made, pa_csv.WriteOptions(include_header=with_names))
    return made.getvalue().to_pybytes()
