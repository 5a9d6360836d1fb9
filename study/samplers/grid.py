"""Every point of a finite space once: the product of the axes, the last axis fastest."""

import itertools
import random
from collections.abc import Sequence

from study.search.space import Seen, Space
from study.spec import Point, point_key


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """The first `count` points that are not in `seen`; SpecError for an axis with infinitely many values."""
    del rng  # a grid has nothing to draw
    taken = {point_key(run.point) for run in seen}
    return list(itertools.islice((point for point in space.points() if point_key(point) not in taken), count))
