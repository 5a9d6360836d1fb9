"""Points where the outcome is least certain and most informative about the boundary between two outcomes.

The first points are a scrambled Sobol sequence. After that each point is the one that is expected to lower the
misclassified area most, by the model of study/boundary_model.py; what was just chosen, or still runs, is counted as if
it had confirmed the model. Every `EXPLORING`-th point is instead the one farthest from all others: a region that the model
does not suspect is found that way. Replication needs no rule of its own: where seeds disagree the same neighbourhood
goes on being the most informative. First-passage steps are not used.

source of the criterion: Chevalier et al. 2014, Fast parallel kriging-based stepwise uncertainty reduction; closed form
for the sign of a normal variable by Owen's T function.
"""

# N runs, C candidates, R places that stand for the area, P pool (all of these), D axes

import math
import random
from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import expit, ndtr, owens_t
from scipy.stats import qmc

from study.boundary_model import Array, BoundaryModel, fit
from study.space import Seen, Space
from study.spec import Point, point_key

FIRST_POINTS = {1: 6, 2: 12}
"""Size of the space-filling beginning by number of axes; eight per axis beyond."""
EXPLORING = 8
POOL, AREA = 1024, 256
TRIED = 16
"""Candidates whose score is brought up to date for each choice; the others keep an older one, which bounds it."""
UNRESOLVED_WEIGHT = 0.25
"""A run whose phase stays unknown tells nothing, but a neighbourhood of such runs should not be asked for ever."""


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` new points, none of them in `seen`; fewer when a finite space is done."""
    numbers = np.random.default_rng(rng.getrandbits(64))
    taken = {point_key(run.point) for run in seen}
    units_ND = np.array([space.to_unit(run.point) for run in seen]).reshape(len(seen), len(space.axes))
    known = [i for i, run in enumerate(seen) if run.positive is not None]
    first = FIRST_POINTS.get(len(space.axes), 8 * len(space.axes))
    chosen: list[Point] = []
    if len(seen) < first or not known:
        wanted = count if not known else min(count, first - len(seen))
        chosen = fresh(space, sobol(len(space.axes), max(POOL, 2 * count), numbers), taken)[:wanted]
    if len(chosen) == count:
        return chosen
    units_ND = np.vstack([units_ND, *([space.to_unit(point)] for point in chosen)])
    model = fit(units_ND[known], np.array([seen[i].positive for i in known]))
    unknown = [i for i in range(len(units_ND)) if i not in set(known)]
    weights = [UNRESOLVED_WEIGHT if i < len(seen) and seen[i].finished else 1.0 for i in unknown]
    pool_PD = sobol(len(space.axes), POOL, numbers)
    around_PD = near_boundary(model, pool_PD, POOL, numbers)
    candidates = fresh(space, near_boundary(model, around_PD, max(128, 2 * (count - len(chosen))), numbers), taken)
    far = fresh(space, pool_PD, taken | {point_key(point) for point in candidates})
    area_RD = drawn(model, np.vstack([pool_PD, around_PD]), AREA, numbers)
    return chosen


def sobol(num_axes: int, count: int, numbers: np.random.Generator) -> Array:
    """A scrambled Sobol sequence in the unit cube, at least `count` places."""
    return qmc.Sobol(num_axes, rng=numbers).random_base2(max(1, math.ceil(math.log2(count))))
