"""A scrambled Sobol sequence: points that fill the space evenly, for any number of points.

Source: Sobol 1967, scrambling of Owen 1998, as in scipy.stats.qmc with the direction numbers of Joe and Kuo.
"""

import random
from collections.abc import Iterator, Sequence

from scipy.stats import qmc

from study.samplers._fresh import fresh
from study.search.space import Seen, Space
from study.spec import Point

BLOCK = 64
"""Points drawn from the sequence at a time."""
MOST_BLOCKS = 1 << 14


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """The next `count` points, without those in `seen`, of the sequence that `rng` scrambles."""
    sequence = qmc.Sobol(space.num_coordinates, scramble=True, rng=rng.getrandbits(32))

    def draws() -> Iterator[Point]:
        for _ in range(MOST_BLOCKS):
            for vector in sequence.random(BLOCK):
                yield space.decode(list(vector))

    return fresh(space, draws(), seen, count)
