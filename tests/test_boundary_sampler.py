"""The boundary sampler: it looks where the outcome changes, in 1, 2 and 3 axes, and does as every sampler does."""

import math
import random

import numpy as np
import pytest

from study.samplers.boundary import suggest
from study.space import Axis, Seen, Space
from study.spec import point_key

X, Y, Z = (Axis(name, low=0.0, high=1.0) for name in "xyz")
DECAY = Axis("decay", low=0.01, high=10.0, log=True)


def searched(space: Space, positive, count: int, batch: int = 8, seed: int = 0) -> list[Seen]:
    """What is seen after `count` runs; `positive` tells the outcome of a point, None for unresolved."""
    rng, seen = random.Random(seed), []
    while len(seen) < count:
        points = suggest(space, seen, rng, batch)
        seen += [Seen(point, True, None, positive(point), None) for point in points]
        if not points:
            break
    return seen


def keys(points) -> list[str]:
    return [point_key(point) for point in points]


@pytest.mark.parametrize(("space", "distance"), [
    (Space((X,)), lambda p: p["x"] - 0.63),
    (Space((X, DECAY)), lambda p: p["x"] - 0.5 - 0.1 * math.log10(p["decay"])),
    (Space((X, Y, Z)), lambda p: p["x"] + p["y"] - 1),
])  # fmt: skip
def test_most_runs_go_near_the_boundary(space, distance):
    seen = searched(space, lambda point: distance(point) > 0, 24 * len(space.axes))
    later = [abs(distance(run.point)) for run in seen[len(seen) // 2 :]]
    assert np.median(later) < 0.1 * len(space.axes) ** 0.5


def test_one_axis_is_bisected():
    seen = searched(Space((X,)), lambda point: point["x"] > 0.637, 24, batch=2)
    below = max(run.point["x"] for run in seen if not run.positive)
    above = min(run.point["x"] for run in seen if run.positive)
    assert below < 0.637 < above
    assert above - below < 0.02


def test_disconnected_regions_are_found():
    centres = [(0.2, 0.2), (0.8, 0.75), (0.2, 0.85)]

    def inside(point):
        return min(math.hypot(point["x"] - x, point["y"] - y) for x, y in centres) < 0.12

    seen = searched(Space((X, Y)), inside, 128)
    for x, y in centres:
        assert sum(run.positive and math.hypot(run.point["x"] - x, run.point["y"] - y) < 0.12 for run in seen) >= 3


def test_noisy_places_are_asked_again_and_again_nearby():
    numbers = random.Random(0)
    seen = searched(Space((X,)), lambda point: numbers.random() < (0.5 + 2 * (point["x"] - 0.5)), 60)
    assert sum(abs(run.point["x"] - 0.5) < 0.25 for run in seen) > 30


def test_the_same_past_and_seed_give_the_same_points_and_nothing_is_changed():
    seen = searched(Space((X, Y)), lambda point: point["x"] > 0.5, 24)
    before = list(seen)
    assert suggest(Space((X, Y)), seen, random.Random(3), 8) == suggest(Space((X, Y)), seen, random.Random(3), 8)
    assert seen == before


def test_a_batch_has_no_point_twice_and_repeats_none():
    seen = searched(Space((X, Y)), lambda point: point["x"] > 0.5, 32)
    batch = suggest(Space((X, Y)), seen, random.Random(0), 64)
    assert len(set(keys(batch))) == 64
    assert not set(keys(batch)) & set(keys(run.point for run in seen))


def test_points_that_still_run_are_not_asked_again_and_push_others_away():
    space = Space((X,))
    seen = searched(space, lambda point: point["x"] > 0.5, 12, batch=4)
    pending = [Seen(point, False, None, None, None) for point in suggest(space, seen, random.Random(0), 4)]
    more = suggest(space, [*seen, *pending], random.Random(0), 4)
    assert not set(keys(more)) & set(keys(run.point for run in pending))
    apart = min(abs(a["x"] - run.point["x"]) for a in more for run in pending)
    assert apart > 0


def test_before_any_outcome_the_points_fill_the_space():
    space = Space((X, Y))
    first = suggest(space, [], random.Random(0), 16)
    pending = [Seen(point, False, None, None, None) for point in first]
    points = np.array([[p["x"], p["y"]] for p in [*first, *suggest(space, pending, random.Random(1), 16)]])
    quarters = {tuple(quarter) for quarter in (points // 0.25).astype(int).tolist()}
    assert len(quarters) >= 14  # of 16


def test_unresolved_runs_say_nothing_and_do_not_hold_the_search():
    def outcome(point):
        return None if point["y"] > 0.8 else point["x"] > 0.5

    seen = searched(Space((X, Y)), outcome, 80)
    assert len(seen) == 80
    assert 4 < sum(run.positive is None for run in seen) < 40
    nothing = [Seen({"x": i / 20, "y": 0.5}, True, None, None, None) for i in range(20)]
    assert len(suggest(Space((X, Y)), nothing, random.Random(0), 4)) == 4


@pytest.mark.parametrize("axes", [
    (Axis("width", values=(4, 8, 16, 32)), Axis("depth", low=1, high=4, integer=True)),
    (Axis("model", values=("mlp", "transformer")), Axis("width", values=tuple(range(10)))),
])  # fmt: skip
def test_a_finite_space_is_done_in_the_end(axes):
    space = Space(axes)
    seen = searched(space, lambda point: str(point["width"]) > "4", 99, batch=5)
    size = math.prod(len(axis.values) if axis.values else 4 for axis in axes)
    assert len(seen) == len(set(keys(run.point for run in seen))) == size
    assert suggest(space, seen, random.Random(0), 5) == []
    assert len(suggest(space, seen[:-2], random.Random(0), 5)) == 2


def test_integer_and_log_axes_stay_in_range():
    space = Space((Axis("width", low=4, high=512, log=True, integer=True), DECAY))
    for run in searched(space, lambda point: point["width"] * point["decay"] > 30, 40):
        assert isinstance(run.point["width"], int)
        assert 4 <= run.point["width"] <= 512
        assert 0.01 <= run.point["decay"] <= 10


def test_one_outcome_so_far_keeps_the_search_going():
    seen = searched(Space((X, Y)), lambda point: False, 48)
    assert len(seen) == 48
    assert suggest(Space((X, Y)), seen, random.Random(0), 0) == []
