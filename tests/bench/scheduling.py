"""What does a study cost apart from training? All that `study run` does, with workers that do not train.

    python -m tests.bench.scheduling [--runs 100000] [--packs 1000] [--profile]

A study of `--runs` runs goes from an empty store to its last line. It is planned, the plan is written, Ray Tune hands
out the packs on this machine, each worker writes one part which says that its runs are finished, the parts are ingested
and the plan is made again. The start of Ray is included. Memory is that of the driver when a tenth, half and all of the
packs are done. `--profile` prints where the driver's main thread spends its time.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study.plan.packing import PackPlan
from study.spec import StudySpec
from study.store.database import Store
from study.store.parts import Recorder
from study.store.provenance import provenance
from study.train import ray_tune, service
from study.train.progress import Progress
from study.train.worker import Settings
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

SEEDS, DECAYS, HORIZON = 25, 40, 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000, metavar="N")
    parser.add_argument("--packs", type=int, default=1_000, metavar="N")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    ray_tune.watched = no_training  # reaches the workers with the function that Tune sends them
    for name in ("plan", "write", "_train_all"):
        setattr(service, name, timed(name.strip("_"), getattr(service, name)))
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store = Store.open(folder, write=True)
        started = time.perf_counter()
        watched(options.packs)
        if options.profile:
            profile.enable()
        done = service.run(
            asked(options.runs), store, service.Options(pack_size=-(-options.runs // options.packs)), lambda line: None
        )
        profile.disable()
        seconds = time.perf_counter() - started
    assert done.missing == 0, done.missing
    each = f"{1e3 * seconds / options.runs:.2f} ms per run, {1e3 * seconds / options.packs:.0f} ms per pack"
    print(f"{options.runs:,} runs in {options.packs:,} packs: {seconds:.0f} s, {each}")
    if options.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(60)


def asked(runs: int) -> StudySpec:
    """A study of about `runs` runs of one shape."""
    base = RunSpec(task=modular.Task(p=97, train_fraction=0.5), model=mlp.Model(width=128), optimizer=adamw.Optimizer())
    num_fractions = max(1, runs // SEEDS // DECAYS)
    axes = {
        "task.train_fraction": [0.2 + 0.6 * i / num_fractions for i in range(num_fractions)],
        "optimizer.weight_decay": [0.1 * i for i in range(DECAYS)],
    }
    return StudySpec(question="?", base=base, axes=axes, seeds=SEEDS, horizon=HORIZON, name="many")


def no_training(pack: PackPlan, settings: Settings, trial_id: str, heartbeat: Callable[[dict[str, Any]], None]) -> None:
    """Does what study.train.worker.watched does, except for training, curves and checkpoints."""
    recorder = Recorder(settings.place, pack.pack_id, provenance(settings.device, 1, trial_id))
    heartbeat({"pack_id": pack.pack_id, "states": {}})
    state = {"attempt": 1, "status": "finished", "stop_reason": "horizon", "horizon": pack.horizon}
    state |= {"steps": pack.horizon, "wall_seconds": 0.0, "error": None}
    state |= dict.fromkeys(("started_at", "ended_at"), "2026-01-01T00:00:00+00:00")
    recorder.flush({}, [state | {"run_id": run_id} for run_id in pack.run_ids])
    states = dict.fromkeys(pack.run_ids, (pack.horizon, "finished"))
    heartbeat({"pack_id": pack.pack_id, "states": states})


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which then prints how long each call takes."""

    def call(*arguments: Any, **named: Any) -> Any:
        started, worked = time.perf_counter(), time.process_time()
        result = function(*arguments, **named)
        elapsed, work = time.perf_counter() - started, time.process_time() - worked
        print(f"{name}: {elapsed:.1f} s, {work:.1f} s of a core in the driver", flush=True)
        return result

    return call


def watched(packs: int) -> None:
    """From now on, print the driver's memory when a tenth, half and all of the packs are done."""
    heard, ended = Progress.heard, set()

    def listen(progress: Progress, message: dict[str, Any]) -> None:
        heard(progress, message)
        if message["states"] and message["pack_id"] not in ended:
            ended.add(message["pack_id"])
            if len(ended) in (packs // 10, packs // 2, packs):
                status = Path("/proc/self/status").read_text()
                memory = int(status.split("VmRSS:")[1].split()[0]) / 1e6
                print(f"{len(ended) / packs:.0%} of the packs: driver's memory {memory:.2f} GB", flush=True)

    Progress.heard = listen


if __name__ == "__main__":
    main()
