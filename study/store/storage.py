"""Where parts, checkpoints and rungs are: in the store's own folder, or in one place that every node reaches.

Names are paths below that place. Nothing that is read from here is ever executed, and no name leads out of it.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Union
from urllib.parse import unquote

from study.store.folder import Folder

if TYPE_CHECKING:
    from study.store.bucket import Bucket

Storage = Union[Folder, "Bucket"]


def storage_at(place: str | Path) -> Storage:
    """The storage in a folder, or at a URL such as `s3://bucket/prefix` or `file:///mnt/nfs/study`."""
    text = str(place)
    if text.startswith("file://"):
        return Folder(Path(unquote(text.removeprefix("file://"))))
    return _bucket(text) if "://" in text else Folder(Path(text))


@functools.cache
def _bucket(url: str) -> "Bucket":
    """One client for a process: it keeps its connections, and may be used by many threads."""
    from study.store.bucket import Bucket  # starting its libraries takes a moment

    return Bucket(url)
