"""Every moment at which a process may die, a disk may be full or the power may fail.

A moment is a call that changes a file, brings one to the disk, or begins or commits a transaction. `faulty` counts them
in this process and lets one of them go wrong. What a power cut leaves is modelled for the files that Python writes:
contents that were not synced, and names in folders that were not synced. DuckDB's own file is DuckDB's business.
"""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from trainables import checkpoint

KINDS = ("before", "after", "full", "old", "dropped", "truncated", "zeros")
"""A kill before or after the call, a full disk instead of it, or a power cut after it: old = names that were not synced
are those of before, dropped = files that were not synced have gone besides, truncated and zeros = they have their names
and half of their bytes, or zeros in the second half."""
ENDED = 9
"""Exit code of a process that was ended by a fault."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the call of this number, from 1."""

    number: int
    kind: str


@dataclass
class Disk:
    """What would not survive a power cut at this moment."""

    contents: set[str] = field(default_factory=set)
    """Paths whose bytes were not synced."""
    names: list[tuple[str, bytes | None]] = field(default_factory=list)
    """Paths whose folder was not synced since they were made, replaced or removed, with what was there before; the
    oldest first."""

    def cut(self, kind: str) -> None:
        """Leave the files as a power cut leaves them."""
        if kind in ("truncated", "zeros"):
            for path in filter(os.path.isfile, self.contents):
                data = Path(path).read_bytes()
                half = len(data) // 2
                Path(path).write_bytes(data[:half] + bytes(len(data) - half) * (kind == "zeros"))
            return
        for path, before in reversed(self.names):
            with suppress(FileNotFoundError):
                os.unlink(path)
            if before is not None:
                Path(path).parent.mkdir(parents=True, exist_ok=True)  # it may have been removed when it was empty
                Path(path).write_bytes(before)
        for path in self.contents if kind == "dropped" else ():
            with suppress(FileNotFoundError):
                os.unlink(path)

    def named(self, path: str) -> None:
        """A name is about to be given, or taken away."""
        before = Path(path).read_bytes() if os.path.isfile(path) else None
        self.names.append((path, before))

    def moved(self, source: str, target: str) -> None:
        """A file has another name now."""
        if source in self.contents:
            self.contents.discard(source)
            self.contents.add(target)
        else:
            self.contents.discard(target)

    def synced(self, path: str) -> None:
        """A file's bytes, or the names in a folder, are on the disk."""
        self.contents.discard(path)
        self.names = [(name, before) for name, before in self.names if os.path.dirname(name) != path]


@contextmanager
def faulty(root: Path, fault: Fault | None = None) -> Iterator[Counter[str]]:
    """Let the fault come true at its moment below `root`; yields the number of moments so far by their names."""
    counts: Counter[str] = Counter()
    disk, real, below = Disk(), _Real(), str(root)

    def moment(name: str, path: str, call: Callable[[], Any], half: Callable[[], Any] = lambda: None) -> Any:
        if not path.startswith(below):
            return call()
        counts[name] += 1
        if fault is None or sum(counts.values()) != fault.number:
            return call()
        if fault.kind == "before":
            os._exit(ENDED)
        if fault.kind == "full":
            half()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        call()
        with patch.multiple(os, replace=real.replace, unlink=real.unlink), _plain_writes(real):
            disk.cut(fault.kind) if fault.kind != "after" else None
        os._exit(ENDED)

    def write(path: Path, data: bytes) -> int:
        def whole() -> int:
            disk.contents.add(str(path))
            return real.write_bytes(path, data)

        return moment("write", str(path), whole, lambda: real.write_bytes(path, data[: len(data) // 2]))

    def save_file(tensors: Any, path: Any, metadata: Any = None) -> None:
        def whole() -> None:
            disk.contents.add(str(path))
            real.save_file(tensors, path, metadata)

        moment("write", str(path), whole, lambda: real.write_bytes(Path(path), b"half"))

    def move(name: str, call: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def moving(source: Any, target: Any) -> None:
            def whole() -> None:
                disk.named(str(target))
                call(source, target)
                disk.moved(str(source), str(target))

            moment(name, str(target), whole)

        return moving

    def unlink(path: Any, **options: Any) -> None:
        def whole() -> None:
            disk.named(str(path))
            real.unlink(path, **options)

        moment("delete", str(path), whole)

    def mkdir(path: Any, *rest: Any, **options: Any) -> None:
        moment("folder", str(path), lambda: real.mkdir(path, *rest, **options))

    def fsync(handle: int) -> None:
        path = os.readlink(f"/proc/self/fd/{handle}")

        def whole() -> None:
            real.fsync(handle)
            disk.synced(path)

        moment("sync", path, whole)

    def execute(connection: duckdb.DuckDBPyConnection, text: Any, *rest: Any) -> Any:
        run = lambda: real.execute(connection, text, *rest)  # noqa: E731 - it is handed on
        name = text.strip().lower() if isinstance(text, str) else ""
        return moment(name, below, run) if name in ("begin", "commit", "checkpoint") else run()

    patches = patch.multiple(
        os, replace=move("rename", real.replace), link=move("link", real.link), unlink=unlink, mkdir=mkdir, fsync=fsync
    )
    writes = patch.object(Path, "write_bytes", write), patch.object(checkpoint, "save_file", save_file)
    with patches, writes[0], writes[1], patch.object(duckdb.DuckDBPyConnection, "execute", execute):
        yield counts


class _Real:
    """The calls as they are."""

    def __init__(self) -> None:
        self.replace, self.link, self.unlink, self.mkdir, self.fsync = (
            os.replace, os.link, os.unlink, os.mkdir, os.fsync,
        )  # fmt: skip
        self.write_bytes, self.save_file = Path.write_bytes, checkpoint.save_file
        self.execute = duckdb.DuckDBPyConnection.execute


def _plain_writes(real: _Real) -> Any:
    return patch.object(Path, "write_bytes", real.write_bytes)
