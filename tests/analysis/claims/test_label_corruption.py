"""Claims of label corruption: made-up runs that show what the paper says, and learners of which nothing is true."""

import itertools

import numpy as np
import pytest

from analysis.claim import REPRODUCED, Runs
from analysis.claims.label_corruption import CLAIMS, corruption, kept, lightly_corrupted
from tests.support.controls import SEEDS, verdict

FRACTIONS, CORRUPTIONS, DECAYS = (0.3, 0.5, 0.7, 0.9), (0.0, 0.1, 0.2, 0.3, 0.4), (0.0, 5.0, 10.0, 15.0)


def phase(run: dict) -> str:
    """Table 2 of the paper, as study/phases/doshi2023.sql has it."""
    train, test, share = run["final_train_accuracy"], run["final_test_accuracy"], corruption(run)
    if test >= 0.9:
        return "coexistence" if train >= 0.9 else "partial_inversion" if train >= 1.05 - share else "full_inversion"
    if train >= 0.9:
        return "memorization"
    return "forgetting" if run["max_test_accuracy"] >= 0.9 else "confusion"


def made_up(learner) -> Runs:
    """Runs of the study; `learner(fraction, corruption, decay)` gives final train, final test and best test accuracy,
    and the step at which it had fitted."""
    runs = []
    for fraction, share, decay in itertools.product(FRACTIONS, CORRUPTIONS, DECAYS):
        point = {"task.train_fraction": fraction, "task.label_corruption": share, "optimizer.weight_decay": decay}
        for seed in range(SEEDS):
            names = ("final_train_accuracy", "final_test_accuracy", "max_test_accuracy", "train_step_90")
            run = dict(zip(names, learner(fraction, share, decay), strict=True))
            run |= {"point": point, "seed": seed, "train_fraction": fraction, "weight_decay": decay}
            runs.append(run | {"phase": phase(run)})
    return runs


def paper(fraction: float, share: float, decay: float):
    able = fraction > 0.3 + share
    if decay < 10:
        return 1.0, float(able), float(able), 50
    if decay == 10:
        return 1 - share, float(able), float(able), 50
    return 0.1, 0.1, 1.0, 50


def memorizer(fraction: float, share: float, decay: float):
    return 1.0, 0.03, 0.05, 50


def untrained(fraction: float, share: float, decay: float):
    return 0.03, 0.03, 0.05, None


def robust(fraction: float, share: float, decay: float):
    """Never fits a wrong label, decay or not, and needs no more data for them."""
    return 1 - share, 1.0, 1.0, None


def undecided(fraction: float, share: float, decay: float):
    numbers = np.random.default_rng(round(1000 * fraction + 100 * share + decay))
    test = numbers.random()
    return numbers.random(), test, max(test, numbers.random()), 50 if numbers.random() < 0.5 else None


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_what_the_paper_says_is_reproduced_by_it_alone(claim):
    assert verdict(claim, made_up(paper)) == REPRODUCED
    for learner in (memorizer, untrained, undecided):
        assert verdict(claim, made_up(learner)) != REPRODUCED
    if claim.name != "full_inversion":  # is what this learner does
        assert verdict(claim, made_up(robust)) != REPRODUCED


def test_wrong_labels_that_are_kept_are_counted():
    runs = lightly_corrupted(made_up(paper))
    assert {corruption(run) for run in runs} == {0.2, 0.3}
    assert kept([run for run in runs if run["weight_decay"] == 0]) == pytest.approx(1)
    assert kept([run for run in runs if run["weight_decay"] == 10]) == pytest.approx(0)
