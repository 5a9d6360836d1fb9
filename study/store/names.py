"""Names of files and objects. Some are made of ids that a part says: none may lead out of the storage."""

import re

from study.store.errors import StorageError
from trainables.errors import SpecError


def check_name(what: str, name: str) -> None:
    """SpecError for a name that is no plain file name, such as `../x`."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name):
        raise SpecError(
            f"{what} {name[:200]!r} is not a file name: use letters, digits, '_', '-' and '.'; at most 100."
        )


def is_name(path: str) -> bool:
    """True for a path that stays below where it begins, and is no draft."""
    parts = path.split("/")
    return not ({"", ".", ".."} & {*parts} or "\\" in path or "\0" in path or parts[-1].startswith("."))


def checked(path: str) -> str:
    """The path itself; StorageError for one that leads elsewhere."""
    if not is_name(path):
        raise StorageError(f"{path!r} is no name in a storage: a part of the store says a bad id. Remove that part.")
    return path
