"""Files below a folder: the store's own, or a mounted one that every node reaches.

Names are paths below it, as in `parts/plan/x.parquet`. A file appears whole or not at all.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from study.store.errors import StorageError
from study.store.files import atomic, remove_drafts, sync
from study.store.names import checked


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
        now = self._path(name).stat()
        return now.st_size, now.st_mtime_ns

    def read(self, name: str) -> bytes:
        """The bytes of a file; FileNotFoundError where there is none, as in all that follow, and OSError for what is no
        regular file: reading a FIFO would wait forever."""
        with self.open(name) as file:
            return file.read()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file to read parts of."""
        path = self._path(name)
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(f"'{path}' is no regular file: remove it, or put it elsewhere.")
            yield file

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path]:
        """A path with the content of a file, for the time of the block. It must not be written to."""
        yield self._path(name)

    def write(self, name: str, data: bytes) -> None:
        """Make a file, durably, or replace it; OSError if it cannot be written, and then nothing has changed."""
        with atomic(self._path(name)) as draft:
            draft.write_bytes(data)

    def create(self, name: str, data: bytes) -> None:
        """Make a file, durably; FileExistsError if there is one, whoever has made it at the same time."""
        with atomic(self._path(name), replace=False) as draft:
            draft.write_bytes(data)

    @contextmanager
    def drafted(self, name: str) -> Iterator[Path]:
        """A path to write a file to, which is made, durably, or replaced when the block ends well; see `write`."""
        with atomic(self._path(name)) as draft:
            yield draft

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def remove_drafts(self, below: str) -> None:
        """Remove what killed processes have left below a name, a day after they began to write it."""
        remove_drafts(self._path(below))

    def delete_folder(self, name: str) -> None:
        """Remove a folder, if it is there and nothing is in it."""
        with suppress(OSError):
            self._path(name).rmdir()

    def rename(self, name: str, new_name: str) -> None:
        """Give a file another name."""
        os.replace(self._path(name), self._path(new_name))
        sync(self._path(name).parent)
        sync(self._path(new_name).parent)

    def check(self) -> None:
        """Nothing to do: reading a folder raises an error that names it."""

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
