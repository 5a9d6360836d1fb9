"""Ray Tune trains the packs: one `Tuner.fit`, one trial per pack, heartbeats only.

Tune schedules and retries; it is not the database. Trials report how far they are, and curves go to Parquet parts.
"""

import errno
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from study import interrupts
from study.cluster import Target, trouble_with
from study.nodes import resources_of, start
from study.trial import Work, record_failure

# Read when tune is imported. Its loggers would write every heartbeat twice; its signal handler would wait for trials.
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "1e9")  # snapshots of all trials, for a restore that we never ask for
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")

import ray
from ray import tune
from ray.tune.search import Searcher

from study.halves import Split
from study.trial import watched
from trainables.errors import SpecError

MAX_RETRIES = 2
"""Times that a pack is tried again after its worker died or raised, from its last checkpoint."""


class PackSearcher(Searcher):
    """Hands out packs, one per trial, when a worker is free: what `next_work` gives at that moment.

    None says that there is no pack as things stand: it is asked again when a trial has ended, or after `ask_seconds`,
    and when none is left that could change its mind, all is done.
    """

    def __init__(self, next_work: Callable[[], Work | None], ask_seconds: float = math.inf) -> None:
        super().__init__()
        self.next_work, self.ask_seconds = next_work, ask_seconds
        self.again: list[Work] = []
        """Halves of packs that have failed: they come before all others."""
        self.live: set[str] = set()
        self.ask_at = -math.inf
        self.error: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles it for a restore that we never ask for."""
        return {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackSearcher":
        """There is one line of packs, whoever copies what hands them out."""
        return self

    def suggest(self, trial_id: str) -> Any:
        """The next pack, None for not now, or the word that there is none."""
        asked_in_vain = self.live and time.monotonic() < self.ask_at
        work = None if asked_in_vain else self._next()
        if work is not None:
            self.live.add(trial_id)
            return dict(zip(("pack", "settings"), work, strict=True))
        if not asked_in_vain:
            self.ask_at = time.monotonic() + self.ask_seconds
        return None if self.live else Searcher.FINISHED

    def _next(self) -> Work | None:
        """Tune would report an exception as its own: it is kept for `run_packs`, and what trains is let finish."""
        if self.error is not None:
            return None
        try:
            return self.again.pop(0) if self.again else self.next_work()
        except Exception as error:
            self.error = error
            return None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """What came of it is in the store; here only that there is news."""
        self.live.discard(trial_id)
        self.ask_at = -math.inf

    def save(self, checkpoint_path: str) -> None:
        """Tune's own restore is not used: the store knows what is left to do."""

    def restore(self, checkpoint_path: str) -> None:
        """See `save`."""


class Watcher(tune.Callback):
    """Passes heartbeats on, and sees to packs that have failed: in halves again, or on record as failed."""

    def __init__(
        self,
        searcher: PackSearcher,
        split: Split,
        heard: Callable[[dict[str, Any]], None],
        check_interrupt: Callable[[], None],
    ) -> None:
        self.searcher, self.split, self.heard, self.check_interrupt = searcher, split, heard, check_interrupt

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restore that we never ask for."""
        return {}

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A pack has flushed, or has come to an end that trying again would not change."""
        self.check_interrupt()
        message = json.loads(result["heartbeat"])
        if "blame" not in message:
            self.heard(message)
        elif message["blame"] == "pack":
            self._failed(trial, message["error"])
        else:  # so will all others be: what trains is let finish, and the next call goes on
            self.searcher.error = OSError(errno.ENOSPC, message["error"])

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A pack is done. Tune keeps its last result, and with it a copy of the pack with the specs of all its runs."""
        trial.last_result.pop("config", None)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A pack has failed as often as it may."""
        self._failed(trial, _last_line(trial))

    def _failed(self, trial: Any, error: str) -> None:
        pack, settings = trial.config["pack"], trial.config["settings"]
        status = "failed" if len(pack.run_ids) == 1 else "running"
        try:
            record_failure(pack, settings, trial.trial_id, error, status)
            halves = self.split(pack)
            if not halves and status == "running":
                record_failure(pack, settings, trial.trial_id, error)
            self.searcher.again += [(half, settings) for half in halves]
        except (OSError, SpecError) as cause:  # the store itself: the next call trains the pack again
            error, halves = f"{error} ({cause})", []
        if not halves:
            self.heard({"pack_id": pack.pack_id, "states": {}, "error": error})


def run_packs(
    next_work: Callable[[], Work | None],
    *,
    scratch: Path,
    target: Target,
    most: int,
    split: Split,
    heard: Callable[[dict[str, Any]], None],
    ask_seconds: float = math.inf,
) -> None:
    """Train the packs that `next_work` gives, as many at a time as the target has workers, until it gives none and
    each has finished or failed.

    `heard` gets every heartbeat; `split` gives the halves of a pack that has failed. There are never more than `most`
    packs at a time. Without a cluster that was joined, a Ray is started here. Tune's own files, which nobody reads, are
    in the folder `scratch` of this machine meanwhile: one driver works on a store, so what a killed one left is removed
    here. Workers do not look for it, because no checkpoint goes through Tune.
    """

    def trainable(config: dict[str, Any]) -> None:
        def heartbeat(message: dict[str, Any]) -> None:
            tune.report({"heartbeat": json.dumps(message)})

        # A node that came later, or that has lost its mount, would train for nobody.
        if target.marker and (trouble := trouble_with(target.marker, ray.util.get_node_ip_address())):
            raise RuntimeError(trouble)
        watched(config["pack"], config["settings"], tune.get_context().get_trial_id() or "", heartbeat)

    workers = min(target.machine.workers, most)
    searcher = PackSearcher(next_work, ask_seconds)
    shutil.rmtree(scratch, ignore_errors=True)
    with ending(target, scratch), interrupts.remembered() as check_interrupt:
        if target.marker is None:
            start(workers)
        tune.Tuner(
            tune.with_resources(trainable, resources_of(target.machine.device, target.share)),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                num_samples=-1,
                max_concurrent_trials=workers,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name="study",
                storage_path=str(scratch),
                failure_config=tune.FailureConfig(max_failures=MAX_RETRIES),
                callbacks=[Watcher(searcher, split, heard, check_interrupt)],
                verbose=0,
            ),
        ).fit()
        if searcher.error is not None:
            raise searcher.error


@contextmanager
def ending(target: Target, scratch: Path) -> Iterator[None]:
    """However the block ends, no Ray of our own is left, and no file of Tune's."""
    try:
        yield
    finally:
        if target.marker is None:
            ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _last_line(trial: Any) -> str:
    """The exception itself, from the traceback that Tune keeps of a failed trial."""
    try:
        lines = Path(trial.error_file).read_text().strip().splitlines()
    except (OSError, TypeError):
        return "the worker died"
    return lines[-1][:500] if lines else "the worker died"
