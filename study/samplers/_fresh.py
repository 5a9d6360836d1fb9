"""New points from a sequence that may repeat itself, for the samplers that never replicate."""

import random
from collections.abc import Iterable, Sequence

from study.search.space import Seen, Space
from study.spec import Point, point_key


def fresh(
    space: Space,
    draws: Iterable[Point],
    seen: Sequence[Seen],
    count: int,
    *,
    otherwise: random.Random | None = None,
    patience: int | None = None,
) -> list[Point]:
    """The first `count` points of `draws` that are not in `seen`, each once.

    After `patience` draws in a row without a new point (None = enough to draw everything in `seen` again), points come
    from `otherwise`, which draws uniformly. After that a finite space gives its remaining points in order. Fewer than
    `count` come back only if a finite space has no more points, or an infinite one yields no new ones.
    """
    taken = {point_key(run.point) for run in seen}
    replay = 1000 + 2 * len(taken)
    size = space.size
    wanted = count if size is None else min(count, size - sum(space.contains(run.point) for run in unique(seen)))
    found: list[Point] = []
    for source, most_in_vain in ((draws, patience or replay), (at_random(space, otherwise), replay)):
        in_vain = 0
        for point in source if len(found) < wanted else ():
            key = point_key(point)
            in_vain = in_vain + 1 if key in taken else 0
            if key not in taken:
                taken.add(key)
                found.append(point)
            if len(found) >= wanted or in_vain >= most_in_vain:
                break
    if size is not None and len(found) < wanted:
        left = (point for point in space.points() if point_key(point) not in taken)
        found += [point for point, _ in zip(left, range(wanted - len(found)), strict=False)]
    return found


def at_random(space: Space, rng: random.Random | None) -> Iterable[Point]:
    """Points drawn uniformly, endlessly; none if `rng` is None."""
    while rng is not None:
        yield space.decode([rng.random() for _ in range(space.num_coordinates)])


def unique(seen: Sequence[Seen]) -> list[Seen]:
    """The first run of each point."""
    return list({point_key(run.point): run for run in reversed(seen)}.values())
