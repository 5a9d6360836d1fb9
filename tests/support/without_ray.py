"""The whole service in this process: plan, worker, recorder and ingest as they are, and a loop in place of Ray."""

import errno
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from study.spec import StudySpec
from study.store import compaction
from study.store.database import Store
from study.train import service
from study.train.options import Options
from study.train.worker import Work, watched

OPTIONS = Options(device="cpu", compile="off", address="local", pack_size=4, flush_seconds=0)


def run_packs(
    next_work: Callable[[], Work | None],
    *,
    scratch: Path,
    target: Any,
    timer: Any,
    most: int,
    split: Any,
    heard: Callable[[dict[str, Any]], None],
    ask_seconds: float = math.inf,
) -> None:
    """`study.train.ray_tune.run_packs` for one pack after the other, in this process."""

    def heartbeat(message: dict[str, Any]) -> None:
        if message.get("blame") == "disk":
            raise OSError(errno.ENOSPC, message["error"])
        assert "blame" not in message, message
        heard(message)

    timer.enter("workers")
    while (work := next_work()) is not None:
        watched(*work, "trial", heartbeat)
    timer.enter("end")


@contextmanager
def without_ray() -> Iterator[None]:
    """The loop in place of Ray."""
    name = "study.train.ray_tune"
    real, loop = sys.modules.get(name), ModuleType(name)
    loop.run_packs = run_packs  # type: ignore[attr-defined]
    sys.modules[name] = loop
    try:
        yield
    finally:  # of this one alone: patch.dict would forget all that was imported meanwhile, and torch can only come once
        del sys.modules[name]
        if real is not None:
            sys.modules[name] = real


def run_and_extend(study: StudySpec, folder: Path, least_parts: int = 2) -> None:
    """What two commands do: train the study to its horizon, then to twice that. Even few parts become archives."""
    with without_ray(), patch.object(compaction, "LEAST_PARTS", least_parts):
        store = Store.open(folder, write=True)
        service.run(study, store, OPTIONS, lambda said: None)
        service.run(study.with_(horizon=2 * study.horizon), store, OPTIONS, lambda said: None)
