"""What every sampler promises: points of the space, none twice, all of them in the end, whatever happens in between.

`boundary` is meant to replicate: when a finite space has no new points left, it may give one again whose runs are
finished. Its own tests say which and how often.
"""

import random
import statistics

import pytest

from study.search.space import Axis, Seen, Space
from study.spec import point_key
from trainables.components import available, load
from trainables.errors import SpecError

SAMPLERS = "study.samplers"
REPLICATES = {"boundary"}
FINITE_ONLY = {"grid"}
OPTIMIZERS = ("tpe", "gp", "cma")

LINE = Space((Axis("x", low=0.2, high=0.8),))
PLANE = Space((Axis("x", low=0.2, high=0.8), Axis("y", low=0.01, high=10.0, log=True)))
MIXED = Space(
    (
        Axis("x", low=-1.0, high=1.0),
        Axis("width", low=4, high=64, log=True, integer=True),
        Axis("word", values=("add", "sub", None, True)),
        Axis("decay", values=(0.0, 5.0, 1.0)),
    )
)
WORDS = Space(
    (Axis("word", values=("add", "sub", "mul")), Axis("decay", values=(0.0, 1.0, 5.0)), Axis("width", values=(8, 16)))
)
WHOLE = Space((Axis("width", low=3, high=7, integer=True), Axis("word", values=("add", "sub"))))
MOMENTUM = Axis("momentum", values=(0.0, 0.5, 0.9), when=("optimizer", ("sgd", "muon")))
BETA = Axis("beta", low=0.5, high=0.99, when=("optimizer", ("adamw",)))
SOME = Space((Axis("optimizer", values=("adamw", "sgd", "muon")), MOMENTUM, Axis("width", low=3, high=4, integer=True)))
DEPENDENT = Space((*SOME.axes, BETA))
SPACES = {
    "line": LINE, "plane": PLANE, "mixed": MIXED, "words": WORDS, "whole": WHOLE, "some": SOME, "dependent": DEPENDENT,
}  # fmt: skip

every = pytest.mark.parametrize("name", available(SAMPLERS))
everywhere = pytest.mark.parametrize(
    ("name", "space"),
    [
        pytest.param(name, space, id=f"{name}-{label}")
        for name in available(SAMPLERS)
        for label, space in SPACES.items()
        if space.size is not None or name not in FINITE_ONLY
    ],
)


def suggest(name: str, space: Space, seen: list[Seen], count: int, seed: int = 0):
    return load(SAMPLERS, name).suggest(space, seen, random.Random(seed), count)


def result(space: Space, point) -> Seen:
    """A finished run: a bowl, positive on one side."""
    place = space.encode(point)
    value = sum((x - 0.3) ** 2 for x in place)
    positive = place[0] > 0.4
    return Seen(point, True, value, positive, 100.0 * (1 + value) if positive else None)


def history(name: str, space: Space, asked: int, calls: int, seed: int = 0) -> list[Seen]:
    """What a search has seen after some calls: of each batch the last point is still unfinished."""
    seen: list[Seen] = []
    for _ in range(calls):
        *done, last = suggest(name, space, seen, asked, seed)
        seen += [result(space, point) for point in done] + [Seen(last, False)]
    return seen


@everywhere
def test_points_lie_in_the_space(name, space):
    seen = history(name, space, 4, 2)
    assert len(seen) == 8
    assert all(space.contains(run.point) for run in seen)
    for run in seen:
        for axis in space.axes:
            assert not axis.integer or isinstance(run.point[axis.path], int)


@everywhere
def test_no_point_comes_twice_also_while_points_are_unfinished(name, space):
    keys = [point_key(run.point) for run in history(name, space, 3, 3)]
    assert len(set(keys)) == len(keys) == 9


@everywhere
def test_the_same_past_and_seed_give_the_same_points_after_any_call(name, space):
    """A search that is killed after a call and started again goes on as if nothing had happened."""
    seen = history(name, space, 4, 2)
    for known in ([], seen[:4], seen):
        assert suggest(name, space, known, 3, seed=7) == suggest(name, space, list(known), 3, seed=7)


@every
def test_another_seed_gives_other_points(name):
    if name not in FINITE_ONLY:
        assert suggest(name, PLANE, [], 4, seed=1) != suggest(name, PLANE, [], 4, seed=2)


@everywhere
def test_nothing_asked_is_nothing_given(name, space):
    assert suggest(name, space, [], 0) == []


@pytest.mark.parametrize("space", [WORDS, WHOLE, SOME], ids=["words", "whole", "some"])
@every
def test_a_finite_space_ends_when_all_of_it_was_given(name, space):
    first = [result(space, point) for point in suggest(name, space, [], 4)]
    rest = suggest(name, space, first, 99)
    keys = {point_key(point) for point in [*(run.point for run in first), *rest]}
    assert (len(rest), len(keys)) == (space.size - 4, space.size)
    more = suggest(name, space, [*first, *(Seen(point, False) for point in rest)], 5)
    if name in REPLICATES:
        assert {point_key(point) for point in more} <= {point_key(run.point) for run in first}
        seen = [*first, *(result(space, point) for point in rest)]
        while (more := suggest(name, space, seen, 5)) and len(seen) < 20 * space.size:
            seen += [result(space, point) for point in more]
    assert more == []


@every
def test_failed_and_censored_runs_are_taken_as_they_are(name):
    space = WORDS if name in FINITE_ONLY else PLANE
    seen: list[Seen] = [Seen(point, True) for point in suggest(name, space, [], 6)]
    assert len(suggest(name, space, seen, 3)) == 3
    seen += [result(space, point) for point in suggest(name, space, seen, 6)]
    assert len(suggest(name, space, seen, 3)) == 3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_comes_nearer_to_an_optimum_than_random_points_do(name):
    def best(sampler: str, seed: int) -> float:
        seen: list[Seen] = []
        for _ in range(8):
            seen += [result(PLANE, point) for point in suggest(sampler, PLANE, seen, 5, seed)]
        return min(run.value for run in seen if run.value is not None)

    seeds = range(3 if name == "gp" else 5)
    assert statistics.median(best(name, seed) for seed in seeds) < statistics.median(best("random", s) for s in seeds)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_stays_away_from_where_nothing_was_reached(name):
    def censored(point) -> Seen:
        run = result(LINE, point)
        return run if point["x"] > 0.5 else Seen(point, True)

    seen: list[Seen] = []
    for _ in range(6):
        seen += [censored(point) for point in suggest(name, LINE, seen, 5)]
    assert sum(run.point["x"] > 0.5 for run in seen[-10:]) >= 6


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_long_past_costs_little(name):
    """The models are fitted to a part of it: a call at 2,000 finished points is not far from one at 500."""
    seen = [result(PLANE, point) for point in suggest("sobol", PLANE, [], 2000)]
    assert len(suggest(name, PLANE, seen, 2)) == 2


def test_a_grid_goes_through_the_product_in_order_and_refuses_what_has_no_end():
    assert suggest("grid", WHOLE, [], 3) == [
        {"width": 3, "word": "add"}, {"width": 3, "word": "sub"}, {"width": 4, "word": "add"}]  # fmt: skip
    with pytest.raises(SpecError, match="x=a,b,c"):
        suggest("grid", LINE, [], 1)


def test_sobol_points_fill_the_space_evenly_over_calls():
    seen: list[Seen] = []
    for _ in range(8):
        seen += [result(PLANE, point) for point in suggest("sobol", PLANE, seen, 8)]
    cells = {tuple(int(8 * min(u, 0.999)) for u in PLANE.encode(run.point)) for run in seen}
    assert len(cells) == 64


def test_log_and_whole_axes_are_drawn_evenly_on_their_scale():
    seen = suggest("random", MIXED, [], 400)
    assert 150 < sum(point["width"] < 16 for point in seen) < 250
    assert {point["word"] for point in seen} == {"add", "sub", None, True}
