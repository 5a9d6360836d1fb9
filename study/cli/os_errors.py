"""What the system refuses, in one line: the path, why, and the way out."""

import errno
import re
from pathlib import Path

MENDS = {
    errno.EACCES: "Look at its permissions and those of its folder, or give another place (--store, --out).",
    errno.EPERM: "Look at its permissions and those of its folder, or give another place (--store, --out).",
    errno.EROFS: "Give another place, which can be written to.",
    errno.EISDIR: "It is a folder: give the name of a file.",
    errno.ENOTDIR: "What is above it is a file: give another place.",
    errno.EEXIST: "Move away what is there, or give another place.",
    errno.ENOENT: "Look at how it is spelled, or make its folder first.",
    errno.ENAMETOOLONG: "Give a shorter one.",
    errno.EMFILE: "Allow more open files: ulimit -n 4096.",
}
FULL = (errno.ENOSPC, errno.EDQUOT)
PROGRAM = Path(__file__).resolve().parents[2]


def as_a_line(error: OSError) -> str | None:
    """What to say of an error; None where it is not about something of the user's: then it is a bug of ours."""
    if error.errno in FULL:
        return f"the disk is full ({error}). What is written is safe: free some space, and call it again."
    if not isinstance(error.filename, str | bytes) or not error.filename or not error.strerror:
        return None
    path = Path(error.filename if isinstance(error.filename, str) else error.filename.decode(errors="replace"))
    if any(path.resolve().is_relative_to(PROGRAM / package) for package in ("analysis", "study", "trainables")):
        return None
    # A file is written under a hidden name first, which nobody has given.
    path = path.with_name(re.sub(r"^\.(.+)\.\d+\.tmp$", r"\1", path.name))
    return f"'{path}': {error.strerror}. {MENDS.get(error.errno or 0, 'Mend that, or give another place.')}"
