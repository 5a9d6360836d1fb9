"""A database file made anew from the parts, beside the old one, which stays as it is until the new one is whole."""

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from study.store.connection import SAFE, connected, translated
from study.store.files import atomic
from study.store.fold import fold_new
from study.store.ingest import ARCHIVE, IngestReport
from study.store.install import install
from study.store.storage import Storage

log = logging.getLogger(__name__)

MAX_KEPT = 3
"""Files that are kept of one kind of damage, or of one older version: the first ones, and the last one."""


def make_anew(file: Path, storage: Storage, report: IngestReport, why: str | None = None) -> None:
    """Make the file anew from all parts of the storage, and count them in `report`. With `why`, one word, the old file
    is kept under a name with this word; without, it goes."""
    with new_file(file, why) as draft:
        fold_new(draft, storage, report, timeout=0)
        with connected(draft) as connection:
            counted = "select count(*), coalesce(sum(rows), 0)::bigint from parts where error is null and kind <> ?"
            [(parts, rows)] = connection.execute(counted, [ARCHIVE]).fetchall()
        if (parts, rows) != (report.parts, report.rows):
            said = (
                f"{report.parts} parts with {report.rows} rows were read, and {parts} with {rows} are in the new file"
            )
            raise OSError(errno.EIO, said, str(file))


@contextmanager
def new_file(file: Path, why: str | None = None) -> Iterator[Path]:
    """An empty database file, to fill. It takes the place of `file` when the block ends well; `why` is as above."""
    sweep(file)
    try:
        with atomic(file) as draft:
            with translated(), closing(duckdb.connect(draft, config=SAFE)) as connection:
                install(connection)
                connection.execute("checkpoint")
            yield draft
            if _log_of(draft).exists():
                raise OSError(errno.ENOSPC, "No space left on device", str(file))
            if why:
                _keep(file, why)
            # A killed ingest may have left its log, which must not be replayed on the new file.
            _log_of(file).unlink(missing_ok=True)
    except BaseException:
        sweep(file)
        raise


def sweep(file: Path) -> None:
    """Remove what killed writers have left beside a file."""
    for stale in file.parent.glob(f".{file.name}.*"):
        if stale.is_dir():  # what did not fit into memory
            shutil.rmtree(stale)
        else:
            stale.unlink()


def _keep(file: Path, why: str) -> None:
    """Give a file that is damaged, or of an older version, another name, and its log with it. The first MAX_KEPT - 1
    stay for good, a later one takes the place of the last."""
    names = [f"{file.name}.{why}", *(f"{file.name}.{why}-{i}" for i in range(2, MAX_KEPT + 1))]
    copies = [file.with_name(name) for name in names]
    copy = next((copy for copy in copies if not copy.exists()), copies[-1])
    _log_of(copy).unlink(missing_ok=True)
    if _log_of(file).exists():
        os.replace(_log_of(file), _log_of(copy))
    os.replace(file, copy)
    log.warning("study: %s is %s: it is kept as %s and made anew from the parts", file, why, copy.name)


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")
