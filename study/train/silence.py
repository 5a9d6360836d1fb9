"""Workers that say nothing for too long, as the driver hears it.

A worker ends itself when it hangs (`worker.watched`). One that was stopped, or that waits for a disk which has gone,
cannot, and only somebody else can end it.
"""

import time
from typing import Any

MARGIN, MARGIN_SECONDS = 0.1, 10.0
"""A worker that can end itself is given a tenth of `hang_seconds` and this to do so, and to be heard."""
MOST_COUNTED_SECONDS = 5.0
"""Between two looks: where the driver itself was held up, by a search for instance, it has not listened meanwhile."""


class Silence:
    """For how long the worker of each trial has said nothing. What it does before it first says something is silence,
    too, and so is compiling, as to the worker itself."""

    def __init__(self) -> None:
        self.trials: dict[str, Any] = {}
        self.seconds: dict[str, float] = {}
        self.looked_at = time.monotonic()

    def broken_by(self, trial: Any) -> None:
        """A trial has begun, or has said something."""
        self.trials[trial.trial_id], self.seconds[trial.trial_id] = trial, 0.0

    def over(self, trial: Any) -> None:
        """Nothing more is expected of a trial."""
        self.trials.pop(trial.trial_id, None)
        self.seconds.pop(trial.trial_id, None)

    def look(self) -> list[Any]:
        """The trials whose workers have been silent for too long, each once. To be called every second or so."""
        now = time.monotonic()
        passed, self.looked_at = min(now - self.looked_at, MOST_COUNTED_SECONDS), now
        for trial_id in self.seconds:
            self.seconds[trial_id] += passed
        silent = [trial for name, trial in self.trials.items() if self.seconds[name] > patience(trial)]
        for trial in silent:
            self.over(trial)
        return silent


def patience(trial: Any) -> float:
    """Seconds of silence after which a worker does not end itself any more."""
    hang_seconds = trial.config["settings"].hang_seconds
    return hang_seconds + MARGIN * hang_seconds + MARGIN_SECONDS
