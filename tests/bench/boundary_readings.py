"""The error of each sampler's map as its number of runs grows; tests.bench.boundary compares these."""

import itertools
import random
from collections.abc import Callable, Iterable

import numpy as np
import optuna
from scipy.spatial import KDTree

from study.samplers import boundary
from study.samplers.boundary import FIRST_POINTS
from study.search.boundary.model import fit
from study.search.boundary.passages import log_steps
from study.search.space import Axis, Seen, Space
from study.spec import Point
from tests.bench.ground_truth import Truth, lattice

AXES = tuple(Axis(name, low=0.0, high=1.0) for name in "xyz")
LEVELS = (0.05, 0.02)
HORIZON = 500.0
Reading = list[tuple[int, float]]
"""Pairs of the number of runs so far and the misclassified share of the map."""


def space_of(truth: Truth) -> Space:
    return Space(AXES[: truth.num_axes])


def point_at(place: Iterable[float]) -> Point:
    return {axis.path: float(x) for axis, x in zip(AXES, place, strict=False)}


def outcome(truth: Truth, point: Point, numbers: np.random.Generator) -> Seen:
    """The result of one simulated run at a point."""
    place = np.array([list(point.values())])
    positive = bool(numbers.random() < truth.rate(place)[0])
    step = float(truth.step(place)[0]) * np.exp(0.1 * numbers.normal()) if positive else None
    return Seen(point, True, step, positive, step)


def model_error(truth: Truth, seen: list[Seen]) -> float:
    places = np.array([list(run.point.values()) for run in seen])
    model = fit(places, np.array([run.positive for run in seen]), log_steps_N=log_steps(seen))
    return truth.error(model.mean_and_sd(truth.cells)[0] > 0)


def search(truth: Truth, seed: int, runs: int, batch: int, suggest: Callable, patient: bool = False) -> Reading:
    """Runs in batches at the points of `suggest(seen, rng)`; ends early when the error has been small for long.

    A reading costs a fit of the model. It is taken after each batch; with `patient`, or from 128 runs on, only when the
    number of runs has grown by an eighth.
    """
    numbers, rng, seen, reading = np.random.default_rng(seed), random.Random(seed), [], []
    while len(seen) < runs:
        seen += [outcome(truth, point, numbers) for point in suggest(seen, rng)]
        last = reading[-1][0] if reading and (patient or len(seen) > 128) else 0
        if len(seen) < min(runs, last + max(batch, last // 8)):
            continue
        reading.append((len(seen), model_error(truth, seen)))
        if len(reading) >= 8 and max(error for _, error in reading[-6:]) < LEVELS[-1]:
            break
    return reading


def read_boundary(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    return search(truth, seed, runs, batch, lambda seen, rng: boundary.suggest(space_of(truth), seen, rng, batch))


def read_random(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    def suggest(seen: list[Seen], rng: random.Random) -> list[Point]:
        return [point_at(rng.random() for _ in range(truth.num_axes)) for _ in range(batch)]

    return search(truth, seed, runs, batch, suggest, patient=True)


def read_informed(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    """The first points of `boundary`, then runs spread evenly over the places where seeds truly disagree."""
    space, places = space_of(truth), np.random.default_rng(0).random((20_000, truth.num_axes))
    rate = truth.rate(places)
    places = places[(rate > 0.05) & (rate < 0.95)]

    def suggest(seen: list[Seen], rng: random.Random) -> list[Point]:
        if not seen:
            return boundary.suggest(space, seen, rng, FIRST_POINTS.get(truth.num_axes, 4 * truth.num_axes))
        points: list[Point] = []
        for _ in range(batch):
            taken = np.array([list(point.values()) for point in [*(run.point for run in seen), *points]])
            points.append(point_at(places[np.argmax(KDTree(taken).query(places)[0])]))
        return points

    return search(truth, seed, runs, batch, suggest)


def read_grid(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    """Every grid with at most `runs` runs, each on its own."""
    numbers, best, num_axes = np.random.default_rng(seed), {}, truth.num_axes
    for side, repeats in itertools.product(range(3, int(runs ** (1 / num_axes) + 1e-9) + 1), (1, 3)):
        count = side**num_axes * repeats
        if count > runs or (count > 256 and side % 3 and num_axes < 3):
            continue
        places = lattice(side, num_axes)
        seen = [outcome(truth, point_at(place), numbers) for place in places for _ in range(repeats)]
        votes = np.array([run.positive for run in seen]).reshape(-1, repeats).mean(1) > 0.5
        index = np.minimum((truth.cells * side).astype(int), side - 1)
        nearest = truth.error(votes.reshape([side] * num_axes)[tuple(index.T)])
        best[count] = min(best.get(count, 1.0), nearest, model_error(truth, seen))
    return sorted(best.items())


def minimising(make: Callable[[int], optuna.samplers.BaseSampler]) -> Callable[[Truth, int, int, int], Reading]:
    def read(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
        study = optuna.create_study(sampler=make(seed))
        trials = []

        def suggest(seen: list[Seen], rng: random.Random) -> list[Point]:
            for trial, run in zip(trials, seen[-len(trials) :] if trials else [], strict=True):
                study.tell(trial, np.log(run.step if run.step else 2 * HORIZON))
            trials[:] = [study.ask() for _ in range(batch)]
            return [
                {axis.path: trial.suggest_float(axis.path, 0, 1) for axis in space_of(truth).axes} for trial in trials
            ]

        return search(truth, seed, runs, batch, suggest, patient=True)

    return read


READERS: dict[str, Callable[[Truth, int, int, int], Reading]] = {
    "boundary": read_boundary,
    "grid": read_grid,
    "random": read_random,
    "informed": read_informed,
    "tpe": minimising(lambda seed: optuna.samplers.TPESampler(seed=seed, constant_liar=True)),
    "gp": minimising(lambda seed: optuna.samplers.GPSampler(seed=seed)),
}
