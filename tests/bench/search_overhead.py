"""What does a search that already has many runs cost apart from training?

    OPENBLAS_NUM_THREADS=1 python -m tests.bench.search_overhead
        [--finished 10000] [--calls 4] [--sampler boundary] [--seed 0]

(The study command sets that variable itself.) The store has `--finished` finished runs of `study search modular` over
two axes. Their curves are invented (a sloping boundary, seed noise), and half of them are close to the boundary, as
after a search. Then the search continues. `start` is what the command does before its first suggestion. `next` is what
a worker waits for between two packs: parts are ingested, outcomes read, points suggested, and the plan is written.
`training` is one pack, trained for real on one core, times the packs of one suggestion. The overhead is `next` over
`training`.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from study.plan.packing import Machine, PackPlan
from study.plan.plan import PlannedRun, plan_runs
from study.plan.write import write
from study.search.next_points import Handout
from study.search.request import Search, make_search
from study.spec import Point
from study.store.database import Store
from study.store.parts import Recorder
from trainables.components import load
from trainables.engine import train_pack
from trainables.schedule import evaluation_steps

OVER = ("task.train_fraction=0.2:0.8", "optimizer.weight_decay=0.01:10:log")
MACHINE = Machine("cpu", workers=2, memory=4e9)
CHUNK = 500
ABOUT = {
    "trial_id": "t",
    "host": "here",
    "device": "cpu",
    "threads": 1,
    "versions": {},
    "git_sha": "",
    "git_dirty": False,
}


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    search = make_search("modular", OVER, sampler=options.sampler, runs=2 * options.finished, name="looked")
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder, write=True)
        store.ingest()
        with timed(f"inventing {options.finished:,} finished runs"):
            fill(store, search, options.finished, np.random.default_rng(options.seed))
        with timed("bringing them in"):
            store.ingest()
        with timed("start"):
            handout = Handout(search, store, MACHINE, None)
            handout.past.seen()
        seconds, packs = [], []
        sampler = load("study.samplers", search.sampler)
        suggest, inside = sampler.suggest, []
        sampler.suggest = clocked(suggest, inside)
        for _ in range(options.calls):
            for pack in packs:
                finish(store, pack, search)
            started = time.perf_counter()
            first = handout.next()
            seconds.append(time.perf_counter() - started)
            assert first is not None
            packs, handout.waiting = [first, *handout.waiting], []
        typical, number = statistics.median(seconds), sum(len(pack.run_ids) for pack in packs)
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"next {number} runs: {typical:.2f} s, median of {len(seconds)} ({spread}), "
              f"of which the sampler {statistics.median(inside):.2f} s")  # fmt: skip
        started = time.perf_counter()
        train_pack(packs[0].specs, horizon=packs[0].horizon, record=lambda flush: None, device="cpu", packs_alike=100)
        training = (time.perf_counter() - started) * number / len(packs[0].run_ids)
        print(f"training them on one core: {training:.1f} s; overhead {typical / training:.1%}")


@contextmanager
def timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - started:.1f} s", flush=True)


def clocked(suggest: Callable, seconds: list[float]) -> Callable:
    """`suggest`, which appends the duration of each call to `seconds`."""

    def call(*words: object) -> list[Point]:
        started = time.perf_counter()
        points = suggest(*words)
        seconds.append(time.perf_counter() - started)
        return points

    return call


def fill(store: Store, search: Search, count: int, numbers: np.random.Generator) -> None:
    """Write `count` finished runs, half of them spread out and half close to the boundary."""
    places = numbers.random((20 * count, 2))
    close = places[np.argsort(np.abs(log_odds(places)))[: count // 2]]
    chosen = np.vstack([places[: count - len(close)], close])
    for start in range(0, count, CHUNK):
        points = [search.space.decode(place) for place in chosen[start : start + CHUNK].tolist()]
        runs = {spec.run_id: PlannedRun(spec.run_id, spec, p) for p in points for spec in [search.study.run(p, 0)]}
        plan = plan_runs(search.study, list(runs.values()), None, MACHINE)
        write(plan, store)
        for pack in plan.packs:
            finish(store, pack, search)


def log_odds(places_N2: np.ndarray) -> np.ndarray:
    x, y = places_N2.T
    return (y - 0.25 - 0.5 * x**2 - 0.06 * np.sin(7 * x)) / 0.02


def finish(store: Store, pack: PackPlan, search: Search) -> None:
    """Write the pack's last flush: every metric at every evaluation, and the state that its runs are finished."""
    steps = np.array(evaluation_steps(pack.horizon, 24))
    places = np.array([search.space.encode({p: spec.value(p) for p in search.study.axes}) for spec in pack.specs])
    odds = log_odds(places)
    positive = np.random.default_rng(len(odds)).random(len(odds)) < 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
    passages = np.where(positive, pack.horizon * np.exp(-np.clip(odds, 0, 60) / 15), math.inf)
    columns: dict[str, list] = {"run_id": [], "attempt": [], "step": [], "split": [], "metric": [], "value": []}
    curves: Sequence[tuple[str, str, Callable[[float], np.ndarray]]] = [
        ("train", "accuracy", lambda passage: (steps > 20) * 1.0),
        ("test", "accuracy", lambda passage: (steps >= passage) * 1.0),
        *[(split, "loss", lambda passage: 1 / (1.0 + steps)) for split in ("train", "test")],
        *[("model", metric, lambda passage: 1.0 + 0 * steps) for metric in ("weight_norm", "fourier_ipr")],
    ]
    for run_id, passage in zip(pack.run_ids, passages.tolist(), strict=True):
        for split, metric, values in curves:
            for name, column in (("step", steps.tolist()), ("value", values(passage).tolist())):
                columns[name] += column
            for name, value in (("run_id", run_id), ("attempt", 1), ("split", split), ("metric", metric)):
                columns[name] += [value] * len(steps)
    state = {"attempt": 1, "status": "finished", "stop_reason": "horizon", "horizon": pack.horizon, "error": None}
    state |= {"steps": pack.horizon, "wall_seconds": 1.0, "started_at": "2026-01-01T00:00:00+00:00"}
    state |= {"ended_at": "2026-01-01T00:01:00+00:00"}
    Recorder(store.path, pack.pack_id, ABOUT).flush(columns, [state | {"run_id": run_id} for run_id in pack.run_ids])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"finished": 10_000, "calls": 4, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    parser.add_argument("--sampler", default="boundary", metavar="NAME")
    return parser.parse_args()


if __name__ == "__main__":
    main()
