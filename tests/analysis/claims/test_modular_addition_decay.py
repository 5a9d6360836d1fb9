"""Claims of decay and modular addition: laws that statistics must find, and learners of which nothing is true."""

import itertools
import math

import numpy as np
import pytest

from analysis.claim import NOT_REPRODUCED, REPRODUCED, Runs
from analysis.claims.modular_addition_decay import CLAIMS, slope
from tests.support.controls import SEEDS, verdict

FRACTIONS, DECAYS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8), (0.0, 0.1, 0.3, 1.0, 3.0)
HORIZON = 3000


def made_up(learner) -> Runs:
    """Runs of the study; `learner(numbers, fraction, decay)` gives the steps to fit and to generalize."""
    runs, numbers = [], np.random.default_rng(0)
    for fraction, decay in itertools.product(FRACTIONS, DECAYS):
        for seed in range(SEEDS):
            train, test = learner(numbers, fraction, decay)
            run = {"train_step_95": train, "test_step_95": test, "train_fraction": fraction, "weight_decay": decay}
            point = {"task.train_fraction": fraction, "optimizer.weight_decay": decay}
            runs.append(run | {"seed": seed, "horizon": HORIZON, "point": point})
    return runs


def inverse(numbers: np.random.Generator, fraction: float, decay: float):
    """By the theory: time inverse to the decay, fitting apart from it; less data is needed with more decay."""
    steps = round(100 / decay / (fraction - 0.25) ** 2) * math.exp(0.05 * numbers.normal()) if decay else math.inf
    return 100 * math.exp(0.05 * numbers.normal()), steps if steps < HORIZON else None


def growing(numbers: np.random.Generator, fraction: float, decay: float):
    """Time that grows with the decay, from one fraction on whatever the decay."""
    return 100, 300 * decay**0.8 * math.exp(0.05 * numbers.normal()) if decay and fraction > 0.45 else None


def chance(numbers: np.random.Generator, fraction: float, decay: float):
    """Everything by chance of the seed."""
    return (100 * math.exp(numbers.normal()), 500 * math.exp(numbers.normal()) if numbers.random() < 0.5 else None)


def memorizer(numbers: np.random.Generator, fraction: float, decay: float):
    return 100, None


BY_LAW = {
    inverse: {
        "no_grokking_without_decay",
        "delay_falls_with_data",
        "time_is_inverse_to_decay",
        "fitting_does_not_depend_on_decay",
        "decay_saves_data",
    },
    growing: {
        "no_grokking_without_decay",
        "time_grows_with_decay",
        "fitting_does_not_depend_on_decay",
        "data_does_not_depend_on_decay",
    },
    chance: set(),
    memorizer: set(),
}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
@pytest.mark.parametrize("learner", BY_LAW, ids=lambda learner: learner.__name__)
def test_a_claim_is_reproduced_where_its_law_holds(learner, claim):
    assert (verdict(claim, made_up(learner)) == REPRODUCED) == (claim.name in BY_LAW[learner])


def test_both_sides_of_the_dispute_on_time_cannot_hold():
    [claim] = [claim for claim in CLAIMS if claim.name == "time_grows_with_decay"]
    assert verdict(claim, made_up(inverse)) == NOT_REPRODUCED
    assert slope(lambda run: run["test_step_95"])(made_up(inverse)) == pytest.approx(-1, abs=0.05)
