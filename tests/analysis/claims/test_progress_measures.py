"""The statistics of progress_measures, on runs of which the answer is known, and on learners that show no progress."""

import math

import numpy as np
import pytest

from analysis.claim import REPRODUCED, Runs
from analysis.claims.progress_measures import (
    CLAIMS,
    excluded_rise,
    generalizing,
    gini_gain,
    hidden_progress,
    key_frequencies,
    lead,
)
from tests.support.controls import SEEDS, verdict

GUESSING = math.log(37)


def run(seed: int = 0, labels: str = "true", **changes) -> dict:
    """A run as the paper has it; `changes` are what it does instead."""
    point = {"task.train_fraction": 0.7} | ({"task.labels": "random"} if labels == "random" else {})
    facts = {"point": point, "seed": seed, "chance_accuracy": 1 / 37, "test_step_50": 500}
    facts |= {"restricted_on_eve": 0.1 * GUESSING, "restricted_step": 200, "test_loss_step": 600}
    facts |= {"excluded_at_fit": 1.0, "excluded_on_eve": 4.0, "final_key_frequencies": 4, "gini_rise": 0.3}
    return facts | changes


def memorizing(labels: str, seed: int, **changes) -> dict:
    """A run that never generalizes, and has no wave in its logits."""
    facts = {"test_step_50": None, "restricted_on_eve": 1.5 * GUESSING, "restricted_step": None, "test_loss_step": None}
    facts |= {"excluded_at_fit": 0.0, "excluded_on_eve": 0.0, "final_key_frequencies": 0, "gini_rise": 0.01}
    return run(seed, labels, **(facts | changes))


PAPERS = [*(run(seed) for seed in range(SEEDS)), *(memorizing("random", seed) for seed in range(SEEDS))]


def test_the_statistics_of_a_run_as_the_paper_has_it():
    assert hidden_progress(PAPERS) == pytest.approx(0.9)
    assert lead(PAPERS) == pytest.approx(math.log(3))
    assert excluded_rise(PAPERS) == 3
    assert key_frequencies(PAPERS) == 4
    assert gini_gain(PAPERS) == pytest.approx(0.29)
    assert {verdict(claim, PAPERS) for claim in CLAIMS} == {REPRODUCED}


def test_runs_that_pass_one_half_before_a_look_after_the_fit_have_no_eve():
    assert generalizing([run(excluded_on_eve=None), run(test_step_50=None)]) == []


def memorizers(numbers: np.random.Generator) -> Runs:
    """With labels true or random, everything is known by rote."""
    return [memorizing(labels, seed) for labels in ("true", "random") for seed in range(SEEDS)]


def nothing_hidden(numbers: np.random.Generator) -> Runs:
    """Runs that generalize, whose measures say what test loss says: no wave is ahead of it, and none is missed."""
    found = []
    for seed in range(SEEDS):
        noise = 0.1 * numbers.normal(size=4)
        found.append(
            run(
                seed,
                restricted_on_eve=(0.9 + noise[0]) * GUESSING,
                restricted_step=600 * math.exp(noise[1]),
                excluded_on_eve=1 + noise[2],
                final_key_frequencies=int(numbers.integers(8, 10)),
                gini_rise=0.01 + noise[3] / 10,
            )
        )
        found.append(memorizing("random", seed))
    return found


def sparse_by_decay(numbers: np.random.Generator) -> Runs:
    """The embedding becomes sparse with random labels as well, and all frequencies are used alike."""
    rises = (0.3 + 0.01 * numbers.normal(size=(SEEDS, 2))).tolist()
    found = []
    for seed, (true, other) in enumerate(rises):
        found.append(memorizing("true", seed, test_step_50=500, gini_rise=true))
        found.append(memorizing("random", seed, gini_rise=other))
    return found


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
@pytest.mark.parametrize("control", [memorizers, nothing_hidden, sparse_by_decay], ids=lambda control: control.__name__)
def test_a_learner_without_hidden_progress_reproduces_nothing(control, claim):
    assert verdict(claim, control(np.random.default_rng(0))) != REPRODUCED
