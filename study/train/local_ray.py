"""What a Ray that is started on this machine needs of it: short paths for its sockets, and folders it may write to."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

SOCKET_BYTES = 107
"""Of a socket's path, on Linux."""
SOCKET = "ray/session_2026-01-01_00-00-00_000000_{pid}/sockets/plasma_store"
"""Where Ray 2.60 has the socket with the longest path, in its folder for temporary files."""


def folder() -> Path:
    """Where Ray has its temporary files."""
    return Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp").absolute()


def trouble() -> str:
    """Why no Ray can be started here, with the way out; '' where it can."""
    variable = "RAY_TMPDIR" if os.environ.get("RAY_TMPDIR") else "TMPDIR"
    long = len(os.fsencode(folder() / SOCKET.format(pid=os.getpid()))) - SOCKET_BYTES
    if long > 0:
        return (
            f"{variable} '{folder()}' is too long by {long} bytes for the sockets of Ray. "
            f"Give it a short folder: RAY_TMPDIR=/tmp."
        )
    if reason := _unwritable(folder()):
        return f"{variable} '{folder()}' {reason}, and Ray has its files there. Give it another: RAY_TMPDIR=/tmp."
    if _writes_a_token() and (reason := _unwritable(Path.home() / ".ray")):
        return f"HOME '{Path.home()}' {reason}, and Ray has its token there. Set HOME to a folder of yours: HOME=/tmp."
    return ""


def _writes_a_token() -> bool:
    """True where a local Ray makes itself a token, as it does unless it is given one or told not to."""
    given = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    asked = os.environ.get("RAY_AUTH_MODE", "token").lower() == "token"
    return asked and not given and not token_file().exists()


def token_file() -> Path:
    """The file with the token of Ray: who reads it may run anything as the user whose Ray it is."""
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token").absolute()


def make_token() -> None:
    """Make the token where Ray would, for its user alone: Ray 2.60 lets everybody read the one that it makes."""
    if _writes_a_token():
        token_file().parent.mkdir(parents=True, exist_ok=True)
        with (
            suppress(FileExistsError),  # another one has just been started
            open(token_file(), "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file,
        ):
            file.write(secrets.token_hex(32))


def readers_of_token() -> str:
    """Who else can read the token, with the way out; '' where nobody can."""
    path = token_file()
    for who, read, search in (("its group", 0o040, 0o010), ("everybody", 0o004, 0o001)):
        if path.exists() and _mode(path) & read and all(_mode(parent) & search for parent in path.parents):
            return f"{who} can read '{path}', and run anything as you while a Ray of yours is up: chmod 600 '{path}'."
    return ""


def others_in_folder() -> str:
    """How others may change the files of a Ray here, with the way out; '' where they cannot."""
    mend = "Give Ray a folder of yours, with a short path: mkdir -m 700 /tmp/mine; export RAY_TMPDIR=/tmp/mine."
    if folder().exists() and _mode(folder()) & 0o022 and not _mode(folder()) & stat.S_ISVTX:
        return f"others may replace what is in '{folder()}', where Ray has its files (it has no sticky bit). {mend}"
    sessions = folder() / "ray"
    if sessions.exists() and sessions.stat().st_uid not in (os.getuid(), 0):
        return f"'{sessions}', where Ray has its files, belongs to another user (id {sessions.stat().st_uid}). {mend}"
    return ""


def _mode(path: Path) -> int:
    return path.stat().st_mode


def _unwritable(path: Path) -> str:
    """Why a folder cannot be made or written to; '' where it can."""
    there = next(parent for parent in (path, *path.parents) if os.path.lexists(parent))
    if not there.is_dir():
        return "is not a folder" if there == path else f"needs '{there}' to be a folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else "cannot be written to"
