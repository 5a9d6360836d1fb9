"""What happens to a pack that cannot be trained, for want of memory for instance: it comes back in halves, until they
can be trained or one run fails alone. Where memory was too small, packs of its shape that wait are cut as well."""

from collections.abc import Callable, Mapping

from study.plan.packing import Machine, PackPlan
from study.plan.plan import PlannedRun, plan_runs
from study.plan.write import write
from study.spec import StudySpec
from study.store.database import Store
from trainables.errors import MEMORY_ERRORS

PATIENCE_SECONDS = 30.0
"""How long a plan waits for those who read the store: a plan made from half of the parts would train runs twice."""
Split = Callable[[PackPlan, int], list[PackPlan]]
"""A function that gives a pack's unfinished runs as packs of at most so many runs."""


class Limits:
    """How many runs a pack of each shape may have, after what has failed for want of memory."""

    def __init__(self) -> None:
        self.most: dict[str, int] = {}

    def learn(self, pack: PackPlan, error: str) -> None:
        """A pack has failed with this error."""
        if MEMORY_ERRORS.search(error):
            self.most[pack.specs[0].pack_key] = half_of(pack)

    def pieces(self, pack: PackPlan, split: Split) -> list[PackPlan]:
        """The pack itself, or packs of its runs that keep to the limit of its shape."""
        most = self.most.get(pack.specs[0].pack_key, len(pack.run_ids))
        return (split(pack, most) if len(pack.run_ids) > most else []) or [pack]


def half_of(pack: PackPlan) -> int:
    """Half of its runs, rounded up; 1 for a run alone."""
    return (len(pack.run_ids) + 1) // 2


def splitter(study: StudySpec, runs: Mapping[str, PlannedRun], store: Store, machine: Machine, pruning: bool) -> Split:
    """A function that gives a pack's unfinished runs as smaller packs, which go on from where it was.

    It gives none for a pack that is small enough, and where a reader keeps the store: then the next call tries the
    whole pack again.
    """

    def split(pack: PackPlan, size: int) -> list[PackPlan]:
        if len(pack.run_ids) <= size or store.ingest(timeout=PATIENCE_SECONDS).busy:
            return []
        plan = plan_runs(study, [runs[r] for r in pack.run_ids], store, machine, size, pruning=pruning)
        write(plan, store)
        return list(plan.packs)

    return split
