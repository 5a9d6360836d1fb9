"""Which process something belongs to, and whether that process is surely dead: only its own machine can tell."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process. Its number alone is given to others later, so its time of start belongs to it."""

    host: str
    pid: int
    started: str
    """In clock ticks after its machine's start; '' where that is not known."""
    table: str
    """The machine since its last start, and the table of processes there: containers of one machine, whose names may be
    the same, have several. '' where that is not known."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @classmethod
    def this(cls) -> "Process":
        """The process that asks."""
        return cls(socket.gethostname(), os.getpid(), _state_and_start(os.getpid())[1], _table())

    def is_dead(self) -> bool:
        """True if it ran on this machine and is there no more; False where nobody here can know."""
        if not self.table or self.table != _table():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # another user's, or no number of a process
            pass
        state, started = _state_and_start(self.pid)
        return state in ("Z", "X") or (started != self.started and bool(started and self.started))


def _state_and_start(pid: int) -> tuple[str, str]:
    """The letter of its state, and its start; '' where that cannot be read."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""


def _table() -> str:
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
