"""Where parts, checkpoints and rungs are: in the store's own folder, or in one place that every node can reach.

Names are paths below that place, as in `parts/plan/x.parquet`. A file or an object appears whole or not at all. Nothing
that is read from here is ever executed, and no name leads out of it.
"""

import functools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Union
from urllib.parse import unquote

from study.files import atomic
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.bucket import Bucket

Storage = Union["Folder", "Bucket"]


class StorageError(OSError, SpecError):
    """A storage that cannot be used: to a worker the same as a full disk, to a user one line."""


class Folder:
    """Plain files below a folder: the store's own, or a mounted one that all nodes see."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def names(self, below: str) -> Iterator[str]:
        """Names of all files below a name, in no order; none where there is nothing. Hidden files are drafts."""
        for folder, _, files in os.walk(self._path(below)):
            inside = os.path.relpath(folder, self.root)
            yield from (f"{inside}/{file}" for file in files if not file.startswith("."))

    def exists(self, name: str) -> bool:
        """True if there is something of this name."""
        return self._path(name).exists()

    def stamp(self, name: str) -> tuple[int, int]:
        """Size in bytes, and change time in nanoseconds: what tells a file from a later one of its name."""
        stat = self._path(name).stat()
        return stat.st_size, stat.st_mtime_ns

    def read(self, name: str) -> bytes:
        """The bytes of a file; FileNotFoundError where there is none, as in all that follow."""
        return self._path(name).read_bytes()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file to read parts of."""
        with self._path(name).open("rb") as file:
            yield file

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path]:
        """A path with the content of a file, for the time of the block. It must not be written to."""
        yield self._path(name)

    def write(self, name: str, data: bytes) -> None:
        """Make a file, durably, or replace it; OSError if it cannot be written, and then nothing has changed."""
        with atomic(self._path(name)) as draft:
            draft.write_bytes(data)

    @contextmanager
    def drafted(self, name: str) -> Iterator[Path]:
        """A path for a writer that replaces files at once by itself, as `checkpoint.save` does; not made durable."""
        yield self._path(name)

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def rename(self, name: str, new_name: str) -> None:
        """Give a file another name."""
        os.replace(self._path(name), self._path(new_name))

    def check(self) -> None:
        """A folder says by itself that it cannot be read."""

    def check_writing(self) -> None:
        """StorageError if nothing can be written here."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise StorageError(f"storage '{self}' cannot be written to ({error.strerror or error}).") from None

    def _path(self, name: str) -> Path:
        return self.root / checked(name)


def storage_at(place: str | Path) -> Storage:
    """The storage in a folder, or at a URL such as `s3://bucket/prefix` or `file:///mnt/nfs/study`."""
    text = str(place)
    if text.startswith("file://"):
        return Folder(Path(unquote(text.removeprefix("file://"))))
    return _bucket(text) if "://" in text else Folder(Path(text))


@functools.cache
def _bucket(url: str) -> "Bucket":
    """One client for a process: it keeps its connections, and may be used by many threads."""
    from study.bucket import Bucket  # starting its libraries takes a moment

    return Bucket(url)


def is_name(name: str) -> bool:
    """True for a path that stays below where it begins, and is no draft."""
    parts = name.split("/")
    return not ({"", ".", ".."} & {*parts} or "\\" in name or "\0" in name or parts[-1].startswith("."))


def checked(name: str) -> str:
    """The name itself; StorageError for one that leads elsewhere. Names are made of ids that parts say."""
    if not is_name(name):
        raise StorageError(f"{name!r} is no name in a storage: a part of the store says a bad id. Remove that part.")
    return name
