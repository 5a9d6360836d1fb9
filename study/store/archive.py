"""Many parts in one file: a tar archive below `parts/compacted`, of which `tar xf` makes the same files again.

Its name is the SHA-256 of its bytes. Each part in it has its own digest, too, so that where a disk has damaged an
archive, all parts go in but those that were hit.
"""

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping

from study.store.names import is_name

FOLDER = "compacted"
"""Below `parts`."""


def is_archive(name: str) -> bool:
    """True for the name of an archive below `parts`."""
    return re.fullmatch(rf"{FOLDER}/[0-9a-f]{{64}}\.tar", name) is not None


def archived(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """An archive's name below `parts`, and its bytes, for these files by their names below `parts`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    data = buffer.getvalue()
    return f"{FOLDER}/{hashlib.sha256(data).hexdigest()}.tar", data


def unpacked(name: str, data: bytes) -> tuple[dict[str, bytes], str | None]:
    """The files of an archive, and what is wrong with it, None = nothing.

    Of a damaged one it is what can still be found: whoever reads the parts looks at their own digests.
    """
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", ignore_zeros=True) as tar:  # looks on after a bad header
            for member in tar:
                if member.isreg() and not member.issparse() and is_name(member.name):
                    begin = member.offset_data
                    files[member.name] = data[begin : begin + member.size]
    except Exception:  # tarfile raises many kinds for bytes that are none of its own
        pass
    if hashlib.sha256(data).hexdigest() == name.removeprefix(f"{FOLDER}/").removesuffix(".tar"):
        return files, None
    return files, f"its bytes are not those that were written: {len(files)} parts were still found in it."
