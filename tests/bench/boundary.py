"""How many runs does a sampler need until its map of two phases is right?

    python -m tests.bench.boundary [--seeds 20] [--runs 512] [--batch 8] [--samplers NAME ...]
        [--maps NAME ... | --maps held_out]

The true maps are in tests/bench/ground_truth.py; two of them come from real runs. For every sampler but the grid the
map is predicted by the model of study/search/boundary/model.py, with first passages, after each batch, later whenever
the runs have grown by an eighth. A grid has m x m points with one seed each, or a third of the points with three seeds;
it is predicted by the nearest cell and by the same model, whichever is better. The error is the share of the map's
cells whose predicted phase is not the majority phase. `runs to` is the number of runs at which the median error over
seeds is below the level at two readings in a row, or > if that needs more than `--runs` (for grids: twice as many).
`exponent` is the power of the number of runs with which the error falls. tpe and gp are Optuna's; they minimise the
steps to generalize, where a run that does not counts as twice the horizon. `informed` knows the true map: it shows how
much a better choice of places could gain. `straddle`, `mixed` and `learner_nd` are in tests/bench/boundary_rivals.py;
the last wants `pip install adaptive`, and is left out without it. To save time tpe has five seeds, and gp three seeds
and 160 runs. The whole takes about an hour on one core.
"""

import argparse
import itertools
import json
import random
import time
import warnings
from importlib.util import find_spec

import numpy as np
import optuna

from study.samplers import boundary
from tests.bench.boundary_readings import LEVELS, READERS, Reading, outcome, space_of
from tests.bench.boundary_rivals import read_learner_nd, read_mixed, read_straddle
from tests.bench.ground_truth import all_truths, chosen

SAMPLERS = READERS | {"straddle": read_straddle, "mixed": read_mixed, "learner_nd": read_learner_nd}
SHOWN = (32, 64, 96, 128, 192, 256, 384, 512)
MOST_SEEDS = {"tpe": 5, "gp": 3}
MOST_RUNS = {"gp": 160}
LINE_RUNS = 64
"""Largest number of runs on a map with one axis."""


def main() -> None:
    options = arguments()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    results = []
    for truth in chosen(options.maps):
        of_map = {}
        for name, read in SAMPLERS.items():
            if options.samplers and name not in options.samplers:
                continue
            if name == "learner_nd" and not options.samplers and find_spec("adaptive") is None:
                continue
            started = time.monotonic()
            seeds = min(options.seeds, MOST_SEEDS.get(name, options.seeds))
            runs = min(options.runs, MOST_RUNS.get(name, options.runs), LINE_RUNS if truth.num_axes == 1 else 10**9)
            runs *= 2 if name == "grid" else 1
            readings = [read(truth, seed, runs, options.batch) for seed in range(seeds)]
            row = {"map": truth.name, "sampler": name, "seeds": seeds, "seconds": time.monotonic() - started}
            row |= {f"{level:g}": needed(readings, level) for level in LEVELS} | {"curve": median_curve(readings)}
            row |= {"exponent": exponent(readings), "readings": readings}
            of_map[name] = row
            print(line(row, runs), flush=True)
        results += of_map.values()
        print(ratios(of_map), flush=True)
    if not options.maps:
        print(f"boundary: {seconds_at(10_000):.2f} s for a call that gives {64} points, at 10,000 finished runs")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


def needed(readings: list[Reading], level: float) -> float:
    """The runs at which the median error over seeds is below the level, as at the next reading; inf if never."""
    curve = list(median_errors(readings).items())
    for (count, error), (_, following) in itertools.pairwise([*curve, curve[-1]]):
        if max(error, following) < level:
            return count
    return float("inf")


def median_errors(readings: list[Reading]) -> dict[int, float]:
    """Number of runs -> median error over seeds; a search that ended early keeps its last error."""
    counts = sorted({count for reading in readings for count, _ in reading})
    latest = [[[error for count, error in reading if count <= c][-1] for reading in readings] for c in counts]
    return {count: float(np.median(errors)) for count, errors in zip(counts, latest, strict=True)}


def exponent(readings: list[Reading]) -> float:
    """The slope of log median error over log runs, from 16 runs until the first search ends; nan with too few."""
    last = min(reading[-1][0] for reading in readings)
    curve = [(count, error) for count, error in median_errors(readings).items() if 16 <= count <= last and error > 0]
    return float(np.polyfit(*np.log(curve).T, 1)[0]) if len(curve) > 3 else float("nan")


def median_curve(readings: list[Reading]) -> dict[int, float]:
    """Median errors at the numbers of runs in SHOWN, from the last reading at or before each."""
    errors = median_errors(readings)
    return {
        shown: next(errors[count] for count in reversed(errors) if count <= shown)
        for shown in SHOWN
        if min(errors) <= shown <= max(errors)
    }


def line(row: dict, runs: int) -> str:
    to = "  ".join(f"{f'>{runs}' if np.isinf(row[f'{k:g}']) else round(row[f'{k:g}']):>6}" for k in LEVELS)
    curve = " ".join(f"{100 * error:5.1f}" for error in row["curve"].values())
    head = f"{row['map']:15} {row['sampler']:9} {row['seeds']:2} seeds, exponent {row['exponent']:5.2f}"
    return f"{head}, runs to 5%, 2%: {to}   % wrong at {'/'.join(map(str, SHOWN))}: {curve}"


def ratios(of_map: dict[str, dict]) -> str:
    """The runs that `boundary` needs over those that grid and random need, at each level."""
    shown = []
    for other, level in itertools.product(("grid", "random"), LEVELS):
        if "boundary" in of_map and other in of_map:
            mine, theirs = (of_map[name][f"{level:g}"] for name in ("boundary", other))
            ratio = "none" if np.isinf(mine) else f"{mine / theirs:.2f}" if np.isfinite(theirs) else "less"
            shown.append(f"{100 * level:g}% of {other} {ratio}")
    return f"  boundary at {', '.join(shown)}\n" if shown else ""


def seconds_at(count: int) -> float:
    """Seconds of one call with `count` finished runs, half of them spread out and half close to the boundary."""
    numbers, truth = np.random.default_rng(0), all_truths()[0]
    places = numbers.random((50 * count, 2))
    close = places[np.argsort(np.abs(truth.rate(places) - 0.5))[: count // 2]]
    chosen = [{"x": x, "y": y} for x, y in np.vstack([places[-count + count // 2 :], close]).tolist()]
    seen = [outcome(truth, point, numbers) for point in chosen]
    started = time.perf_counter()
    boundary.suggest(space_of(truth), seen, random.Random(0), 64)
    return time.perf_counter() - started


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"seeds": 20, "runs": 512, "batch": 8}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    parser.add_argument("--maps", nargs="+", metavar="NAME")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, metavar="NAME")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
