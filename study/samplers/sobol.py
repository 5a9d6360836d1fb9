"""A scrambled Sobol sequence: points that fill the space evenly, however many are taken.

Source: Sobol 1967; scrambling by Owen 1998, as in scipy.stats.qmc (Joe and Kuo's direction numbers).
"""

import random
from collections.abc import Iterator, Sequence

from scipy.stats import qmc

from study.samplers._fresh import fresh
from study.space import Seen, Space
from study.spec import Point

BLOCK = 64
"""Points are made so many at a time."""
MOST_BLOCKS = 1 << 14


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """The next `count` points of the one sequence that `rng` scrambles, without those in `seen`."""
    sequence = qmc.Sobol(space.num_coordinates, scramble=True, rng=rng.getrandbits(32))

    def draws() -> Iterator[Point]:
        for _ in range(MOST_BLOCKS):
            for vector in sequence.random(BLOCK):
                yield space.decode(list(vector))

    return fresh(space, draws(), seen, count)
