"""Packs are trained through Ray while their parts are brought into the store."""

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from study.cluster import Target
from study.halves import Split
from study.packing import Machine
from study.spec import StudySpec
from study.store import Store
from study.trial import Settings, Work
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.service import Options

INGEST_SECONDS = 2.0


def settings_for(study: StudySpec, store: Store, options: "Options", machine: Machine) -> Settings:
    """How the packs of a study are trained and observed."""
    return Settings(
        place=store.place,
        device=machine.device,
        threads=options.cpus_per_pack,
        compile=options.compile,
        evaluations_per_decade=study.evaluations_per_decade,
        evaluation_examples=study.evaluation_examples,
        leave_when_generalized=study.leave_when_generalized,
        flush_seconds=options.flush_seconds,
        hang_seconds=options.hang_seconds,
        probes=tuple(study.probes),
        probes_per_decade=study.probes_per_decade,
        snapshots_per_decade=study.snapshots_per_decade,
        prune_in=f"rungs/{study.name}" if options.prune else None,
    )


def train_through_ray(
    next_work: Callable[[], Work | None],
    store: Store,
    target: Target,
    *,
    most: int,
    split: Split,
    heard: Callable[[dict[str, Any]], None],
    show: Callable[[], None],
    ask_seconds: float = math.inf,
) -> None:
    """Train what `next_work` gives, see `run_packs`; `show` is called every now and then, and at the end."""
    from study.runner import run_packs  # ray takes seconds to import: only when there is something to train

    done = threading.Event()

    def keep_ingesting() -> None:
        while not done.wait(INGEST_SECONDS):
            # Whoever is in the way of an ingest only delays it; the one at the end says what is wrong, if it still is.
            with suppress(SpecError, OSError):
                store.ingest(timeout=1.0)
            show()

    keeper = threading.Thread(target=keep_ingesting, daemon=True)
    keeper.start()
    try:
        run_packs(
            next_work,
            scratch=store.path / ".tune",
            target=target,
            most=most,
            split=split,
            heard=heard,
            ask_seconds=ask_seconds,
        )
    finally:
        done.set()
        keeper.join()
        store.ingest()
        show()
