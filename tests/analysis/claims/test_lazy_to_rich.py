"""The statistics of lazy_to_rich, on runs of which the answer is known, and on learners that are neither."""

import math

import numpy as np
import pytest

from analysis.claim import REPRODUCED, Runs
from analysis.claims.lazy_to_rich import (
    CLAIMS,
    RATE,
    SCALE,
    alignment_with_rule,
    delay,
    late_alignment,
    late_without_decay,
    norm_rise,
    with_rule,
    with_scale,
    with_scale_at_one_rate,
    with_scale_by_loss,
)
from study.catalog.lazy_to_rich import STUDY
from tests.support.controls import SEEDS, verdict


def run(point: dict, seed: int, late: float | None, fit: int = 100, **changes) -> dict:
    """A run whose test set takes `late` times the steps of its training set; None for never."""
    passage = None if late is None else round(late * fit)
    facts = {"point": point, "seed": seed, "train_step_95": fit, "test_step_95": passage}
    facts |= {"train_loss_step": fit, "test_loss_step": passage}
    facts |= {"norm_at_train_step": 8.0, "norm_at_test_step": None if late is None else 12.0}
    facts |= {
        "alignment_at_first": 0.12,
        "alignment_at_fit": 0.15,
        "alignment_at_passage": 0.15 if late is None else 0.22,
    }
    return facts | changes


def of_the_study(made) -> Runs:
    """A run for each point and seed of the small study."""
    return [made(point, seed) for point in STUDY.points() for seed in range(SEEDS)]


def as_the_paper(point: dict, seed: int) -> dict:
    """The delay is three times the scale; nothing is late because of the rate, and random labels are never known. At
    scale 1 the kernel has turned to the labels with the fit."""
    fit = 100 if point[RATE] * point[SCALE] ** 2 > 0.29 else 1600
    early = {} if point[SCALE] > 1 else {"alignment_at_fit": 0.21}
    return run(point, seed, None if "task.labels" in point else 3 * point[SCALE], fit, **early)


def test_the_statistics_of_runs_as_the_paper_has_them():
    runs = of_the_study(as_the_paper)
    assert with_scale(runs) == pytest.approx(4)
    assert with_scale_by_loss(runs) == pytest.approx(4)
    assert with_scale_at_one_rate(runs) == pytest.approx(4)
    assert late_without_decay(runs) == 1
    assert norm_rise(runs) == pytest.approx(math.log(1.5))
    assert late_alignment(runs) == pytest.approx((0.07 - 0.03) - (0.01 - 0.09))
    assert alignment_with_rule(runs) == pytest.approx(0.07)
    assert {verdict(claim, runs) for claim in CLAIMS} == {REPRODUCED}


def test_runs_with_a_rule_have_the_rate_of_their_scale():
    runs = with_rule(of_the_study(as_the_paper))
    assert len(runs) == 5 * SEEDS
    assert {run["train_step_95"] for run in runs} == {100}


def test_a_delay_is_infinite_where_half_of_the_runs_never_generalize_and_unknown_where_half_never_fit():
    point = {SCALE: 1.0, RATE: 0.3}
    assert delay([run(point, 0, 2), run(point, 1, 3), run(point, 2, None)]) == 3
    assert math.isinf(delay([run(point, 0, 2), run(point, 1, None), run(point, 2, None)]))
    assert math.isnan(delay([run(point, 0, 2), run(point, 1, 2, train_step_95=None)]))


def all_alike(numbers: np.random.Generator) -> Runs:
    """Every network is rich whatever its scale: test follows train, and features and norm are there with the fit."""

    def made(point: dict, seed: int) -> dict:
        noise = 0.02 * numbers.normal(size=4)
        changes = {
            "alignment_at_fit": 0.2 + noise[0],
            "alignment_at_passage": 0.22 + noise[1],
            "norm_at_test_step": 8.0,
        }
        changes |= {"alignment_at_first": 0.12 + noise[2]}
        return run(point, seed, 1.3 * math.exp(5 * noise[3]), **changes)

    return of_the_study(made)


def late_by_rate(numbers: np.random.Generator) -> Runs:
    """The delay falls with the learning rate, whatever the scale."""

    def made(point: dict, seed: int) -> dict:
        return run(point, seed, 3 / point[RATE] * math.exp(0.1 * numbers.normal()))

    return of_the_study(made)


def memorizers(numbers: np.random.Generator) -> Runs:
    """Nothing generalizes anywhere."""
    return of_the_study(lambda point, seed: run(point, seed, None))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
@pytest.mark.parametrize("control", [all_alike, memorizers], ids=lambda control: control.__name__)
def test_a_network_that_is_not_lazy_or_never_becomes_rich_reproduces_nothing(control, claim):
    assert verdict(claim, control(np.random.default_rng(0))) != REPRODUCED


def test_a_delay_that_comes_from_the_rate_is_told_from_one_of_the_scale():
    [claim] = [claim for claim in CLAIMS if claim.name == "scale_and_not_rate"]
    assert verdict(claim, late_by_rate(np.random.default_rng(0))) != REPRODUCED
