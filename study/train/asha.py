"""Opt-in pruning: asynchronous successive halving among all runs of a study, whatever packs they are in.

At each rung, a quarter, a sixteenth and a sixty-fourth of the horizon, a run goes on only if its test accuracy is among
the best quarter of those that have come to the rung so far. Grokking is late: a pruned run may have been about
to generalize. So it has no phase, and a call without pruning continues it from its checkpoint.

source: Li et al. 2020, arXiv 1810.05934, algorithm 2, with a run's place on a rung settled once, as it comes there.
"""

import json
import math

from study.store.storage import Storage
from trainables.schedule import evaluation_steps

PRUNERS = ("asha",)
REDUCTION = 4
"""One run in so many goes on, and each rung is at so many times the step of the rung before it."""
RUNGS = 3


class Asha:
    """Chooses who leaves at a rung; called at every evaluation. All packs of a study share `folder` of the storage."""

    def __init__(self, storage: Storage, folder: str, pack_id: str, horizon: int, per_decade: int) -> None:
        self.storage, self.folder, self.pack_id = storage, folder, pack_id
        steps = evaluation_steps(horizon, per_decade)
        heights = [horizon / REDUCTION**level for level in range(1, RUNGS + 1)]
        self.rungs = {next(step for step in steps if step >= height) for height in heights}

    def __call__(self, step: int, accuracy: dict[str, float]) -> set[str]:
        """The runs, of those with these test accuracies, that end at this step; none where there is no rung."""
        if step not in self.rungs or not accuracy:
            return set()
        rung = f"{self.folder}/{step}"
        own = {run_id: value if math.isfinite(value) else 0.0 for run_id, value in accuracy.items()}
        self.storage.write(f"{rung}/{self.pack_id}.json", json.dumps(own).encode())
        known: dict[str, float] = {}
        for name in sorted(name for name in self.storage.names(rung) if name.endswith(".json")):
            known |= _read(self.storage, name)
        known |= own
        best = sorted(known.values(), reverse=True)[: max(1, len(known) // REDUCTION)]
        return {run_id for run_id, value in own.items() if value < best[-1]}


def _read(storage: Storage, name: str) -> dict[str, float]:
    """Another pack's accuracies; none from a file that is torn."""
    try:
        return {str(run_id): float(value) for run_id, value in json.loads(storage.read(name)).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
