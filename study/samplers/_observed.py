"""What a search for an optimum learns from its runs: one value per point."""

import math
from collections.abc import Sequence

from study.search.space import Seen
from study.spec import Point, point_key


def observed(seen: Sequence[Seen]) -> list[tuple[Point, float | None]]:
    """Each point once, in the order of the runs, with the mean value of its finished runs; None while none is finished.

    A finished run without a value (censored or failed) counts as the worst value seen plus the range of the values: an
    optimizer must learn to stay away from it, although no value was measured.
    """
    values = [run.value for run in seen if run.finished and run.value is not None and math.isfinite(run.value)]
    penalty = max(values) + max(max(values) - min(values), 1e-9) if values else 1.0
    runs: dict[str, list[float]] = {}
    points: dict[str, Point] = {}
    for run in seen:
        key = point_key(run.point)
        points.setdefault(key, run.point)
        of_point = runs.setdefault(key, [])
        if run.finished:
            of_point.append(run.value if run.value is not None and math.isfinite(run.value) else penalty)
    return [(points[key], sum(of_point) / len(of_point) if of_point else None) for key, of_point in runs.items()]


def thinned(points: list[tuple[Point, float | None]], most: int) -> list[tuple[Point, float | None]]:
    """All points without a value and at most `most` of those with one, in order, so that a model's cost stays bounded.

    A quarter of `most` are the best points; the rest is taken at even strides.
    """
    known = [i for i, (_, value) in enumerate(points) if value is not None]
    if len(known) <= most:
        return points
    by_value = sorted(known, key=lambda i: (points[i][1], i))
    best, rest = by_value[: most // 4], sorted(by_value[most // 4 :])
    num_rest = most - len(best)
    kept = {*best, *(rest[i * len(rest) // num_rest] for i in range(num_rest))}
    return [point for i, point in enumerate(points) if point[1] is None or i in kept]
