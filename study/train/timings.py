"""Where the seconds of a call that trains go: those of its own process, and those of the workers that train packs."""

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from study.store.database import Store
from trainables.stopwatch import Stopwatch

SPANS = {
    "start": "Python starts and imports",
    "plan": "what is missing is planned",
    "ray": "Ray starts",
    "workers": "until the first worker has its pack",
    "packs": "until the last pack is done",
    "end": "the store has all of it, and Ray ends",
}
"""What this process does, or waits for; one after the other."""
OF_PACKS = {
    "prepare": "models, data, imports",
    "compile": "steps are compiled, or another worker compiles them",
    "train": "steps",
    "evaluate": "evaluations and probes",
    "save": "results and checkpoints are written, but for each pack's last",
    "idle": "a worker has no pack, or ends one",
}
"""What workers do while packs train."""

IN_PACKS = """
    select
        coalesce(sum(wall_seconds), 0), coalesce(sum(prepare_seconds), 0), coalesce(sum(compile_seconds), 0),
        coalesce(sum(evaluate_seconds), 0), coalesce(sum(save_seconds), 0),
    from attempts semi join (select distinct run_id from study_runs where study = ?) using (run_id)
    where started_at >= ?"""

TELLING_SECONDS = 30.0
"""A call for which less was guessed says little: most of it is starting."""
LAST_CALLS = 5
"""So many of them count: a machine may be busy today."""
MOST_SLOWER = 5.0
"""A guess is changed by no more than this factor."""
PAST = """
    select case when count(*) > 1 then median(seconds / estimated) end from (
        select sum(seconds) as seconds, any_value(estimated) as estimated from timings
        where host = ? and device = ? and estimated >= ? group by study, began_at order by began_at desc limit ?
    )"""


@dataclass(frozen=True)
class Timings:
    """Seconds by the names of SPANS and OF_PACKS; those of packs are sums over all workers."""

    workers: int
    spans: Mapping[str, float]
    in_packs: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """For programs, in seconds."""
        return {"workers": self.workers, "spans": dict(self.spans), "in_packs": dict(self.in_packs)}

    def __str__(self) -> str:
        lines = [f"time: {sum(self.spans.values()):.1f} s"]
        for span, seconds in self.spans.items():
            lines.append(f"  {span:10}{seconds:8.1f}  {SPANS[span]}")
            if span == "packs":
                lines.append(f"    of {self.workers} workers together:")
                lines += [f"    {name:8}{n:8.1f}  {OF_PACKS[name]}" for name, n in self.in_packs.items()]
        return "\n".join(lines)


class CallTimer(Stopwatch):
    """The stopwatch of a call that trains."""

    def __init__(self, since: float | None = None) -> None:
        """It began at `since`, in seconds of the monotonic clock; None = now."""
        super().__init__("start", since=since)
        ago = 0.0 if since is None else time.monotonic() - since
        self.began_at = datetime.now(UTC) - timedelta(seconds=ago)
        self.workers = 0


def process_start() -> float:
    """When this process began, in seconds of the monotonic clock; now, where the system does not tell."""
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic()


def about(timer: CallTimer, study: str, device: str, estimated: float | None) -> dict[str, Any]:
    """What the store keeps of a call beside its spans; `estimated` are the seconds that its plan had guessed."""
    return {
        "study": study,
        "began_at": timer.began_at.isoformat(),
        "host": platform.node(),
        "device": device,
        "workers": timer.workers,
        "estimated": estimated,
    }


def slowness(store: Store | None, device: str) -> float:
    """How many times as long as their plans had guessed the last calls on this machine took, the median of LAST_CALLS;
    1 where the store has fewer than two that say anything. At most MOST_SLOWER, or as much less."""
    if store is None:
        return 1.0
    [(factor,)] = store.sql(PAST, [platform.node(), device, TELLING_SECONDS, LAST_CALLS]).fetchall()
    return min(max(factor or 1.0, 1 / MOST_SLOWER), MOST_SLOWER)


def timings_of(timer: CallTimer, store: Store, study: str) -> Timings:
    """Where the time of a call went, with that of the packs that it has trained."""
    spans = timer.seconds()
    began_at = timer.began_at.replace(tzinfo=None)
    [(wall, prepared, *found)] = store.sql(IN_PACKS, [study, began_at]).fetchall()
    seconds: dict[str, float] = dict(zip(("compile", "evaluate", "save"), found, strict=True))
    seconds |= {"prepare": prepared, "train": wall - sum(found)}
    seconds["idle"] = max(0.0, timer.workers * spans.get("packs", 0.0) - prepared - wall)
    return Timings(timer.workers, spans, {name: seconds[name] for name in OF_PACKS})
