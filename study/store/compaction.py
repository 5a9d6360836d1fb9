"""Thousands of small parts become few files: archives that hold them byte for byte.

Only a driver does so, and while none of its packs is handed out. At any moment each part is in a file of its own, in an
archive that is safe and was read back, or in both: whoever reads both takes it once.
"""

import errno
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from study.store.archive import archived
from study.store.errors import StorageError
from study.store.part_file import MAX_ROWS, intact
from study.store.storage import Storage

LEAST_PARTS = 256
"""Fewer are left as they are."""
MAX_PARTS = 4096
MAX_BYTES = 1 << 26
"""Of one archive, which is read at once, and gives one transaction."""
SMALL = 8
"""A part that takes more than an eighth of an archive is large enough by itself."""
THREADS = 16

Sizes = Mapping[str, tuple[int, int]]
"""Rows and bytes of parts, by name."""


def compact(storage: Storage, sizes: Sizes, check: Callable[[], None]) -> int:
    """Put small parts into archives, where there are enough of them, and return how many.

    `sizes` are of the parts that may go in: those that the database has. `check` raises where another driver has taken
    over. A part whose bytes are no longer those that were written stays where it is. Raises OSError when the disk is
    full, or does not give back what was written; nothing is removed then.
    """
    names = (name.removeprefix("parts/") for name in storage.names("parts"))
    moved = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for group in _groups(sorted(name for name in names if _is_small(sizes.get(name))), sizes):
            read = pool.map(lambda name: _whole(storage, name, sizes[name][1]), group)
            files = {own: data for own, data in zip(group, read, strict=True) if data}
            if not files:
                continue
            _write(storage, *archived(files))
            check()
            list(pool.map(lambda own: storage.delete(f"parts/{own}"), files))
            for folder in {own.rpartition("/")[0] for own in files}:
                storage.delete_folder(f"parts/{folder}")
            moved += len(files)
    return moved


def _is_small(size: tuple[int, int] | None) -> bool:
    return size is not None and size[0] <= MAX_ROWS // SMALL and size[1] <= MAX_BYTES // SMALL


def _groups(names: list[str], sizes: Sizes) -> Iterator[list[str]]:
    """Names for one archive each. The last ones are left where they are few."""
    group: list[str] = []
    rows = size = 0
    for name in names:
        rows, size = rows + sizes[name][0], size + sizes[name][1]
        if group and (rows > MAX_ROWS or size > MAX_BYTES or len(group) == MAX_PARTS):
            yield group
            group, (rows, size) = [], sizes[name]
        group.append(name)
    if len(group) >= LEAST_PARTS:
        yield group


def _whole(storage: Storage, name: str, size: int) -> bytes | None:
    """The bytes of a part as they were written, else None: no fault of one part keeps others from becoming few."""
    try:
        data = storage.read(f"parts/{name}")
        return data if len(data) == size and intact(data) else None
    except StorageError:  # a bucket that does not answer
        raise
    except OSError:
        return None


def _write(storage: Storage, name: str, data: bytes) -> None:
    """Write an archive and see that it can be read."""
    path = f"parts/{name}"
    try:
        storage.create(path, data)
    except FileExistsError:  # whoever made it was killed before it had removed all parts
        if storage.read(path) != data:  # and it has rotted since
            storage.write(path, data)
    if storage.read(path) != data:
        storage.delete(path)
        raise OSError(errno.EIO, "the disk gives back other bytes than were written", f"{storage}/{path}")
