"""The answer to a query on stdout, in the form that was asked for."""

import sys

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from study.cli.output import data_stream
from study.cli.tables import show_rows
from trainables.errors import SpecError


def write_table(table: pa.Table, form: str) -> None:
    """An Arrow table as table, csv, json (one list of objects) or parquet."""
    if form == "csv":
        nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
        if nested:
            raise SpecError(
                f"column {nested[0]!r} holds lists, which CSV has no place for: use --format json or parquet."
            )
        if sys.stdout.isatty():
            text = pa.BufferOutputStream()
            pa_csv.write_csv(table, text)
            print(text.getvalue().to_pybytes().decode(), end="")
        else:
            pa_csv.write_csv(table, data_stream())
    elif form == "parquet":
        if sys.stdout.isatty():
            raise SpecError("--format parquet is for a file, not for a terminal: write `> answer.parquet` behind it.")
        pq.write_table(table, pa.PythonFile(data_stream(), mode="w"))
    else:
        try:
            rows = table.to_pylist()
        except OverflowError:
            raise SpecError(
                "a date is infinite, or out of the range of Python: cast it to varchar, or use --format csv."
            ) from None
        show_rows(rows, form == "json")
