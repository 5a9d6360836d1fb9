"""How fast studies train, from what their runs had reached at earlier looks at the store."""

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 90
"""The rate is that of so many seconds: packs record every ten or so, and not all at once."""
FEWEST_SECONDS = 15


class Pace:
    """Run-steps per second of each study, from the sums of steps that `heard` is told."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._looks: dict[str, deque[tuple[float, float]]] = {}
        self._first: dict[str, float] = {}
        self._lock = threading.Lock()

    def heard(self, study: str, steps: float) -> float | None:
        """The rate, now that the runs of a study have this many steps in all; None while there is too little to tell
        it from."""
        now = self.clock()
        with self._lock:
            if self._first.setdefault(study, steps) == steps:  # until the first news: what comes before is starting
                return None
            looks = self._looks.setdefault(study, deque())
            looks.append((now, steps))
            while now - looks[0][0] > WINDOW_SECONDS and len(looks) > 2:
                looks.popleft()
            (then, before), (last, after) = looks[0], looks[-1]
        return (after - before) / (last - then) if last - then >= FEWEST_SECONDS and after > before else None
