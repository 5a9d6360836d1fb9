"""CMA-ES: a normal distribution that moves downhill and adapts to the shape of the valley, generation by generation.

Source: Hansen 2016 (arXiv 1604.00772), as in the package `cmaes`, on which Optuna's sampler is built. Optuna's sampler
keeps its state in its trials; ours rebuilds it from `seen`: each call replays the finished points, one generation at a
time. Words and whole numbers are rounded from the coordinates drawn.
"""

import random
from collections.abc import Iterator, Sequence

import numpy as np
from cmaes import CMA

from study.samplers._fresh import fresh
from study.samplers._observed import observed
from study.search.space import Seen, Space
from study.spec import Point

FIRST_SIGMA = 0.3
"""Standard deviation of the first generation, around the middle of the unit cube."""


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` points of the newest generation.

    Unfinished points need no special care, because the draws of a generation differ anyway.
    """
    dims = max(2, space.num_coordinates)  # CMA-ES needs two dimensions: on a single axis the second has no effect
    seed = random.Random(f"{rng.random()}/{len(seen)}").getrandbits(31)
    bounds = np.tile([0.0, 1.0], (dims, 1))
    cma = CMA(mean=np.full(dims, 0.5), sigma=FIRST_SIGMA, bounds=bounds, seed=seed)
    told = [(vector(space, point, dims), value) for point, value in observed(seen) if value is not None]
    for start in range(0, len(told) - cma.population_size + 1, cma.population_size):
        cma.tell(told[start : start + cma.population_size])
        if cma.should_stop():  # converged: start again with the whole space
            cma = CMA(mean=np.full(dims, 0.5), sigma=FIRST_SIGMA, bounds=bounds, seed=seed)

    def draws() -> Iterator[Point]:
        while True:
            yield space.decode(list(cma.ask()[: space.num_coordinates]))

    return fresh(space, draws(), seen, count, otherwise=rng, patience=100)


def vector(space: Space, point: Point, dims: int) -> np.ndarray:
    """A point's place in the unit cube, (dims,); missing coordinates are 0.5."""
    coordinates = space.encode(point)
    return np.array(coordinates + [0.5] * (dims - len(coordinates)))
