"""Many parts in one file: a tar archive below `parts/compacted`, of which `tar xf` makes the same files again.

Its name is the SHA-256 of its bytes. Each part in it has its own digest, too, so that where a disk has damaged an
archive, all parts go in but those that were hit.
"""

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping

FOLDER = "compacted"
"""Below `parts`."""
PART = re.compile(r"(?!plan/|sources/|compacted/)[A-Za-z0-9_][\w.-]{0,99}/[A-Za-z0-9_][\w.-]{0,99}\.parquet", re.ASCII)
"""Names that may be in an archive: those of metrics and probes, as `names.check_name` lets them be."""
MEND = "Restore it, or remove it: what is lost with it is trained again."


def is_archive(name: str) -> bool:
    """True for a name of an archive below `parts`."""
    return re.fullmatch(rf"{FOLDER}/[^/]+\.tar", name) is not None


def archived(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """An archive's name below `parts`, and its bytes, for these files by their names below `parts`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    data = buffer.getvalue()
    return _name_of(data), data


def _name_of(data: bytes) -> str:
    return f"{FOLDER}/{hashlib.sha256(data).hexdigest()}.tar"


def unpacked(name: str, data: bytes) -> tuple[dict[str, bytes], str | None]:
    """The files of an archive, and what is wrong with it, None = nothing.

    Of a damaged one it is what can still be found: whoever reads the parts looks at their own digests.
    """
    files: dict[str, bytes] = {}
    others, trouble = 0, ""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", ignore_zeros=True) as tar:  # looks on after a bad header
            for member in tar:
                if (
                    member.isreg()
                    and not member.issparse()
                    and PART.fullmatch(member.name)
                    and member.name not in files
                ):
                    files[member.name] = data[member.offset_data : member.offset_data + member.size]
                else:
                    others += 1
    except Exception:  # tarfile raises many kinds for bytes that are none of its own
        trouble = "it is no tar archive, or is cut short"
    if name != _name_of(data):
        trouble = "its bytes are not those that were written: they do not fit its name"
    elif others:
        trouble = "it was not written by this package"
    if not trouble:
        return files, None
    held = f"{len(files)} parts" + f" and {others} other things" * bool(others)
    return files, f"{trouble}; {held} were found in it. {MEND}"
