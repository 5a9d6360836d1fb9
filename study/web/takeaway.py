"""A table as a file to take away.

CSV is what `study sql --format csv` writes, byte for byte, so that a figure made from either is the same. So no value
is altered for spreadsheets: a text that begins with `=` stays what it is (in quotes, as all texts are), though a
spreadsheet may read it as a formula. Who opens what others wrote takes Parquet.
"""

import io
import re
from collections.abc import Iterator
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from study.store.csv_text import csv_chunks

TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
ROWS_AT_ONCE = 50_000
LONGEST = 60
"""Characters of a file's name."""


def download(table: pa.Table, ending: str, name: str) -> Response:
    """The table as a file `<name>.<ending>`, `csv` or `parquet`, sent as it is made; `name` may hold anything.
    SpecError for columns that CSV has no place for."""
    chunks = csv_chunks(table, "take Parquet instead") if ending == "csv" else _parquet(table)
    headers = {"content-disposition": attachment(name, ending), "cache-control": "no-store"}
    return StreamingResponse(chunks, headers=headers, media_type=TYPES[ending])


def ending_of(request: Request) -> str:
    """`csv` or `parquet`: the end of the address that asks for a table."""
    return request.url.path.rpartition(".")[2]


def attachment(name: str, ending: str) -> str:
    """The header that makes a browser keep an answer as the file `<name>.<ending>`; `name` may hold anything."""
    file = f"{_plain(name)}.{ending}"
    ascii_name = file.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(file, safe='')}"


def _plain(name: str) -> str:
    """The letters and digits of a name, in any script, and `-` or `_` for what is between them."""
    return re.sub(r"[^\w-]+", "_", name)[:LONGEST].strip("_") or "table"


def _parquet(table: pa.Table) -> Iterator[bytes]:
    made = _Made()
    with pq.ParquetWriter(pa.PythonFile(made, mode="w"), table.schema) as writer:
        for start in range(0, len(table), ROWS_AT_ONCE):
            writer.write_table(table.slice(start, ROWS_AT_ONCE))
            yield made.take()
    yield made.take()


class _Made(io.RawIOBase):
    """A file that forgets what was taken from it."""

    def __init__(self) -> None:
        self.size, self.parts = 0, []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(memoryview(data))  # pyright: ignore[reportArgumentType]
        self.parts.append(part)
        self.size += len(part)
        return len(part)

    def tell(self) -> int:
        return self.size

    def take(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken
