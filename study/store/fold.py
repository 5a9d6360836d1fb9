"""Parts are folded into the database file, a batch in one transaction, each part exactly once."""

from dataclasses import replace
from pathlib import Path

import duckdb

from study.store.connection import connected
from study.store.derived import derive
from study.store.errors import StoreError
from study.store.ingest import IngestReport, batch_tables, new_parts, read_batches
from study.store.install import digest, install, measure
from study.store.levels import sql_of
from study.store.own_definitions import install_phases, with_errors
from study.store.part_reader import Part, table_of
from study.store.storage import Storage


def fold_new(file: Path, storage: Storage, report: IngestReport, timeout: float, again: bool = False) -> None:
    """Fold in the parts of the storage that the file does not have yet, and count them in `report`. With `again`, all
    files that could not be read are tried again."""
    with connected(file, timeout=timeout) as connection:
        [(installed,)] = connection.execute("select value from store_info where key = 'views'").fetchall()
        stamps = connection.execute("select part, size, mtime_ns, error is null from parts").fetchall()
    if installed != digest():
        with connected(file, write=True, timeout=timeout) as connection:
            install(connection)
    known = {part: None if good else (size, mtime_ns) for part, size, mtime_ns, good in stamps if good or not again}
    good = {part for part, stamp in known.items() if stamp is None}
    for batch in read_batches(storage, new_parts(storage, known, report), good):
        _fold(file, batch, report, timeout)


def _fold(file: Path, batch: list[Part], report: IngestReport, timeout: float) -> None:
    """Fold a batch of parts in one transaction. What DuckDB refuses is halved until the one bad part is alone."""
    tables = batch_tables(batch)
    own = with_errors(tables["new_definitions"].to_pylist())
    tables["new_definitions"] = table_of("new_definitions", own)
    try:
        with connected(file, write=True, timeout=timeout) as connection:
            for name, table in tables.items():
                connection.register(name, table)
            connection.execute("begin")
            connection.execute(sql_of("fold"))
            measure(connection)
            derive(connection)
            if own:
                install_phases(connection)
            connection.execute("commit")
            connection.execute("checkpoint")  # closing does so, too, and keeps silent where the disk is full
    except StoreError as error:
        if not isinstance(error.__cause__, duckdb.DataError | duckdb.IntegrityError):
            raise
        half = len(batch) // 2
        halves = (
            [batch[:half], batch[half:]]
            if half
            else [[replace(batch[0], rows=0, tables={}, checked=None, error=str(error))]]
        )
        for smaller in halves:
            _fold(file, smaller, report, timeout)
        return
    report.add(batch)
