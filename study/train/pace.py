"""How fast a study trains and when it will be done, from the heartbeats of its packs.

A pack's first steps say little: compiling comes before them, and evaluations are dense among them. So a speed counts
from the first heartbeat that knows a step, and an end is told only from speeds that have become steady.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean

WINDOW_SECONDS = 60.0
"""Speeds are those of the last minute."""
STEADY_SECONDS = 20.0
"""An end is told from the speeds of so long, at least: two heartbeats of each pack."""
STEADY_FACTOR = 1.5
"""The two halves of that time may differ by this factor."""

FIRST_SHARE, FIRST_STEPS = 0.1, 5000
"""Of its steps, and at most so many: before, evaluations are dense, and a pack's speed says little of what follows."""
MOST_PACKS = 1000
"""So many waiting packs are shared out between the workers one by one, more of them evenly."""

Samples = deque[tuple[float, int]]
"""Times and the steps that were done by then."""


@dataclass
class Training:
    """A pack that trains: what it is, and what was heard of it."""

    begun: float
    start: int
    flops: float
    """Of all its steps from `start` on."""
    stepped: bool = False
    samples: Samples = field(default_factory=deque)
    """From the first heartbeat on that knows a step among the later ones."""


class Pace:
    """Speeds of the whole study and of each pack that trains; times are those of the caller's clock."""

    def __init__(self) -> None:
        self.whole: Samples = deque()
        """Run-steps trained in this call."""
        self.packs: dict[str, Training] = {}
        self.workers = 0
        """Most packs that have trained at the same time."""
        self.starts: deque[float] = deque(maxlen=8)
        """Seconds that the last packs took until their first steps were heard, compiling included."""
        self.costs: deque[float] = deque(maxlen=8)
        """Seconds per operation of the last packs that are done, their starts included."""

    def heard(
        self,
        now: float,
        trained: int,
        pack_id: str,
        steps: int | None,
        horizon: int,
        start: int = 0,
        flops: float = 1.0,
    ) -> None:
        """A heartbeat: run-steps trained by now in this call, and steps of its pack, which began at `start` and has so
        many operations to do; None where it is done."""
        if trained > 0:
            _add(self.whole, now, trained)
        if steps is None:
            done = self.packs.pop(pack_id, None)
            if done is not None and now > done.begun:
                self.costs.append((now - done.begun) / done.flops)
            return
        pack = self.packs.setdefault(pack_id, Training(now, start, flops))
        self.workers = max(self.workers, len(self.packs))
        if steps > start and not pack.stepped:
            pack.stepped = True
            self.starts.append(now - pack.begun)
        if steps > start and (pack.samples or steps - start >= min(FIRST_SHARE * (horizon - start), FIRST_STEPS)):
            _add(pack.samples, now, steps)

    def failed(self, pack_id: str) -> None:
        """It trains no more, and says nothing of others."""
        self.packs.pop(pack_id, None)

    def rate(self) -> float | None:
        """Run-steps per second; None while there is nothing to tell."""
        return _speed(self.whole)

    def seconds_left(self, now: float, horizon: int, waiting: Sequence[float] = (), unasked: int = 0) -> float | None:
        """Until the packs that train now are done, those that wait (their operations), and `unasked` run-steps that are
        in no pack yet: each worker takes the next pack when it is free. At most 0 where that has passed, None while no
        speed is steady."""
        left = {pack_id: _end(pack, horizon) for pack_id, pack in self.packs.items()}
        start = mean(self.starts or [0.0])
        costs = [*self.costs]
        for pack_id, seconds in left.items():
            if seconds is not None:
                pack, (heard_at, steps) = self.packs[pack_id], self.packs[pack_id].samples[-1]
                whole = (seconds - heard_at) * (horizon - pack.start) / max(1, horizon - steps)
                costs.append((start + whole) / pack.flops)
        if not costs or (unasked and not self.rate()):
            return None
        cost = mean(costs)
        ends = [left[name] or pack.begun + cost * pack.flops for name, pack in self.packs.items()]
        ends += [now] * max(self.workers - len(ends), not ends)  # workers that are free at the moment
        if len(waiting) > MOST_PACKS:
            return max(sum(ends) / len(ends) + cost * sum(waiting) / len(ends), max(ends)) - now
        heapq.heapify(ends)
        for flops in waiting:
            heapq.heapreplace(ends, max(ends[0], now) + cost * flops)
        return max(ends) - now + (unasked / (self.rate() or 1.0))


def _end(pack: Training, horizon: int) -> float | None:
    """When a pack will be done, by its own speed; None where that is not steady."""
    speed = _steady(pack.samples)
    return None if speed is None else pack.samples[-1][0] + (horizon - pack.samples[-1][1]) / speed


def _add(samples: Samples, now: float, steps: int) -> None:
    samples.append((now, steps))
    while len(samples) > 2 and samples[1][0] <= now - WINDOW_SECONDS:
        samples.popleft()


def _speed(samples: Samples) -> float | None:
    """Steps per second over the window; None where there is no progress in it."""
    return _between(samples[0], samples[-1]) if len(samples) > 1 else None


def _steady(samples: Samples) -> float | None:
    """Steps per second of the last STEADY_SECONDS or three heartbeats, if both halves of that time agree; else None."""
    if len(samples) < 3 or samples[-1][0] - samples[0][0] < STEADY_SECONDS:
        return None
    end = samples[-1][0]
    begin = max(
        i for i, (time, _) in enumerate(samples) if (i <= len(samples) - 3 and time <= end - STEADY_SECONDS) or i == 0
    )
    recent = list(samples)[begin:]
    # The later of two at one time: one moment's heartbeats belong together.
    middle = min(recent[-2:0:-1], key=lambda sample: abs(2 * sample[0] - recent[0][0] - end))
    first, second = _between(recent[0], middle), _between(middle, recent[-1])
    if first is None or second is None or max(first, second) > STEADY_FACTOR * min(first, second):
        return None
    return _between(recent[0], recent[-1])


def _between(first: tuple[float, int], last: tuple[float, int]) -> float | None:
    (begin, before), (end, after) = first, last
    return (after - before) / (end - begin) if end > begin and after > before else None
