"""Where time goes: a stopwatch that is always within one span."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by span. What is spent within a span inside another one counts there alone."""

    def __init__(self, span: str, clock: Callable[[], float] = time.monotonic, since: float | None = None) -> None:
        """It is within `span`, from `since` on (in seconds of the clock; None = now)."""
        self._seconds: dict[str, float] = {}
        self._clock, self._span = clock, span
        self._at = clock() if since is None else since

    def enter(self, span: str) -> str:
        """Be within this span from now on; the one before."""
        self._count()
        before, self._span = self._span, span
        return before

    @contextmanager
    def within(self, span: str) -> Iterator[None]:
        """Be within this span until the block ends, and then again within the one before."""
        before = self.enter(span)
        try:
            yield
        finally:
            self.enter(before)

    def seconds(self) -> dict[str, float]:
        """Seconds of each span so far, or since the last call of `taken`, in the order in which they were first met."""
        self._count()
        return dict(self._seconds)

    def taken(self) -> dict[str, float]:
        """Seconds of each span since this was last asked."""
        seconds = self.seconds()
        self._seconds.clear()
        return seconds

    def _count(self) -> None:
        now = self._clock()
        self._seconds[self._span] = self._seconds.get(self._span, 0.0) + now - self._at
        self._at = now
