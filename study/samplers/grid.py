"""Every point of the study once, in the study's own order: the product of the axes, the last axis fastest."""

import random
from collections.abc import Collection

from study.spec import Point, StudySpec, point_key


def suggest(study: StudySpec, seen: Collection[str], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` points that are not in `seen` (canonical JSON of points); fewer when the grid is done."""
    del rng  # a grid has nothing to draw
    return [point for point in study.points() if point_key(point) not in seen][:count]
