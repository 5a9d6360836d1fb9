"""What every sampler promises: points of the space, none twice, all of them in the end, whatever happens in between.

`boundary` is meant to replicate: when a finite space has no new points left, it may give one again whose runs are
finished. Its own tests say which and how often.
"""

import random
import statistics

import pytest

from study.check.sampler import FINITE, LINE, MIXED, PLANE, SOME, SPACES, WHOLE, WORDS, checks, result
from study.search.space import Seen, Space
from study.spec import point_key
from trainables.components import available, load
from trainables.errors import SpecError

SAMPLERS = "study.samplers"
REPLICATES = {"boundary"}
FINITE_ONLY = {"grid"}
OPTIMIZERS = ("tpe", "gp", "cma")

every = pytest.mark.parametrize("name", available(SAMPLERS))


def suggest(name: str, space: Space, seen: list[Seen], count: int, seed: int = 0):
    return load(SAMPLERS, name).suggest(space, seen, random.Random(seed), count)


@every
def test_every_sampler_passes_the_checks_that_a_users_sampler_gets(name):
    rows = list(checks(load(SAMPLERS, name).suggest))
    assert [row for row in rows if not row.ok] == []
    assert {row.detail for row in rows if row.name != "used up"} == {
        f"{len(FINITE if name in FINITE_ONLY else SPACES)} spaces"
    }


@every
def test_another_seed_gives_other_points(name):
    if name not in FINITE_ONLY:
        assert suggest(name, PLANE, [], 4, seed=1) != suggest(name, PLANE, [], 4, seed=2)


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
