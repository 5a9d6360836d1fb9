"""Points where a run is most informative about the boundary between two outcomes.

The first points are a scrambled Sobol sequence. After that each point is the one that is expected to reduce the
misclassified area most (_gain.py), under the model of search/boundary/model.py, which also reads first passages. Every
`EXPLORING`-th point is instead the one farthest from all others, which finds regions that the model does not suspect.
While all outcomes are the same, every point is chosen that way, because the model then only knows its prior.

Replication: where seeds disagree, the same neighbourhood stays the most informative. A finite space has no new points
left once all of it was asked for; then points that the model is unsure of are asked for again, until there are none or
each has had `MOST_RUNS` runs.

Axes that divide packs (`Axis.shape`): the first point of a suggestion is chosen freely, and the others take its values
on these axes as long as there are such points, so that one suggestion is one pack. The next suggestion usually takes
another shape, because points near those just asked for have less to gain.
"""

# P pool, L places left, C candidates, R places that represent the area, W places without an outcome, D axes

import random
from collections.abc import Sequence

import numpy as np
from scipy.spatial import KDTree

from study.samplers._gain import Gain
from study.samplers._places import (
    area,
    doubt,
    drawn,
    fresh,
    near_boundary,
    repeatable,
    shape_coordinates,
    sobol,
    units,
    unseen,
)
from study.search.boundary.model import Array, BoundaryModel, fit
from study.search.boundary.passages import log_steps
from study.search.space import Seen, Space
from study.spec import Point, point_key

FIRST_POINTS = {1: 6, 2: 8}
"""Number of space-filling points at the beginning, by number of coordinates; four per coordinate beyond two. With eight
a search of 32 runs in four axes only fills the space: 6.9% of its map is wrong, and 4.3% with four (8 seeds of
tests.bench.regimes)."""
EXPLORING = 24
POOL, EVEN, AREA = 1024, 2048, 256
UNRESOLVED_WEIGHT = 0.5
"""How much a finished run with an unknown phase counts: it says nothing, but its neighbourhood must not be asked for
endlessly."""
DOUBT, MOST_RUNS = 0.05, 12
"""A point of a finite space is asked for again above this probability of a wrong phase, up to this many runs."""


def suggest(space: Space, seen: Sequence[Seen], rng: random.Random, count: int) -> list[Point]:
    """Up to `count` points: new ones, or in a finite space without new points repeated ones; [] when it is done."""
    numbers = np.random.default_rng(rng.getrandbits(64))
    resolved = [run for run in seen if run.positive is not None]
    first = FIRST_POINTS.get(space.num_coordinates, 4 * space.num_coordinates)
    taken = {point_key(run.point) for run in seen}
    chosen = filling(space, taken, min(count, first - len(seen)) if resolved else count, numbers)
    if len(chosen) >= count or not resolved:
        return chosen
    places_ND = units(space, [run.point for run in resolved])
    model = fit(places_ND, np.array([run.positive for run in resolved]), log_steps_N=log_steps(resolved))
    choice = _Choice(space, seen, model, numbers)
    if not shape_coordinates(space).any():
        return choice.extended(chosen, count)
    chosen = chosen or choice.extended(chosen, 1)
    return choice.extended(choice.extended(chosen, count, one_shape=True), count)


def filling(space: Space, taken: set[str], count: int, numbers: np.random.Generator) -> list[Point]:
    """Up to `count` points spread over the space, of one shape as far as that has enough points."""
    places_PD = sobol(space.num_coordinates, max(POOL, 2 * count), numbers)
    points = fresh(space, places_PD, taken)
    shape_D = shape_coordinates(space)
    if points and shape_D.any():
        alike_PD = np.where(shape_D, space.encode(points[0]), places_PD)
        points = [points[0], *fresh(space, alike_PD, taken), *points]
    points += unseen(space, taken) or []
    return list({point_key(point): point for point in points}.values())[: max(0, count)]


class _Choice:
    """Chooses the points of one suggestion."""

    def __init__(self, space: Space, seen: Sequence[Seen], model: BoundaryModel, numbers: np.random.Generator) -> None:
        self.space, self.seen, self.model, self.numbers = space, seen, model, numbers
        pool_PD = sobol(space.num_coordinates, POOL, numbers)
        self.pool_PD = np.vstack([pool_PD, near_boundary(model, pool_PD, POOL, numbers)])
        self.area_RD, self.share_R = area(model, sobol(space.num_coordinates, EVEN, numbers), AREA, numbers)
        self.seen_ND = units(space, [run.point for run in seen])
        self.one_sided = len({run.positive for run in seen} - {None}) == 1

    def extended(self, chosen: list[Point], count: int, one_shape: bool = False) -> list[Point]:
        """`chosen` extended by the most informative points up to `count`; `one_shape` keeps the first point's shape."""
        if len(chosen) >= count:
            return chosen
        asked, now = ({point_key(point) for point in some} for some in ((run.point for run in self.seen), chosen))
        left = unseen(self.space, asked | now)
        again = left == [] and now <= asked
        points = self._doubtful(now) if again else left
        places_LD = self.pool_PD if points is None else units(self.space, points)
        if one_shape:
            shape_D, first_D = shape_coordinates(self.space), np.array(self.space.encode(chosen[0]))
            alike_L = np.isclose(places_LD, first_D)[:, shape_D].all(1)
            places_LD = np.where(shape_D, first_D, places_LD) if points is None else places_LD[alike_L]
        if not len(places_LD):
            return chosen
        tree = KDTree(np.vstack([self.seen_ND, units(self.space, chosen)]))
        points = self._candidates(places_LD, tree, now if again else asked | now, count - len(chosen))
        waiting = [run for run in self.seen if run.positive is None]
        weights = [UNRESOLVED_WEIGHT if run.finished else 1.0 for run in waiting] + [1.0] * len(chosen)
        waiting_WD = units(self.space, [*(run.point for run in waiting), *chosen])
        points_CD, waiting_WD, weights = units(self.space, points), waiting_WD[-AREA:], weights[-AREA:]
        gain = Gain(self.model, points_CD, self.area_RD, self.share_R, tree, waiting_WD, weights)
        chosen = list(chosen)
        for _ in range(min(count - len(chosen), len(points))):
            turn = self.one_sided or (len(self.seen) + len(chosen)) % EXPLORING == EXPLORING - 1
            chosen.append(points[gain.choose(turn and not again)])
        return chosen

    def _candidates(self, left_LD: Array, tree: KDTree, taken: set[str], count: int) -> list[Point]:
        """Points at some of these places: doubtful ones, and those farthest from all runs."""
        near_CD = drawn(self.model, left_LD, max(128, 2 * count), self.numbers)
        far_CD = left_LD[np.argsort(-tree.query(left_LD)[0])[: max(32, count // 4)]]
        return fresh(self.space, np.vstack([near_CD, far_CD]), taken)

    def _doubtful(self, now: set[str]) -> list[Point]:
        """Points of `seen` to ask for again, without those in `now`."""
        points = [point for point in repeatable(self.seen, MOST_RUNS) if point_key(point) not in now]
        doubts = doubt(self.model, units(self.space, points)) if points else []
        return [point for point, wrong in zip(points, doubts, strict=True) if wrong > DOUBT]
