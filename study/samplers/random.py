"""Points drawn independently, uniformly over each axis on its scale."""

import random
from collections.abc import Sequence

from study.samplers._fresh import at_random, fresh
from study.search.space import Seen, Space
from study.spec import Point


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """The next `count` points of the sequence that `rng` draws, without those in `seen`."""
    return fresh(space, at_random(space, rng), seen, count)
