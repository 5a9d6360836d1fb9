"""Places in the unit cube and points of a space, from which the boundary sampler chooses."""

# P places, C places drawn, D axes

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import qmc

from study.search.boundary.model import Array, BoundaryModel
from study.search.space import Seen, Space
from study.spec import Point, point_key

MAX_FINITE = 4096


def sobol(num_axes: int, count: int, numbers: np.random.Generator) -> Array:
    """At least `count` places of a scrambled Sobol sequence in the unit cube, (P, D)."""
    return qmc.Sobol(num_axes, rng=numbers).random_base2(max(1, math.ceil(math.log2(count))))


def units(space: Space, points: Sequence[Point]) -> Array:
    """The places of points in the unit cube, one row each."""
    return np.array([space.encode(point) for point in points]).reshape(len(points), space.num_coordinates)


def doubt(model: BoundaryModel, places_PD: Array) -> Array:
    """Probability that the commoner outcome at each place is not the one of the model, (P,)."""
    mean_P, sd_P = model.mean_and_sd(places_PD)
    return ndtr(-np.abs(mean_P) / sd_P)


def drawn(model: BoundaryModel, places_PD: Array, count: int, numbers: np.random.Generator) -> Array:
    """`count` of the places, drawn in proportion to their doubt without repetition; all if there are fewer."""
    doubt_P = doubt(model, places_PD) + 1e-9
    count = min(count, len(places_PD))
    return places_PD[numbers.choice(len(places_PD), count, replace=False, p=doubt_P / doubt_P.sum())]


def area(model: BoundaryModel, even_PD: Array, count: int, numbers: np.random.Generator) -> tuple[Array, Array]:
    """`count` of the places `even_PD`, drawn in proportion to doubt, and the share of the space that each represents.

    The places given fill the space evenly. The shares keep a large region with little doubt from being lost beside a
    thin boundary with much doubt.
    """
    doubt_P = doubt(model, even_PD) + 1e-4
    chosen = numbers.choice(len(even_PD), min(count, len(even_PD)), replace=False, p=doubt_P / doubt_P.sum())
    share_R = 1 / doubt_P[chosen]
    return even_PD[chosen], share_R / share_R.sum()


def near_boundary(model: BoundaryModel, places_PD: Array, count: int, numbers: np.random.Generator) -> Array:
    """`count` new places where doubt is large: given ones, drawn by doubt and moved by about their typical distance."""
    doubt_P = doubt(model, places_PD) + 1e-9
    start_CD = places_PD[numbers.choice(len(places_PD), count, p=doubt_P / doubt_P.sum())]
    moved_CD = start_CD + numbers.normal(0, len(places_PD) ** (-1 / places_PD.shape[1]), start_CD.shape)
    return np.clip(moved_CD, 0, 1)


def fresh(space: Space, places_PD: Array, taken: set[str]) -> list[Point]:
    """The points at these places, each once, without those in `taken`."""
    points = [space.decode(place) for place in places_PD.tolist()]
    return list({key: point for point in points if (key := point_key(point)) not in taken}.values())


def unseen(space: Space, taken: set[str]) -> list[Point] | None:
    """All remaining points of a finite space; None if it is infinite or has more than `MAX_FINITE` points."""
    if space.size is None or space.size > MAX_FINITE:
        return None
    return [point for point in space.points() if point_key(point) not in taken]


def repeatable(seen: Sequence[Seen], most: int) -> list[Point]:
    """Points that have an outcome, fewer than `most` runs, and no unfinished run."""
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
