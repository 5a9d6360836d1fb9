"""Packs are trained through Ray while their parts are brought into the store."""

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from study.plan.packing import Machine
from study.sources import Sources
from study.spec import StudySpec
from study.store.database import Store
from study.store.lease import Lease
from study.train.cluster import Target
from study.train.failed_packs import Split
from study.train.options import Options
from study.train.timings import CallTimer
from study.train.worker import Settings, Work
from trainables.errors import SpecError

INGEST_SECONDS = 2.0


def settings_for(study: StudySpec, store: Store, options: Options, machine: Machine, sources: Sources) -> Settings:
    """How the packs of a study are trained and observed."""
    return Settings(
        place=store.place,
        device=machine.device,
        threads=options.cpus_per_pack,
        compile=options.compile,
        observe=study.observation,
        flush_seconds=options.flush_seconds,
        hang_seconds=options.hang_seconds,
        prune_in=f"rungs/{study.name}" if options.prune else None,
        sources=sources,
    )


def train_through_ray(
    next_work: Callable[[], Work | None],
    store: Store,
    target: Target,
    *,
    lease: Lease,
    timer: CallTimer,
    most: int,
    split: Split,
    heard: Callable[[dict[str, Any]], None],
    show: Callable[[bool], None],
    ask_seconds: float = math.inf,
) -> None:
    """Train what `next_work` gives, see `run_packs`, as long as the lease is held: SpecError when another driver has
    taken over. `show` is called every now and then, and with True at the end, when the store has all of it."""
    timer.enter("ray")
    timer.workers = min(target.machine.workers, most)
    from study.train.ray_tune import run_packs  # ray takes seconds to import: only when there is something to train

    def next_while_held() -> Work | None:
        lease.check()
        work = next_work()
        return work and (work[0], replace(work[1], claim=lease.claim))

    done = threading.Event()

    def keep_ingesting() -> None:
        while not done.wait(INGEST_SECONDS):
            # A reader in the way only delays an ingest. The last ingest raises what is still wrong.
            with suppress(SpecError, OSError):
                store.ingest(timeout=1.0)
            show(False)

    keeper = threading.Thread(target=keep_ingesting, daemon=True)
    keeper.start()
    try:
        run_packs(
            next_while_held,
            scratch=store.path / ".tune",
            target=target,
            timer=timer,
            most=most,
            split=split,
            heard=heard,
            ask_seconds=ask_seconds,
        )
    finally:
        done.set()
        keeper.join()
        store.ingest()
        show(True)
