"""Ray Tune trains the packs: one `Tuner.fit`, one trial per pack, heartbeats only. The only file that imports Ray.

Tune schedules and retries; it is not the database. Trials report how far they are, and curves go to Parquet parts.
"""

import json
import logging
import os
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Read when ray is imported. Tune's loggers would write every heartbeat twice; its signal handler would wait for trials.
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_DEDUP_LOGS", "0")

import ray
import ray._private.worker as ray_worker
from ray import tune
from ray._private.services import canonicalize_bootstrap_address  # ray 2.60: there is no public way to ask
from ray.tune.search import Searcher

from study.packing import PackPlan
from study.trial import Settings, record_failure, train
from trainables.errors import SpecError

CONNECT_SECONDS = 5.0
OBJECT_STORE_BYTES = 150_000_000
"""We pass specs through Ray, not data: its shared memory stays small."""
MAX_RETRIES = 2
"""Times that a pack is tried again after its worker died or raised, from its last checkpoint."""


class PackSearcher(Searcher):
    """Hands out packs, one per trial, in the order of the plan."""

    def __init__(self, pack_ids: Sequence[str]) -> None:
        super().__init__()
        self.waiting = list(pack_ids)

    def suggest(self, trial_id: str) -> Any:
        """The next pack, or the word that there is none."""
        return {"pack_id": self.waiting.pop(0)} if self.waiting else Searcher.FINISHED

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing to learn: a plan is settled before it runs."""

    def save(self, checkpoint_path: str) -> None:
        """Tune's own restore is not used: the store knows what is left to do."""

    def restore(self, checkpoint_path: str) -> None:
        """See `save`."""


class Watcher(tune.Callback):
    """Passes heartbeats on, and writes a pack's failure into the store."""

    def __init__(self, packs: dict[str, PackPlan], settings: Settings, heard: Callable[[dict[str, Any]], None]) -> None:
        self.packs, self.settings, self.heard = packs, settings, heard

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restore that we never ask for."""
        return {}

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A pack has flushed."""
        self.heard(json.loads(result["heartbeat"]))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A pack has failed for good."""
        pack = self.packs[trial.config["pack_id"]]
        error = _last_line(trial)
        try:
            record_failure(pack, self.settings, trial.trial_id, error)
        except OSError as cause:  # a full disk has failed the pack, and now this: the next call trains it again
            error = f"{error} ({cause})"
        self.heard({"pack_id": pack.pack_id, "states": {}, "error": error})


def connect(address: str, workers: int) -> None:
    """Join a running Ray or start one on this machine; SpecError when none answers at `address`.

    `auto` joins the cluster of RAY_ADDRESS or of `ray start`, where there is one. It never joins the Ray that another
    program has started for itself, as ray.init(address="auto") would: that one ends when the other program does.
    """
    # The store has the error of a pack that failed. Ray 2.60 prints deaths of workers on stdout whatever it is told.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    ray_worker._worker_logs_enabled = False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error", "configure_logging": True}
    asked: Any = None if address == "auto" else address
    found = canonicalize_bootstrap_address(asked)
    if found is None:
        ray.init(
            address="local",
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            **quiet,
        )
        return
    host, _, port = found.rpartition(":")
    try:
        # Ray itself would try for minutes.
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
        ray.init(address=found, **quiet)
    except (OSError, RuntimeError) as error:  # ray's AuthenticationError is a RuntimeError
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise SpecError(f"no Ray answers at --address {address!r} ({found}: {reason}). Use local, or auto.") from None


def run_packs(
    packs: Sequence[PackPlan],
    settings: Settings,
    *,
    workers: int,
    address: str,
    heard: Callable[[dict[str, Any]], None],
) -> None:
    """Train all packs, `workers` at a time, and return when each has finished or failed; `heard` gets every heartbeat.

    On a cluster, as many at a time as it has places for. Tune's own files, which nobody reads, are in `<store>/.tune`
    meanwhile: one driver works on a store, so what a killed one left is removed here.
    """
    by_id = {pack.pack_id: pack for pack in packs}
    assert len(by_id) == len(packs)

    def trainable(config: dict[str, Any], packs: dict[str, PackPlan]) -> None:
        def heartbeat(message: dict[str, Any]) -> None:
            tune.report({"heartbeat": json.dumps(message)})

        train(packs[config["pack_id"]], settings, tune.get_context().get_trial_id() or "", heartbeat)

    on_cuda = settings.device.startswith("cuda")
    resources: dict[str, float] = {"cpu": 1, "gpu": 1} if on_cuda else {"cpu": settings.threads}
    scratch = Path(settings.store).absolute() / ".tune"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        connect(address, workers)
        places = int(ray.cluster_resources().get("GPU" if on_cuda else "CPU", 0))
        tune.Tuner(
            tune.with_resources(tune.with_parameters(trainable, packs=by_id), resources),
            tune_config=tune.TuneConfig(
                search_alg=PackSearcher(list(by_id)),
                num_samples=len(by_id),
                max_concurrent_trials=min(len(by_id), max(workers, places)),
                reuse_actors=True,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name="study",
                storage_path=str(scratch),
                failure_config=tune.FailureConfig(max_failures=MAX_RETRIES),
                callbacks=[Watcher(by_id, settings, heard)],
                verbose=0,
            ),
        ).fit()
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _last_line(trial: Any) -> str:
    """The exception itself, from the traceback that Tune keeps of a failed trial."""
    try:
        lines = Path(trial.error_file).read_text().strip().splitlines()
    except (OSError, TypeError):
        return "the worker died"
    return lines[-1][:500] if lines else "the worker died"
