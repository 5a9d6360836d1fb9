"""Which parts are new, read in batches: what happens before the database is touched."""

import os
from collections.abc import Callable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice

import pyarrow as pa

from study.store.archive import FOLDER, is_archive, unpacked
from study.store.names import is_name
from study.store.part_file import intact
from study.store.part_reader import TABLES, Part, read_file, read_part, table_of
from study.store.storage import Storage

MAX_ROWS = 1_000_000
"""About so many metric rows per transaction: bounds memory and the time for which the database file is held."""
MAX_PARTS = 512
ARCHIVE = "archive"
"""What the database says of an archive in place of a part's kind."""
CHUNK = 16
"""Parts read at a time; a batch exceeds MAX_ROWS by less than this many parts."""


@dataclass
class IngestReport:
    """What one ingest brought in."""

    parts: int = 0
    rows: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Files that could not be read, each with the reason. They are tried again when they change."""
    unchecked: int = 0
    """Of `parts`, those of an older version of this package: they have no digest that would show other bytes."""
    busy: str | None = None
    """Why parts are left for the next ingest: who kept the store. None when all went in."""

    def add(self, batch: list[Part]) -> None:
        """Count a batch that was folded in."""
        self.skipped += [(part.name, part.error) for part in batch if part.error]
        self.parts += sum(not part.error and part.kind != ARCHIVE for part in batch)
        self.rows += sum(part.rows for part in batch)
        self.unchecked += sum(part.checked is False for part in batch)


def new_parts(storage: Storage, known: Mapping[str, tuple[int, int] | None], report: IngestReport) -> list[str]:
    """Names of the files below `parts` that are not in `known`; plans first: runs are measured against their chance.
    Then archives: of a part that is in one and lies beside it, too, the file need not be read.

    `known` maps a name to None, or for an unreadable file to its size and change time: it is new when they differ.
    Files whose names the store cannot hold are listed in `report`.
    """

    def is_new(name: str) -> bool:
        if name not in known:
            return True
        before = known[name]
        try:
            return before is not None and before != storage.stamp(f"parts/{name}")  # costs a request in a bucket
        except OSError:  # reading it says what is wrong
            return True

    names = []
    for name in (name.removeprefix("parts/") for name in storage.names("parts")):
        if name.startswith(f"{FOLDER}/") and not is_archive(name):
            report.skipped.append((_shown(name), "it is no archive: its name does not end in .tar. Remove it."))
            continue
        if not name.endswith(".parquet") and not is_archive(name):
            continue
        shown = _shown(name)
        if shown != name or not is_name(name):
            report.skipped.append((shown, "its name is not UTF-8, or has a backslash: rename the file, or remove it."))
        elif is_new(name):
            names.append(name)
    return sorted(names, key=lambda name: (not name.startswith("plan/"), not is_archive(name), name))


def _shown(name: str) -> str:
    """A name with what is no text in it as its bytes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_batches(storage: Storage, names: list[str], good: Set[str]) -> Iterator[list[Part]]:
    """Read files in the given order, in batches of about MAX_ROWS rows, without the parts of archives in `good`."""
    batch: list[Part] = []
    readers = _readers(storage, names, {*good})
    with ThreadPoolExecutor(CHUNK) as pool:
        while chunk := [*islice(readers, CHUNK)]:
            batch += pool.map(lambda reader: reader(), chunk)
            if len(batch) >= MAX_PARTS or sum(part.rows for part in batch) >= MAX_ROWS:
                yield batch
                batch = []
    if batch:
        yield batch


def _readers(storage: Storage, names: list[str], taken: set[str]) -> Iterator[Callable[[], Part]]:
    """Functions that read a part each. An archive comes after its parts: who dies between them reads it again."""
    for name in names:
        if is_archive(name):
            archive, data = read_file(storage, name)
            files, damage = ({}, archive.error) if archive.error else unpacked(name, data)
            for own in sorted(files.keys() - taken):
                if not damage or intact(files[own]):
                    taken.add(own)  # else there may be a whole one elsewhere
                part = Part(own, len(files[own]), archive.mtime_ns, archive=name)
                yield partial(read_part, part, files[own])
            yield partial(replace, archive, kind=ARCHIVE, error=damage)
        elif name not in taken:
            yield lambda name=name: read_part(*read_file(storage, name))


def batch_tables(parts: list[Part]) -> dict[str, pa.Table]:
    """The tables that fold.sql takes in for a batch of parts."""
    now = datetime.now(UTC)
    rows = [vars(part) | {"part": part.name, "id": part.id, "ingested_at": now} for part in parts]
    tables = [{"new_parts": table_of("new_parts", rows)}, *(part.tables for part in parts)]
    return {
        name: pa.concat_tables([schema.empty_table(), *(own[name] for own in tables if name in own)])
        for name, schema in TABLES.items()
    }
