"""What one worker does with one pack: train it, write parts and checkpoints, say that it is alive.

Parts first, then checkpoints: whatever moment the process dies at, the rows up to the checkpoint are on disk, and rows
after it are made again, with the same values, and replace the old ones.
"""

import dataclasses
import errno
import faulthandler
import json
import re
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from study.plan.packing import PackPlan
from study.sources import Sources, install
from study.store import checkpoints
from study.store.parts import Recorder
from study.store.provenance import provenance
from study.store.storage import storage_at
from study.train.asha import Asha
from study.train.resume import Start, set_aside, start_of
from trainables.checkpoint import CheckpointError
from trainables.device import resolve_device
from trainables.engine import train_pack
from trainables.errors import SpecError, line_in
from trainables.observation import Observation
from trainables.records import Flush
from trainables.spec import RunSpec

MAX_LOG = 8000
"""Characters of an error's log that the store keeps: the last ones, where the error is."""


@dataclass(frozen=True)
class Settings:
    """How a study's packs are trained and observed; the same for all packs of one call."""

    place: str
    """The folder or URL that holds parts, checkpoints and rungs, the same for all nodes: for `storage_at`."""
    device: str
    threads: int
    compile: str
    observe: Observation
    flush_seconds: float = 10.0
    hang_seconds: float = 1800.0
    """A worker that has not flushed for so long is taken to hang, and ends."""
    prune_in: str | None = None
    """Folder of the study's rungs in the storage, where runs are pruned; None = none are."""
    sources: Sources = field(default_factory=Sources)
    """Of the parts that are a user's own."""
    claim: str | None = None
    """Name in the storage of its driver's claim: where it has gone, another driver has taken over. None = no driver."""


STDERR = 2
Work = tuple[PackPlan, Settings]
"""What a worker gets."""


class Stopped(Exception):
    """Its study was cancelled, or another driver has taken over: what the pack has recorded so far is kept."""


def watched(pack: PackPlan, settings: Settings, trial_id: str, heartbeat: Callable[[dict[str, Any]], None]) -> None:
    """`train` a pack in a worker's process, which ends if it hangs, whatever holds it up.

    Raises what another try in a new process may mend. For all else there is a last heartbeat with `error`, `log`, its
    traceback, and `blame`: `disk` when it is full, `pack` when this pack cannot be trained as it is, for want of memory
    for instance.
    """

    def wind_up() -> None:
        faulthandler.dump_traceback_later(settings.hang_seconds, exit=True, file=STDERR)  # needs no Python to fire

    def beat(message: dict[str, Any]) -> None:
        wind_up()
        heartbeat(message)

    wind_up()
    try:
        install(settings.sources, Path.cwd())  # Tune gives each trial a folder
        train(made_here(pack), settings, trial_id, beat)
    except Stopped:
        heartbeat({"pack_id": pack.pack_id, "states": {}})
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if isinstance(error, OSError | torch.AcceleratorError) and not full:
            raise
        line = f"{type(error).__name__}: {error}".splitlines()[0][:500]
        if where := line_in(error, settings.sources.modules):  # a user's own code was at work
            line += f"{where}; `study check` with that file says more"
        said = {"blame": "disk" if full else "pack", "error": line, "log": traceback.format_exc()}
        heartbeat({"pack_id": pack.pack_id, "states": {}, **said})
    finally:
        faulthandler.cancel_dump_traceback_later()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def made_here(pack: PackPlan) -> PackPlan:
    """The pack with the specs that it has as JSON on its way; SpecError for a part whose code is not here."""
    specs = [RunSpec.from_json(json.loads(spec)) if isinstance(spec, str) else spec for spec in pack.specs]
    if absent := specs[0].absent:
        raise SpecError(f"node {socket.gethostname()}: {' and '.join(absent)} cannot be found.")
    return dataclasses.replace(pack, specs=specs)


def train(pack: PackPlan, settings: Settings, trial_id: str, heartbeat: Callable[[dict[str, Any]], None]) -> None:
    """Train a pack to its horizon from wherever its newest checkpoint is; a heartbeat first and after every flush."""
    if settings.device == "cpu":
        torch.set_num_threads(settings.threads)
    storage, device = storage_at(settings.place), resolve_device(settings.device)
    about = provenance(settings.device, torch.get_num_threads(), trial_id, settings.sources.digest(pack.specs[0]))
    recorder = Recorder(settings.place, pack.pack_id, about, pack.tries, settings.claim)
    attempts = {r: n + recorder.attempt for r, n in zip(pack.run_ids, pack.first_attempts, strict=True)}
    started_at = _now()

    def record(flush: Flush) -> None:
        _check_driver(settings)
        rows, memory = [], memory_bytes(device)
        for state in flush.states:
            ended_at = None if state.status == "running" else _now()
            about = {"attempt": attempts[state.run_id], "started_at": started_at, "ended_at": ended_at, "error": None}
            rows.append({**dataclasses.asdict(state), **about, "memory_bytes": memory})
        metrics = flush.metrics
        numbers = [attempts[run_id] for run_id in metrics["run_id"]]
        recorder.flush({**metrics, "attempt": numbers}, rows)
        recorder.flush_findings(flush.findings)
        for snapshot in flush.snapshots:
            checkpoints.save(storage, checkpoints.snapshot(snapshot.run_ids[0], snapshot.step), snapshot)
        for left in flush.left:
            checkpoints.save(storage, checkpoints.run_state(left.run_ids[0]), left)
        if flush.running is not None:
            checkpoints.save(storage, checkpoints.pack_state(pack.pack_id), flush.running)
        if all(state.status != "running" for state in flush.states):
            storage.delete(checkpoints.pack_state(pack.pack_id))
        heartbeat({"pack_id": pack.pack_id, "states": {s.run_id: (s.steps, s.status) for s in flush.states}})
        if storage.exists(checkpoints.stop_sign(pack.pack_id)):
            raise Stopped

    start = _start_of(pack, settings)
    # The first heartbeat says that training begins, and which runs an earlier try of the pack has finished.
    done = {run_id: (pack.horizon, "finished") for run_id in pack.run_ids if run_id not in start.run_ids}
    compiling = settings.compile == "on" or (settings.compile == "auto" and pack.compiled)
    heartbeat({"pack_id": pack.pack_id, "states": done, "compiling": compiling})
    if not start.run_ids:
        return  # an earlier try has done it all and died before it could say so
    observe, prune = settings.observe, None
    if settings.prune_in:
        prune = Asha(storage, settings.prune_in, pack.pack_id, pack.horizon, observe.evaluations_per_decade)
    while True:
        try:
            train_pack(
                [spec for run_id, spec in zip(pack.run_ids, pack.specs, strict=True) if run_id in start.run_ids],
                horizon=pack.horizon,
                record=record,
                observe=observe,
                checkpoint=start.state,
                flush_seconds=settings.flush_seconds,
                prune=prune,
                device=str(device),
                compile=settings.compile,
                packs_alike=pack.packs_alike,
            )
            return
        except CheckpointError as error:  # of another model: nothing has been trained yet
            set_aside(storage, start.files, error)
            start = _start_of(pack, settings)


def memory_bytes(device: torch.device) -> int | None:
    """The most memory that this process has had so far, in bytes: what torch has reserved on a GPU, else what it has
    had of the machine. None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    try:  # getrusage would also count what the parent had before this process was made
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return 1024 * int(found[1]) if found else None


def record_failure(
    pack: PackPlan, settings: Settings, trial_id: str, error: str, status: str = "failed", log: str = ""
) -> None:
    """Say in the store that the runs of a pack could not be trained; those that had left it are not touched. Of the
    `log` the last MAX_LOG characters are kept.

    `status` is `running` for runs that go on in other packs. Raises Stopped when another driver has taken over.
    """
    _check_driver(settings)
    about = provenance(settings.device, settings.threads, trial_id, settings.sources.digest(pack.specs[0]))
    recorder = Recorder(settings.place, pack.pack_id, about, pack.tries, settings.claim)
    start = _start_of(pack, settings)
    rows = [
        {
            "run_id": run_id,
            "attempt": first + recorder.attempt,
            "status": status,
            "stop_reason": None,
            "horizon": pack.horizon,
            "steps": start.state.step if start.state else 0,
            "wall_seconds": 0.0,
            "started_at": _now(),
            "ended_at": _now(),
            "error": error,
            "log": log[-MAX_LOG:] or None,
        }
        for run_id, first in zip(pack.run_ids, pack.first_attempts, strict=True)
        if run_id in start.run_ids
    ]
    recorder.flush({}, rows)


def _start_of(pack: PackPlan, settings: Settings) -> Start:
    return start_of(pack, settings.place, settings.prune_in is not None, settings.observe.leave_when_generalized)


def _check_driver(settings: Settings) -> None:
    """Stopped where another driver has taken over: it plans with what is there, so nothing may be written any more."""
    if settings.claim and not storage_at(settings.place).exists(settings.claim):
        raise Stopped("another `study run` has taken over")


def _now() -> str:
    return datetime.now(UTC).isoformat()
