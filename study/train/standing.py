"""How far a study is at one moment: what a line of progress says, whatever room it has."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from study.train.durations import duration

QUIET_SECONDS = 60.0
"""After so long without a heartbeat the line says so, where the estimated end has passed."""


@dataclass(frozen=True)
class Standing:
    """Numbers of one study while it trains. As text it is a line for a log."""

    study: str
    finished: int
    total: int
    """Runs, those of earlier calls and those that a search will still ask for included."""
    share: float
    """Of the steps of all runs, in [0, 1]."""
    elapsed: float
    """Seconds of this call."""
    started: bool = True
    """False until a worker has begun to train."""
    rate: float | None = None
    """Run-steps per second; None before two heartbeats."""
    seconds_left: float | None = None
    """Estimated; 0 or less where the estimated end has passed, None where there is no estimate."""
    quiet: float = 0.0
    """Seconds since the last heartbeat."""
    failed: int = 0
    """Packs that have failed in this call."""
    phases: Mapping[str, int] = field(default_factory=dict)
    """Runs by phase so far, the most frequent first."""
    compiling: int = 0
    """Packs that have begun, of which no step was heard, and whose steps are compiled first."""

    @property
    def percent(self) -> str:
        """The share, rounded down: 100% is the end."""
        return f"{math.floor(100 * self.share + 1e-9)}%"

    @property
    def left(self) -> str:
        """When it will be done, or why that is not known."""
        if not self.started:
            return "starting workers"
        if self.finished >= self.total:
            return "done"
        if self.seconds_left is None:
            return "compiling" if self.compiling else "estimating"
        if self.seconds_left > 0:
            more = f", {self.compiling} compiling" if self.compiling else ""
            return f"{duration(max(1.0, self.seconds_left))} left{more}"
        return f"quiet for {duration(self.quiet)}" if self.quiet > QUIET_SECONDS else "any moment"

    @property
    def failures(self) -> str:
        """How many packs have failed; '' for none."""
        return f"{self.failed:,} pack{'s' * (self.failed > 1)} failed" if self.failed else ""

    def __str__(self) -> str:
        parts = [
            f"{self.study}: {self.finished}/{self.total} runs",
            f"{self.percent} of the steps",
            ", ".join(f"{runs} {phase}" for phase, runs in self.phases.items()),
            duration(self.elapsed),
            f"{self.rate:,.0f} run-steps/s" if self.rate is not None else "",
            self.left,
            self.failures,
        ]
        return " - ".join(part for part in parts if part)
