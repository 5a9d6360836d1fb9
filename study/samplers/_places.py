"""Places of the unit cube, and points of a space, among which the boundary sampler chooses."""

# P places, C places drawn, D axes

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import qmc

from study.boundary_model import Array, BoundaryModel
from study.space import Seen, Space
from study.spec import Point, point_key

MAX_FINITE = 4096


def sobol(num_axes: int, count: int, numbers: np.random.Generator) -> Array:
    """A scrambled Sobol sequence in the unit cube, at least `count` places."""
    return qmc.Sobol(num_axes, rng=numbers).random_base2(max(1, math.ceil(math.log2(count))))


def units(space: Space, points: Sequence[Point]) -> Array:
    """Where points are in the unit cube, one row each."""
    return np.array([space.encode(point) for point in points]).reshape(len(points), space.num_coordinates)


def doubt(model: BoundaryModel, places_PD: Array) -> Array:
    """Probability that the commoner outcome at each place is not the one that the model says."""
    mean_P, sd_P = model.mean_and_sd(places_PD)
    return ndtr(-np.abs(mean_P) / sd_P)


def drawn(model: BoundaryModel, places_PD: Array, count: int, numbers: np.random.Generator) -> Array:
    """`count` of the places, in proportion to the doubt about them, none twice; all if there are fewer."""
    doubt_P = doubt(model, places_PD) + 1e-9
    count = min(count, len(places_PD))
    return places_PD[numbers.choice(len(places_PD), count, replace=False, p=doubt_P / doubt_P.sum())]


def area(model: BoundaryModel, even_PD: Array, count: int, numbers: np.random.Generator) -> tuple[Array, Array]:
    """`count` of places that fill the space evenly, most of them where the doubt is, and the share of the space that
    each stands for: a large region with a little doubt counts as what it is, beside a thin boundary with much."""
    doubt_P = doubt(model, even_PD) + 1e-4
    chosen = numbers.choice(len(even_PD), min(count, len(even_PD)), replace=False, p=doubt_P / doubt_P.sum())
    share_R = 1 / doubt_P[chosen]
    return even_PD[chosen], share_R / share_R.sum()


def near_boundary(model: BoundaryModel, places_PD: Array, count: int, numbers: np.random.Generator) -> Array:
    """Places between those given, where the doubt is: drawn ones, moved by about their distance from each other."""
    doubt_P = doubt(model, places_PD) + 1e-9
    start_CD = places_PD[numbers.choice(len(places_PD), count, p=doubt_P / doubt_P.sum())]
    moved_CD = start_CD + numbers.normal(0, len(places_PD) ** (-1 / places_PD.shape[1]), start_CD.shape)
    return np.clip(moved_CD, 0, 1)


def fresh(space: Space, places_PD: Array, taken: set[str]) -> list[Point]:
    """The points of these places, each once and none of those taken."""
    points = [space.decode(place) for place in places_PD.tolist()]
    return list({key: point for point in points if (key := point_key(point)) not in taken}.values())


def unseen(space: Space, taken: set[str]) -> list[Point] | None:
    """All points left of a finite space; None for one without an end, or with more than `MAX_FINITE` points."""
    if space.size is None or space.size > MAX_FINITE:
        return None
    return [point for point in space.points() if point_key(point) not in taken]


def repeatable(seen: Sequence[Seen], most: int) -> list[Point]:
    """Points with an outcome, fewer than `most` runs, and none that still runs."""
    runs: dict[str, list[Seen]] = {}
    for run in seen:
        runs.setdefault(point_key(run.point), []).append(run)
    return [
        of_point[0].point
        for of_point in runs.values()
        if len(of_point) < most
        and all(run.finished for run in of_point)
        and any(run.positive is not None for run in of_point)
    ]


def shape_coordinates(space: Space) -> NDArray[np.bool_]:
    """True for each coordinate in which runs of one pack must agree, shape (D,)."""
    return np.array([axis.shape for axis in space.axes for _ in range(axis.num_coordinates)], bool)
