"""What every sampler promises: points of the study, none twice, all of them in the end."""

import random

import pytest

from study.spec import point_key
from tests.studies import small
from trainables.components import available, load

SAMPLERS = "study.samplers"

pytestmark = pytest.mark.parametrize("name", available(SAMPLERS))


def suggested(name: str, study, seen, count: int, seed: int = 0):
    return load(SAMPLERS, name).suggest(study, {point_key(point) for point in seen}, random.Random(seed), count)


def test_it_repeats_no_point(name):
    first = suggested(name, small(), [], 3)
    second = suggested(name, small(), first, 3)
    keys = [point_key(point) for point in [*first, *second]]
    assert len(set(keys)) == len(keys) > 3


def test_it_extends_what_it_gave_before(name):
    three = suggested(name, small(), [], 3)
    assert len(three) == 3
    grown = small(axes={"task.train_fraction": (0.5, 0.8), "optimizer.weight_decay": (0.5, 2.0, 3.0)})
    assert len(suggested(name, grown, three, 2)) == 2


def test_it_gives_points_of_the_study_that_make_runs(name):
    study = small()
    for point in suggested(name, study, [], 4):
        assert set(point) <= set(study.axes)
        study.run(point, seed=0)


def test_the_same_past_and_seed_give_the_same_points(name):
    assert suggested(name, small(), [], 3, seed=7) == suggested(name, small(), [], 3, seed=7)


def test_nothing_asked_is_nothing_given(name):
    assert suggested(name, small(), [], 0) == []


def test_a_grid_ends(name):
    if name == "grid":
        assert suggested(name, small(), small().points(), 5) == []
        assert suggested(name, small(), [], 99) == small().points()
