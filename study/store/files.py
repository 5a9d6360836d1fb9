"""Files that appear whole or not at all, and patience with files that others hold."""

import errno
import os
import random
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""How file systems without hard links (exFAT, some mounts of buckets) refuse one."""

DRAFT_SECONDS = 86400.0
"""Nobody writes one file for so long."""


@contextmanager
def atomic(path: Path, replace: bool = True) -> Iterator[Path]:
    """A hidden path beside `path` to write to. It becomes `path`, durably and at once, when the block ends well.

    Without `replace` that raises FileExistsError where there is something already.

    When the block raises (a full disk, an interrupt), `path` is as it was and what was written is removed.
    A killed process leaves the hidden file `.<name>.<hex>.tmp`, which nothing reads; see `remove_drafts`.
    """
    _make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")  # processes of two machines may share a number
    try:
        yield draft
        sync(draft)
        if replace:
            os.replace(draft, path)
        else:
            _add(draft, path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(draft):  # nobody knows the draft
            error.filename, error.filename2 = str(path), None
        raise
    sync(path.parent)


def remove_drafts(folder: Path) -> None:
    """Remove what killed processes have left below a folder. One that was begun less than a day ago stays: somebody may
    be writing it."""
    for path in folder.rglob(".*.tmp"):
        with suppress(OSError):
            if (
                re.fullmatch(r"\..+\.[0-9a-f]{12}\.tmp", path.name)
                and time.time() - path.stat().st_mtime > DRAFT_SECONDS
            ):
                path.unlink()


def _add(draft: Path, path: Path) -> None:
    """Give a file its name, which must be new."""
    try:
        os.link(draft, path)
        draft.unlink()
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(f"'{path}' is there.") from None
        os.replace(draft, path)


def patiently(timeout: float) -> Iterator[None]:
    """One try after another until `timeout` seconds have passed, at least one. Pauses grow and are random, so that no
    two processes wait in step."""
    deadline = time.monotonic() + timeout
    longest = 0.001
    yield
    while time.monotonic() < deadline:
        time.sleep(random.uniform(0, longest))
        longest = min(2 * longest, 0.02)
        yield


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably: a file in a folder whose name is lost is lost with it."""
    if folder.is_dir():
        return
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
