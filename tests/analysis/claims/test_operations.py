"""The statistics of operations, on runs of which the answer is known, and learners that must not pass."""

import itertools
import math

import numpy as np
import pytest

from analysis.claim import REPRODUCED, Runs
from analysis.claims import operations
from analysis.claims.operations import gain_over_hard, growth
from tests.support.controls import SEEDS, cases, verdict

FRACTIONS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def run(operation: str, fraction: float, steps: int | None, seed: int = 0) -> dict:
    point = {"task.operation": operation, "task.train_fraction": fraction}
    return {"point": point, "seed": seed, "train_fraction": fraction, "test_step_95": steps}


def test_the_hard_operation_is_compared_with_the_others_where_there_is_most_data():
    easy = [
        run("add", 0.9, 100),
        run("mul", 0.9, 100),
        run("mul", 0.9, None),
        run("mul", 0.5, 9),
        run("sub", 0.5, None),
    ]
    assert gain_over_hard([*easy, run("cubic_plus_b", 0.9, None)]) == pytest.approx(0.75)
    assert gain_over_hard([*easy, run("cubic_plus_b", 0.9, 10)]) == pytest.approx(-0.25)
    assert math.isnan(gain_over_hard(easy))
    assert math.isnan(gain_over_hard([]))


def test_growth_is_that_near_the_smallest_fraction_that_generalizes():
    steps = {0.3: None, 0.4: 4000, 0.41: 2000, 0.42: 1000, 0.43: 500, 0.6: 400, 0.9: 390}
    runs = [run("sub", fraction, step) for fraction, step in steps.items()] + [run("add", 0.9, 7)]
    assert growth(runs) == pytest.approx(2)
    assert math.isnan(growth(runs[:3]))
    assert math.isnan(growth([]))


def alike(numbers: np.random.Generator) -> Runs:
    """Takes as many steps with any operation and any data."""
    points = [("sub", fraction) for fraction in FRACTIONS] + [("add", 0.9), ("cubic_plus_b", 0.9)]
    return [
        run(operation, fraction, round(500 * math.exp(0.3 * numbers.normal())), seed)
        for (operation, fraction), seed in itertools.product(points, range(SEEDS))
    ]


def memorizer(numbers: np.random.Generator) -> Runs:
    """Generalizes from nothing."""
    return [one | {"test_step_95": None} for one in alike(numbers)]


@pytest.mark.parametrize(("control", "claim"), cases({alike: operations, memorizer: operations}, {}))
def test_a_learner_without_the_finding_does_not_reproduce_it(control, claim):
    assert verdict(claim, control(np.random.default_rng(0))) != REPRODUCED
