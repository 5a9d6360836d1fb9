"""Ways that others choose points on a boundary, with our model to predict the map: see tests.bench.boundary.

`straddle`: Bryan et al. 2005, Active learning for identifying function threshold boundaries: the largest 1.96 sd -
|mean| of the model. `mixed`: straddle while the model has one boundary, with every EXPLORING-th point far from all
others, and our own choice as soon as it has several. `learner_nd`: the package adaptive, which splits triangles where
the answer changes most.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from study.samplers import boundary
from study.samplers._places import near_boundary, sobol
from study.samplers.boundary import EXPLORING, FIRST_POINTS, POOL
from study.search.boundary.model import BoundaryModel, fit
from study.search.boundary.passages import log_steps
from study.search.space import Seen
from study.spec import Point
from tests.bench.boundary_readings import Reading, point_at, search, space_of
from tests.bench.ground_truth import Truth

STRADDLE = 1.96
CELLS = 4096
"""Of the grid on which the parts of a map are counted."""


def read_straddle(truth: Truth, seed: int, runs: int, batch: int, mixed: bool = False) -> Reading:
    space = space_of(truth)
    first = FIRST_POINTS.get(truth.num_axes, 4 * truth.num_axes)

    def suggest(seen: list[Seen], rng: random.Random) -> list[Point]:
        if len(seen) < first or len({run.positive for run in seen}) == 1:
            return boundary.suggest(space, seen, rng, batch)
        places = np.array([list(run.point.values()) for run in seen])
        model = fit(places, np.array([run.positive for run in seen]), log_steps_N=log_steps(seen))
        if mixed and boundaries(model, truth.num_axes) > 1:
            return boundary.suggest(space, seen, rng, batch)
        numbers = np.random.default_rng(rng.getrandbits(64))
        pool = sobol(truth.num_axes, POOL, numbers)
        pool = np.vstack([pool, near_boundary(model, pool, POOL, numbers)])
        chosen = pool[straddled(model, pool, batch)]
        for place in range(batch):
            if mixed and (len(seen) + place) % EXPLORING == EXPLORING - 1:
                chosen[place] = pool[np.argmax(KDTree(np.vstack([places, chosen])).query(pool)[0])]
        return [point_at(place) for place in chosen]

    return search(truth, seed, runs, batch, suggest)


def straddled(model: BoundaryModel, pool: np.ndarray, count: int) -> list[int]:
    """Places one after the other; each counts as a measurement of f with the noise of a probit at f = 0."""
    mean, covariance, chosen = model.mean_and_sd(pool)[0], model.covariance(pool), []
    for _ in range(count):
        variance = np.maximum(np.diag(covariance), 1e-9)
        score = STRADDLE * np.sqrt(variance) - np.abs(mean)
        score[chosen] = -np.inf
        best = int(np.argmax(score))
        chosen.append(best)
        column = covariance[:, best]
        covariance = covariance - np.outer(column, column) / (column[best] + np.pi / 2)
    return chosen


def read_mixed(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    return read_straddle(truth, seed, runs, batch, mixed=True)


def boundaries(model: BoundaryModel, num_axes: int) -> int:
    """How many boundaries the model's map has: one less than it has parts of one outcome."""
    side = round(CELLS ** (1 / num_axes))
    cells = np.stack(np.meshgrid(*[(np.arange(side) + 0.5) / side] * num_axes, indexing="ij"), axis=-1)
    positive = model.mean_and_sd(cells.reshape(-1, num_axes))[0].reshape(cells.shape[:-1]) > 0
    return ndimage.label(positive)[1] + ndimage.label(~positive)[1] - 1


def read_learner_nd(truth: Truth, seed: int, runs: int, batch: int) -> Reading:
    import adaptive  # of this bench alone

    box = [(0.0, 1.0)] * truth.num_axes
    make: Callable[..., Any] = adaptive.Learner1D if truth.num_axes == 1 else adaptive.LearnerND
    learner = make(None, box[0] if truth.num_axes == 1 else box)
    asked: list[Any] = []

    def suggest(seen: list[Seen], rng: random.Random) -> list[Point]:
        for place, run in zip(asked, seen[len(seen) - len(asked) :], strict=True):
            learner.tell(place, float(bool(run.positive)))
        asked[:] = learner.ask(batch)[0]
        return [point_at([place] if truth.num_axes == 1 else place) for place in asked]

    return search(truth, seed, runs, batch, suggest, patient=True)
