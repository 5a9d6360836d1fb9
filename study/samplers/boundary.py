"""Points where the outcome is least certain and most informative about the boundary between two outcomes.

The first points are a scrambled Sobol sequence. After that each point is the one that is expected to lower the
misclassified area most, by the model of study/boundary_model.py; what was just chosen, or still runs, is counted as if
it had confirmed the model. Every `EXPLORING`-th point is instead the one farthest from all others: a region that the
model does not suspect is found that way. Replication needs no rule of its own: where seeds disagree the same
neighbourhood goes on being the most informative. First-passage steps are not used: they say nothing where runs
generalize early and lose it again.

source of the criterion: Chevalier et al. 2014, Fast parallel kriging-based stepwise uncertainty reduction; closed form
for the sign of a normal variable by Owen's T function.
"""

# N runs, C candidates, R places that stand for the area, P pool (all of these), D axes

import math
import random
from collections.abc import Sequence

import numpy as np
from scipy.spatial import KDTree
from scipy.special import log_ndtr, ndtr, owens_t
from scipy.stats import qmc

from study.boundary_model import Array, BoundaryModel, fit
from study.space import Seen, Space
from study.spec import Point, point_key

FIRST_POINTS = {1: 6, 2: 12}
"""Size of the space-filling beginning by number of axes; eight per axis beyond."""
EXPLORING = 12
POOL, AREA = 1024, 256
MAX_FINITE = 4096
TRIED = 16
"""Candidates whose score is brought up to date for each choice; the others keep an older one, which bounds it."""
UNRESOLVED_WEIGHT = 0.25
"""A run whose phase stays unknown tells nothing, but a neighbourhood of such runs should not be asked for ever."""


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` new points, none of them in `seen`; fewer when a finite space is done."""
    numbers = np.random.default_rng(rng.getrandbits(64))
    num_axes = space.num_coordinates
    taken = {point_key(run.point) for run in seen}
    resolved = [run for run in seen if run.positive is not None]
    first = FIRST_POINTS.get(num_axes, 8 * num_axes)
    wanted = min(count, first - len(seen)) if resolved else count
    left = unseen(space, taken)
    start = fresh(space, sobol(num_axes, max(POOL, 2 * count), numbers), taken)
    chosen = list({point_key(point): point for point in [*start, *(left or [])]}.values())[: max(0, wanted)]
    if len(chosen) == count or not resolved:
        return chosen
    taken |= {point_key(point) for point in chosen}
    left = None if left is None else [point for point in left if point_key(point) not in taken]
    if left == []:
        return chosen
    model = fit(units(space, resolved), np.array([run.positive for run in resolved]))
    waiting = [run for run in seen if run.positive is None]
    waiting_WD = np.vstack([units(space, waiting), *([space.encode(point)] for point in chosen)])
    weights = [UNRESOLVED_WEIGHT if run.finished else 1.0 for run in waiting] + [1.0] * len(chosen)
    pool_PD = sobol(num_axes, POOL, numbers)
    pool_PD = np.vstack([pool_PD, near_boundary(model, pool_PD, POOL, numbers)])
    tree = KDTree(np.vstack([units(space, seen), waiting_WD]))
    left_LD = pool_PD if left is None else np.array([space.encode(point) for point in left]).reshape(-1, num_axes)
    near_CD = drawn(model, left_LD, max(128, 2 * count), numbers)
    far_CD = left_LD[np.argsort(-tree.query(left_LD)[0])[: max(32, count // 4)]]
    points = fresh(space, np.vstack([near_CD, far_CD]), taken)
    area_RD = drawn(model, pool_PD, AREA, numbers)
    search = _Search(model, np.array([space.encode(point) for point in points]), area_RD, tree, waiting_WD[-AREA:])
    for i, weight in enumerate(weights[-AREA:]):
        search.count_in(len(points) + AREA + i, weight)
    while len(chosen) < min(count, len(points)):
        exploring = (len(seen) + len(chosen)) % EXPLORING == EXPLORING - 1
        chosen.append(points[search.choose(exploring)])
    return chosen


class _Search:
    """Greedy choice among candidates, each choice counted as a run that confirms the model."""

    def __init__(self, model: BoundaryModel, candidates_CD: Array, area_RD: Array, tree: KDTree, waiting_WD: Array):
        self.candidates_CD, self.num = candidates_CD, len(candidates_CD)
        self.area = slice(self.num, self.num + len(area_RD))
        places_JD = np.vstack([candidates_CD, area_RD, waiting_WD])
        self.mean_J, sd_J = model.mean_and_sd(places_JD)
        self.covariance_JJ = model.covariance(places_JD)
        # A run tells f with a noise of this variance: it lowers the variance of f as an outcome does on average.
        z_J = self.mean_J / np.sqrt(1 + sd_J**2)
        sharpness_J = np.exp(-(z_J**2) - log_ndtr(z_J) - log_ndtr(-z_J)) / (2 * np.pi)
        self.noise_J = (1 + sd_J**2) / np.maximum(sharpness_J, 1e-6) - sd_J**2
        self.distance_C = tree.query(candidates_CD)[0]
        self.score_C = np.full(self.num, np.inf)
        self.score_C = self._gain(np.arange(self.num))

    def choose(self, exploring: bool) -> int:
        """The next candidate: the most informative one, or the one farthest from all runs."""
        if exploring:
            best = int(np.argmax(np.where(np.isfinite(self.score_C), self.distance_C, -1)))
        else:
            tried = np.argsort(-self.score_C)[:TRIED]
            tried = tried[np.isfinite(self.score_C[tried])]
            self.score_C[tried] = self._gain(tried)
            best = int(tried[np.argmax(self.score_C[tried])])
        self.score_C[best] = -np.inf
        self.distance_C = np.minimum(
            self.distance_C, np.linalg.norm(self.candidates_CD - self.candidates_CD[best], axis=1)
        )
        self.count_in(best)
        return best

    def count_in(self, place: int, weight: float = 1.0) -> None:
        """The covariance after a run at this place; the mean stays."""
        column_J = self.covariance_JJ[:, place]
        total = self.covariance_JJ[place, place] + self.noise_J[place] / weight
        self.covariance_JJ = self.covariance_JJ - np.outer(column_J, column_J / total)

    def _gain(self, tried: np.ndarray) -> Array:
        """By how much a run at each of these is expected to lower the misclassified share of the area."""
        variance_J = np.maximum(np.diag(self.covariance_JJ), 1e-9)
        ratio_R = np.abs(self.mean_J[self.area]) / np.sqrt(variance_J[self.area])
        known_TR = self.covariance_JJ[tried, self.area] ** 2 / variance_J[self.area]
        known_TR = np.clip(known_TR / (variance_J[tried] + self.noise_J[tried])[:, None], 1e-9, 1 - 1e-9)
        return (ndtr(-ratio_R) - 2 * owens_t(ratio_R, np.sqrt(1 / known_TR - 1))).mean(1)


def sobol(num_axes: int, count: int, numbers: np.random.Generator) -> Array:
    """A scrambled Sobol sequence in the unit cube, at least `count` places."""
    return qmc.Sobol(num_axes, rng=numbers).random_base2(max(1, math.ceil(math.log2(count))))


def units(space: Space, runs: Sequence[Seen]) -> Array:
    """Where runs are in the unit cube, one row each."""
    return np.array([space.encode(run.point) for run in runs]).reshape(len(runs), space.num_coordinates)


def doubt(model: BoundaryModel, places_PD: Array) -> Array:
    """Probability that the commoner outcome at each place is not the one that the model says."""
    mean_P, sd_P = model.mean_and_sd(places_PD)
    return ndtr(-np.abs(mean_P) / sd_P)


def drawn(model: BoundaryModel, places_PD: Array, count: int, numbers: np.random.Generator) -> Array:
    """`count` of the places, in proportion to the doubt about them, none twice; all if there are fewer."""
    doubt_P = doubt(model, places_PD) + 1e-9
    count = min(count, len(places_PD))
    return places_PD[numbers.choice(len(places_PD), count, replace=False, p=doubt_P / doubt_P.sum())]


def near_boundary(model: BoundaryModel, places_PD: Array, count: int, numbers: np.random.Generator) -> Array:
    """Places between those given, where the doubt is: drawn ones, moved by about their distance from each other."""
    doubt_P = doubt(model, places_PD) + 1e-9
    start = places_PD[numbers.choice(len(places_PD), count, p=doubt_P / doubt_P.sum())]
    moved = start + numbers.normal(0, len(places_PD) ** (-1 / places_PD.shape[1]), start.shape)
    return np.clip(moved, 0, 1)


def fresh(space: Space, places_PD: Array, taken: set[str]) -> list[Point]:
    """The points of these places, each once and none of those taken."""
    points = [space.decode(place) for place in places_PD.tolist()]
    return list({key: point for point in points if (key := point_key(point)) not in taken}.values())


def unseen(space: Space, taken: set[str]) -> list[Point] | None:
    """All points left of a finite space; None for one without an end, or with more than `MAX_FINITE` points."""
    if space.size is None or space.size > MAX_FINITE:
        return None
    return [point for point in space.points() if point_key(point) not in taken]
