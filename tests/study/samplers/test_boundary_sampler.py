"""The boundary sampler: it looks where the outcome changes, in 1, 2 and 3 axes, and does as every sampler does."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from study.samplers.boundary import MOST_RUNS, suggest
from study.search.boundary.model import fit
from study.search.boundary.passages import log_steps
from study.search.space import Axis, Seen, Space
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


def test_while_all_outcomes_are_the_same_the_space_is_filled():
    seen = searched(Space((X, Y)), lambda point: False, 48)
    places = np.array([[run.point["x"], run.point["y"]] for run in seen])
    ticks = (np.arange(40) + 0.5) / 40
    lattice = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
    nearest = np.linalg.norm(lattice[:, None] - places, axis=-1).min(1)
    assert nearest.max() < 0.18  # no disc of this radius is without a run


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
    seen = searched(space, lambda point: str(point["width"]) > "4", 300, batch=5)
    size = math.prod(len(axis.values) if axis.values else 4 for axis in axes)
    assert len(set(keys(run.point for run in seen[:size]))) == size
    assert size <= len(seen) < 300
    assert suggest(space, seen, random.Random(0), 5) == []
    assert len(suggest(space, seen[: size - 2], random.Random(0), 2)) == 2


def test_a_finite_space_asks_again_where_seeds_disagree_and_not_for_ever():
    space, rate = Space((Axis("x", values=tuple(range(12))),)), [0.0] * 5 + [0.3, 0.6] + [1.0] * 5
    between = ends = 0
    for seed in range(4):  # a single search may see seeds agree by chance, and end
        numbers = random.Random(seed)
        seen = searched(space, lambda point, of=numbers: of.random() < rate[point["x"]], 400, batch=4)
        runs = Counter(run.point["x"] for run in seen)
        assert min(runs.values()) >= 1
        assert max(runs.values()) <= MOST_RUNS
        assert suggest(space, seen, random.Random(0), 4) == []
        between, ends = between + runs[5] + runs[6], ends + runs[0] + runs[11]
    assert between > 2 * ends


def test_a_point_is_not_asked_again_while_it_runs_or_when_no_run_of_it_was_resolved():
    space = Space((Axis("x", values=(0, 1, 2, 3)),))
    seen = [Seen({"x": x}, True, None, positive) for x, positive in enumerate((False, True, False, None))]
    assert {point["x"] for point in suggest(space, seen, random.Random(0), 4)} == {0, 1, 2}
    again = [*seen, Seen({"x": 1}, False)]
    assert {point["x"] for point in suggest(space, again, random.Random(0), 4)} <= {0, 2}


WIDTH = Axis("width", low=4, high=11, integer=True, shape=True)


@pytest.mark.parametrize("width", [WIDTH, Axis("width", values=(4, 16, 64), shape=True)])
def test_a_suggestion_has_one_shape_and_all_shapes_get_runs(width):
    space, rng, seen = Space((width, DECAY)), random.Random(0), []
    for _ in range(24):
        points = suggest(space, seen, rng, 8)
        assert len({point["width"] for point in points}) == 1
        assert len(set(keys(points))) == 8
        seen += [Seen(p, True, None, p["width"] * p["decay"] > 3, None) for p in points]
    near = Counter(run.point["width"] for run in seen if abs(math.log(run.point["width"] * run.point["decay"] / 3)) < 1)
    assert set(near) == set(width.all_values())
    assert min(near.values()) >= 3


def test_points_that_are_asked_again_have_one_shape_too():
    numbers = random.Random(0)
    space = Space((Axis("width", values=(4, 8), shape=True), Axis("depth", low=1, high=4, integer=True)))
    seen = searched(space, lambda point: numbers.random() < 0.5, 8)
    again = suggest(space, seen, random.Random(0), 6)
    assert {point["width"] for point in again[:2]} in ({4}, {8})
    assert set(keys(again)) <= set(keys(run.point for run in seen))


def test_where_a_shape_has_too_few_points_a_suggestion_goes_on_with_others():
    space = Space((Axis("width", values=(4, 8, 16), shape=True), Axis("depth", low=1, high=3, integer=True)))
    seen = searched(space, lambda point: point["depth"] > 1, 6, batch=2)
    assert len(suggest(space, [], random.Random(0), 5)) == 5
    assert len(suggest(space, seen, random.Random(0), 3)) == 3


def test_late_first_passages_tell_that_the_boundary_is_near():
    """The boundary is looked for nearer to where passages grow; equal passages change nothing."""
    space = Space((X, Y))
    points = [{"x": x, "y": y} for x in (0.4, 0.6, 0.8, 1.0) for y in (0.1, 0.4, 0.6, 0.9)]
    outside = [Seen({"x": 0.0, "y": y}, True, None, False) for y in (0.1, 0.9)]
    late, flat = (
        [*outside, *(Seen(point, True, None, True, step(point["x"])) for point in points)]
        for step in (lambda x: 500 * math.exp(-4 * (x - 0.35)), lambda x: 100.0)
    )
    places, positive = np.array([[run.point["x"], run.point["y"]] for run in late]), [bool(run.step) for run in late]
    line = np.column_stack([np.linspace(0, 1, 201), np.full(201, 0.5)])
    crossing = {
        name: line[np.argmax(fit(places, np.array(positive), log_steps_N=log_steps(seen)).mean_and_sd(line)[0] > 0), 0]
        for name, seen in {"late": late, "flat": flat}.items()
    }
    plain = line[np.argmax(fit(places, np.array(positive)).mean_and_sd(line)[0] > 0), 0]
    assert crossing["flat"] == plain
    assert crossing["late"] > plain + 0.02
    assert len(suggest(space, late, random.Random(0), 4)) == 4


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
