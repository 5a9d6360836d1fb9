"""The answer to a query on stdout, in the form that was asked for."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq

from study.cli.output import data_stream
from study.cli.tables import show_rows
from study.store.csv_text import csv_chunks
from trainables.errors import SpecError


def write_table(table: pa.Table, form: str) -> None:
    """An Arrow table as table, csv, json (one list of objects) or parquet."""
    if form == "csv":
        on_terminal = sys.stdout.isatty()
        for chunk in csv_chunks(table, "use --format json or parquet"):
            if on_terminal:
                print(chunk.decode(), end="")
            else:
                data_stream().write(chunk)
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
