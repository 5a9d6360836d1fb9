"""How many runs does a sampler need until its map of two phases is right?

    python -m tests.bench.boundary [--seeds 20] [--runs 512] [--batch 16] [--maps NAME ...] [--samplers NAME ...]

Ground truth: tests/bench/ground_truth.py; two of the maps are real runs. Every sampler but the grid is read with the
model of study/boundary_model.py after each batch; a grid is m x m points with one seed each, or a third of the points
with three, read as the better of the nearest cell and the model. Misclassified is the share of the map's cells whose
majority phase is not the one read. `runs to` is where the median error over seeds is under the
level at two readings in a row, > where it is not in `--runs` (grids: twice as many). tpe and gp minimise the steps to
generalize, Optuna's, a run that does not counts as twice the horizon. gp stops at 160 runs and three seeds: it is slow.
"""

import argparse
import itertools
import json
import random
import time
import warnings
from collections.abc import Callable

import numpy as np
import optuna

from study.boundary_model import fit
from study.samplers import boundary
from study.space import Axis, Seen, Space
from tests.bench.ground_truth import Truth, all_truths, lattice

SPACE = Space((Axis("x", low=0.0, high=1.0), Axis("y", low=0.0, high=1.0)))
LEVELS = (0.05, 0.02)
HORIZON = 500.0
SHOWN = (32, 64, 96, 128, 192, 256, 384, 512)
GP_RUNS, GP_SEEDS = 160, 3
Reading = list[tuple[int, float]]
"""Runs so far, and the misclassified share."""


def main() -> None:
    options = arguments()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    results = []
    for truth in all_truths():
        if options.maps and truth.name not in options.maps:
            continue
        for name, read in SAMPLERS.items():
            if options.samplers and name not in options.samplers:
                continue
            started = time.monotonic()
            seeds = min(options.seeds, GP_SEEDS) if name == "gp" else options.seeds
            runs = min(options.runs, GP_RUNS) if name == "gp" else options.runs
            if name == "grid":
                runs *= 2
            readings = [read(truth, seed, runs, options.batch) for seed in range(seeds)]
            row = {"map": truth.name, "sampler": name, "seeds": seeds, "seconds": time.monotonic() - started}
            row |= {f"{level:g}": needed(readings, level) for level in LEVELS} | {"curve": median_curve(readings)}
            row["readings"] = readings
            results.append(row)
            print(line(row, runs), flush=True)
    if not options.maps:
        print(f"boundary: {seconds_at(10_000):.2f} s for a call that gives {64} points, at 10,000 finished runs")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


def needed(readings: list[Reading], level: float) -> float:
    """The runs at which the median error over seeds is under the level, there and at the next reading; inf if never."""
    curve = list(median_errors(readings).items())
    for (count, error), (_, following) in itertools.pairwise([*curve, curve[-1]]):
        if max(error, following) < level:
            return count
    return float("inf")


def median_errors(readings: list[Reading]) -> dict[int, float]:
    """The median error over seeds by runs; a search that ended early keeps its last error."""
    counts = sorted({count for reading in readings for count, _ in reading})
    latest = [[[error for count, error in reading if count <= c][-1] for reading in readings] for c in counts]
    return {count: float(np.median(errors)) for count, errors in zip(counts, latest, strict=True)}


def median_curve(readings: list[Reading]) -> dict[int, float]:
    """The median errors at the counts shown, by the last reading at or before each."""
    errors = median_errors(readings)
    return {
        shown: next(errors[count] for count in reversed(errors) if count <= shown)
        for shown in SHOWN
        if min(errors) <= shown <= max(errors)
    }


def line(row: dict, runs: int) -> str:
    to = "  ".join(f"{f'>{runs}' if np.isinf(row[f'{k:g}']) else round(row[f'{k:g}']):>6}" for k in LEVELS)
    curve = " ".join(f"{100 * error:5.1f}" for error in row["curve"].values())
    return f"{row['map']:15} {row['sampler']:9} runs to 5%, 2%: {to}   % wrong at {'/'.join(map(str, SHOWN))}: {curve}"


def outcome(truth: Truth, point: dict, numbers: np.random.Generator) -> Seen:
    """One run at a point."""
    place = np.array([[point["x"], point["y"]]])
    positive = bool(numbers.random() < truth.rate(place)[0])
    step = float(truth.step(place)[0]) * np.exp(0.1 * numbers.normal()) if positive else None
    return Seen(point, True, step, positive, step)


def model_error(truth: Truth, seen: list[Seen]) -> float:
    places = np.array([[run.point["x"], run.point["y"]] for run in seen])
    return truth.error(fit(places, np.array([run.positive for run in seen])).mean_and_sd(truth.cells)[0] > 0)


def search(truth: Truth, seed: int, runs: int, batch: int, suggest: Callable) -> Reading:
    """Batches of runs where `suggest(seen, rng)` says, read after each; ends early when it has been good for long."""
    numbers, rng, seen, reading = np.random.default_rng(seed), random.Random(seed), [], []
    while len(seen) < runs:
        seen += [outcome(truth, point, numbers) for point in suggest(seen, rng)]
        reading.append((len(seen), model_error(truth, seen)))
        if len(reading) >= 6 and max(error for _, error in reading[-4:]) < LEVELS[-1]:
            break
        if len(seen) >= 256:  # a reading is a fit of all runs: read less often
            batch = max(batch, len(seen) // 8)
    return reading


def read_boundary(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    return search(truth, seed, runs, batch, lambda seen, rng: boundary.suggest(SPACE, seen, rng, batch))


def read_random(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    def suggest(seen: list[Seen], rng: random.Random) -> list[dict]:
        return [{"x": rng.random(), "y": rng.random()} for _ in range(batch)]

    return search(truth, seed, runs, batch, suggest)


def read_grid(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    """Every size of grid up to `runs`, each from nothing."""
    numbers, best = np.random.default_rng(seed), {}
    for side, repeats in itertools.product(range(3, int(runs**0.5) + 1), (1, 3)):
        count = side * side * repeats
        if count > runs or (count > 256 and side % 3):
            continue
        places = lattice(side)
        seen = [outcome(truth, {"x": x, "y": y}, numbers) for x, y in places.tolist() for _ in range(repeats)]
        votes = np.array([run.positive for run in seen]).reshape(-1, repeats).mean(1) > 0.5
        index = np.minimum((truth.cells * side).astype(int), side - 1)
        nearest = truth.error(votes.reshape(side, side)[index[:, 0], index[:, 1]])
        best[count] = min(best.get(count, 1.0), nearest, model_error(truth, seen))
    return sorted(best.items())


def minimising(make: Callable[[int], optuna.samplers.BaseSampler]) -> Callable[[Truth, int, int, int], Reading]:
    def read(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
        study = optuna.create_study(sampler=make(seed))
        trials = []

        def suggest(seen: list[Seen], rng: random.Random) -> list[dict]:
            for trial, run in zip(trials, seen[-len(trials) :] if trials else [], strict=True):
                study.tell(trial, np.log(run.step if run.step else 2 * HORIZON))
            trials[:] = [study.ask() for _ in range(batch)]
            return [{name: trial.suggest_float(name, 0, 1) for name in "xy"} for trial in trials]

        return search(truth, seed, runs, batch, suggest)

    return read


SAMPLERS: dict[str, Callable[[Truth, int, int, int], Reading]] = {
    "boundary": read_boundary,
    "grid": read_grid,
    "random": read_random,
    "tpe": minimising(lambda seed: optuna.samplers.TPESampler(seed=seed, constant_liar=True)),
    "gp": minimising(lambda seed: optuna.samplers.GPSampler(seed=seed)),
}


def seconds_at(count: int) -> float:
    """Seconds of a call at so many finished runs: half of them spread out, half close to the boundary."""
    numbers, truth = np.random.default_rng(0), all_truths()[0]
    places = numbers.random((50 * count, 2))
    close = places[np.argsort(np.abs(truth.rate(places) - 0.5))[: count // 2]]
    chosen = [{"x": x, "y": y} for x, y in np.vstack([places[-count + count // 2 :], close]).tolist()]
    seen = [outcome(truth, point, numbers) for point in chosen]
    started = time.perf_counter()
    boundary.suggest(SPACE, seen, random.Random(0), 64)
    return time.perf_counter() - started


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"seeds": 20, "runs": 512, "batch": 16}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    parser.add_argument("--maps", nargs="+", metavar="NAME")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, metavar="NAME")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
