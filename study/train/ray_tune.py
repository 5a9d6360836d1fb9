"""Ray Tune trains the packs: one `Tuner.fit`, one trial per pack, heartbeats only.

Tune schedules and retries; it is not the database. Trials report how far they are, and curves go to Parquet parts.
"""

import errno
import json
import logging
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import study.train.ray_environment  # noqa: F401 (what Ray reads when it is imported)

# isort: split
import ray
from ray import tune

from study.train import interrupts
from study.train.cluster import Target, trouble_with
from study.train.failed_packs import Split, half_of
from study.train.nodes import resources_of, start
from study.train.pack_searcher import PackSearcher
from study.train.silence import Silence
from study.train.timings import CallTimer
from study.train.worker import Stopped, Work, record_failure, watched
from trainables.errors import SpecError

MAX_RETRIES = 2
"""Times that a pack is tried again after its worker died or raised, from its last checkpoint."""


class Watcher(tune.Callback):
    """Passes heartbeats on. A failed pack comes back in halves, or is recorded as failed."""

    def __init__(
        self,
        searcher: PackSearcher,
        split: Split,
        heard: Callable[[dict[str, Any]], None],
        check_interrupt: Callable[[], None],
    ) -> None:
        self.searcher, self.split, self.heard, self.check_interrupt = searcher, split, heard, check_interrupt
        self.silence = Silence()

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restore that we never use."""
        return {}

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Tune has looked at all trials: every second or more often."""
        self.check_interrupt()
        for trial in self.silence.look():
            # ray 2.60: Tune cannot end a worker that does not answer. It takes this one for dead, and tries again.
            if (actor := trial.temporary_state.ray_actor) is not None:
                ray.kill(actor)

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A worker has got a pack, for the first time or again."""
        self.silence.broken_by(trial)

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A pack has flushed, or has failed in a way that a retry would not change."""
        self.silence.broken_by(trial)
        message = json.loads(result["heartbeat"])
        if "blame" not in message:
            self.heard(message)
        elif message["blame"] == "pack":
            self._failed(trial, message["error"], message["log"])
        else:  # the disk is full for all: packs that train may finish, and the next call goes on
            self.searcher.error = OSError(errno.ENOSPC, message["error"])

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A pack is done. Tune would keep its last result, and with it a copy of all its specs."""
        trial.last_result.pop("config", None)
        self.silence.over(trial)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A pack has used up its retries."""
        self.silence.over(trial)
        self._failed(trial, *_error_of(trial))

    def _failed(self, trial: Any, error: str, log: str) -> None:
        pack, settings = trial.config["pack"], trial.config["settings"]
        status = "failed" if len(pack.run_ids) == 1 else "running"
        try:
            record_failure(pack, settings, trial.trial_id, error, status, log)
            self.searcher.limits.learn(pack, error)
            halves = self.split(pack, half_of(pack))
            if not halves and status == "running":
                record_failure(pack, settings, trial.trial_id, error, log=log)
            self.searcher.again += [(half, settings) for half in halves]
        except (OSError, SpecError, Stopped) as cause:  # the store itself: the next call trains the pack again
            error, halves = f"{error} ({cause})", []
        if not halves:
            self.heard({"pack_id": pack.pack_id, "states": {}, "error": error})


def run_packs(
    next_work: Callable[[], Work | None],
    *,
    scratch: Path,
    target: Target,
    timer: CallTimer,
    most: int,
    split: Split,
    heard: Callable[[dict[str, Any]], None],
    ask_seconds: float = math.inf,
) -> None:
    """Train the packs that `next_work` gives, as many at a time as the target has workers, until it gives none and
    each has finished or failed.

    `heard` gets every heartbeat; `split` gives the pieces of a pack that has failed or is too large. There are never
    more than `most` packs at a time. Without a cluster that was joined, a Ray is started here. Tune's own files, which
    nobody reads, are in the folder `scratch` of this machine meanwhile: one driver works on a store, so what a killed
    one left is removed here. Workers do not look for it, because no checkpoint goes through Tune.
    """

    def trainable(config: dict[str, Any]) -> None:
        def heartbeat(message: dict[str, Any]) -> None:
            tune.report({"heartbeat": json.dumps(message)})

        # A node that came later, or that has lost its mount, would train for nobody.
        if target.marker and (trouble := trouble_with(target.marker, ray.util.get_node_ip_address())):
            raise RuntimeError(trouble)
        watched(config["pack"], config["settings"], tune.get_context().get_trial_id() or "", heartbeat)

    workers = min(target.machine.workers, most)
    searcher = PackSearcher(next_work, split, ask_seconds)
    shutil.rmtree(scratch, ignore_errors=True)
    with ending(target, scratch), interrupts.remembered() as check_interrupt:
        if target.marker is None:
            start(workers, target.machine.device, target.share)
        timer.enter("workers")
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
                progress_reporter=tune.CLIReporter(),  # in a notebook Tune would show an empty table of its own
            ),
        ).fit()
        timer.enter("end")
        if searcher.error is not None:
            raise searcher.error


@contextmanager
def ending(target: Target, scratch: Path) -> Iterator[None]:
    """Leaves no Ray of our own and no file of Tune's, however the block ends. Tune says nothing: the store has the
    errors of packs that failed."""
    logger = logging.getLogger("ray.tune")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
        if target.marker is None:
            ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _error_of(trial: Any) -> tuple[str, str]:
    """The exception itself, and the traceback that Tune keeps of a failed trial."""
    try:
        log = Path(trial.error_file).read_text().strip()
    except (OSError, TypeError):
        log = ""
    return log.splitlines()[-1][:500] if log else "the worker died", log
