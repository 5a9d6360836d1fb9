"""The file around the columns of a part: Parquet, with JSON that says what the part is and a digest of all its bytes.

The digest is an entry of Parquet's own metadata: SHA-256 of the file, as 64 hex digits, taken with 64 zeros in its
place. Any reader of Parquet reads the file, and whoever wants to can check it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from study.store.errors import PartError
from study.store.part_schemas import NAME

FORMAT = 2
UNCHECKED = 1
"""The format before there were digests."""
MAX_ROWS = 1 << 20
"""Of one part. `Recorder` splits a flush that has more."""
MAX_BYTES = 1 << 30
"""Of the columns of one part, before compression."""

ABOUT = b"grokking_study"
DIGEST = b"grokking_study_sha256"
EMPTY = b"0" * 64
MARK = b"\x18" + bytes([len(DIGEST)]) + DIGEST + b"\x18" + bytes([len(EMPTY)])
"""What stands before the digest in a file: key and value are texts in Thrift's compact form, each after its length."""


def encoded(table: pa.Table, about: Mapping[str, Any]) -> bytes:
    """The file of a part; PartError for more than one may hold."""
    if len(table) > MAX_ROWS or table.nbytes > MAX_BYTES // 2:  # half: Parquet's own bytes must not make it too large
        raise PartError(_too_large(len(table), table.nbytes))
    table = table.replace_schema_metadata({ABOUT: json.dumps({"format": FORMAT, **about})})
    buffer = pa.BufferOutputStream()
    with pq.ParquetWriter(buffer, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({DIGEST: EMPTY})
    data = buffer.getvalue().to_pybytes()
    place = data.rindex(MARK) + len(MARK)
    return data[:place] + _digest(data, place) + data[place + len(EMPTY) :]


@dataclass(frozen=True)
class PartFile:
    """A file whose bytes are as they were written, as far as it can tell, and which may be read."""

    about: dict[str, Any]
    """What the part says of itself."""
    checked: bool
    """False for a part of the format before there were digests."""
    _data: bytes
    _metadata: pq.FileMetaData

    def columns(self, schema: pa.Schema) -> pa.Table:
        """The columns of `schema`; PartError for texts that take too much memory, KeyError for a column that is not
        there."""
        source = pa.BufferReader(self._data)
        # As dictionaries: a text that is stored once for a million rows is not copied until it is known to be short.
        texts = [column.name for column in schema if column.type in (pa.string(), NAME)]
        table = pq.ParquetFile(source, metadata=self._metadata, read_dictionary=texts).read(columns=schema.names)
        size = sum(_text_size(table[column.name]) for column in schema if column.type == pa.string())
        if size > MAX_BYTES:
            raise PartError(_too_large(len(table), size))
        return pa.table([table[column.name].cast(column.type) for column in schema], schema=schema)


def decoded(data: bytes) -> PartFile:
    """The part in the bytes of a file. Its digest is looked at before anything else, and its size before its columns.

    PartError for other bytes than were written, and for a part that is too large; other errors for what is no Parquet.
    """
    checked = is_whole(data)
    metadata = pq.ParquetFile(pa.BufferReader(data)).metadata
    about = json.loads((metadata.metadata or {}).get(ABOUT, b"{}"))
    said = about.get("format") if isinstance(about, dict) else None
    if said not in (FORMAT, UNCHECKED):
        raise PartError(f"format {said!r} is not {UNCHECKED} or {FORMAT}: no part, or one of another version.")
    if said == FORMAT and not checked:
        raise PartError("its bytes are not those that were written: it has lost its digest.")
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    rows = max(metadata.num_rows, sum(chunk.num_values for chunk in chunks) // max(1, metadata.num_columns))
    size = sum(chunk.total_uncompressed_size for chunk in chunks)
    if rows > MAX_ROWS or size > MAX_BYTES:
        raise PartError(_too_large(rows, size))
    return PartFile(about, checked, data, metadata)


def is_whole(data: bytes) -> bool:
    """True if the bytes fit their digest, False if they have none; PartError if they do not fit."""
    place = data.rfind(MARK) + len(MARK)
    if place < len(MARK):
        return False
    if data[place : place + len(EMPTY)] != _digest(data, place):
        raise PartError("its bytes are not those that were written: they do not fit its digest.")
    return True


def intact(data: bytes) -> bool:
    """True if the bytes have a digest and fit it."""
    try:
        return is_whole(data)
    except PartError:
        return False


def _digest(data: bytes, place: int) -> bytes:
    """What stands at this place of a file that is whole."""
    view = memoryview(data)
    digest = hashlib.sha256(view[:place])
    digest.update(EMPTY)
    digest.update(view[place + len(EMPTY) :])
    return digest.hexdigest().encode()


def _text_size(column: pa.ChunkedArray) -> int:
    """Bytes of a column of texts that was read as dictionaries; 0 for one of anything else."""
    chunks: Sequence[Any] = column.chunks if pa.types.is_dictionary(column.type) else ()
    lengths = (pc.call_function("binary_length", [chunk.dictionary]).take(chunk.indices) for chunk in chunks)
    return sum(pc.call_function("sum", [own]).as_py() or 0 for own in lengths)


def _too_large(rows: int, size: int) -> str:
    return (
        f"{rows:,} rows, {size / 1e6:,.0f} MB before compression: a part has at most {MAX_ROWS:,} rows and "
        f"{MAX_BYTES / 1e6:,.0f} MB."
    )
