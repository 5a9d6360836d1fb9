"""Readers of one process take turns with a writer: each lets go of the file soon, but many together might never."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HOLD_SECONDS = 0.5
"""Who comes when the file has been held for so long waits until all have let go."""
PAUSE_SECONDS = 0.06
"""Then nobody comes in for so long: writers try every 0.02 seconds or more often (`files.patiently`)."""
PATIENCE_SECONDS = 2.0
"""Who has waited for so long comes in all the same: a reader inside may be waiting for what they do."""


class Turns:
    """The readers of one file in this process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers, self._since, self._free_at = 0, 0.0, 0.0
        self._own = threading.local()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the file in the block. A thread that holds it already does not wait for itself."""
        depth = getattr(self._own, "depth", 0)
        if not depth:
            self._come_in()
        self._own.depth = depth + 1
        try:
            yield
        finally:
            self._own.depth = depth
            if not depth:
                self._let_go()

    def _come_in(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._changed:
            while (seconds := min(self._seconds(), deadline - time.monotonic())) > 0:
                self._changed.wait(seconds)
            if not self._readers:
                self._since = time.monotonic()
            self._readers += 1

    def _seconds(self) -> float:
        """How long to wait before asking again; 0 = come in."""
        now = time.monotonic()
        if not self._readers:
            return self._free_at - now
        return PATIENCE_SECONDS if now - self._since > HOLD_SECONDS else 0.0

    def _let_go(self) -> None:
        with self._changed:
            self._readers -= 1
            if not self._readers:
                now = time.monotonic()
                self._free_at = now + PAUSE_SECONDS if now - self._since > HOLD_SECONDS else 0.0
                self._changed.notify_all()
