"""What a Ray that is started on this machine needs of it: short paths for its sockets, and folders it may write to."""

import os
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
    return asked and not given and not (Path.home() / ".ray" / "auth_token").exists()


def _unwritable(path: Path) -> str:
    """Why a folder cannot be made or written to; '' where it can."""
    there = next(parent for parent in (path, *path.parents) if os.path.lexists(parent))
    if not there.is_dir():
        return "is not a folder" if there == path else f"needs '{there}' to be a folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else "cannot be written to"
