"""What becomes of a pack that cannot be trained: it comes back in halves, until it can, or a run fails alone."""

from collections.abc import Callable, Mapping

from study.packing import Machine, PackPlan
from study.plan import PlannedRun, plan_runs, write
from study.spec import StudySpec
from study.store import Store

PATIENCE_SECONDS = 30.0
"""How long a plan waits for those who read the store: a plan from half of what is on disk trains runs twice."""
Split = Callable[[PackPlan], list[PackPlan]]


def splitter(study: StudySpec, runs: Mapping[str, PlannedRun], store: Store, machine: Machine, pruning: bool) -> Split:
    """A function that gives a failed pack's unfinished runs as two smaller packs, which go on from where it was.

    It gives none for a run alone, and where a reader keeps the store: then the next call tries the whole pack again.
    """

    def split(pack: PackPlan) -> list[PackPlan]:
        if len(pack.run_ids) == 1 or store.ingest(timeout=PATIENCE_SECONDS).busy:
            return []
        size = (len(pack.run_ids) + 1) // 2
        plan = plan_runs(study, [runs[r] for r in pack.run_ids], store, machine, size, pruning=pruning)
        write(plan, store)
        return list(plan.packs)

    return split
