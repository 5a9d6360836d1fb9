"""The statistics of denoising_twins, on runs of which the answer is known."""

import math

import numpy as np
import pytest

from analysis.claims.denoising_twins import (
    agreement,
    agreement_gained,
    agreement_with_many,
    gap_closed,
    generality_at_best,
    generality_with_few,
)

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=4000)


def made_up(images: int, seed: int, own: float, **losses: float) -> dict:
    """A run whose outputs are the truth and, `own` times as large, something of its own."""
    outputs = TRUTH + own * RANDOM.normal(size=len(TRUTH))
    measured = {"train_loss": 1.0, "test_loss": 1.0, "to_memorizer": 1.0, "to_generalizer": 1.0}
    run_id = f"{images}-{seed}"
    return {"run_id": run_id, "point": {"task.num_images": images}, "outputs": outputs.tolist()} | measured | losses


def test_agreement_is_the_correlation_of_different_runs():
    twins = [made_up(10, seed, own=1.0) for seed in range(3)]
    assert agreement(twins) == pytest.approx(0.5, abs=0.05)
    assert agreement([*twins, twins[0]]) == pytest.approx(agreement(twins), abs=0.03), "a run is no twin of its own"
    assert math.isnan(agreement([twins[0], twins[0]]))
    assert agreement([made_up(10, seed, own=0.0) for seed in range(2)]) == pytest.approx(1)


def test_agreement_is_compared_from_the_fewest_to_the_most_images():
    runs = [made_up(n, seed, own) for n, own in ((100, 0.0), (3, 3.0), (30, 1.0)) for seed in range(4)]
    assert agreement_with_many(runs) == pytest.approx(1)
    assert agreement_gained(runs) == pytest.approx(0.9, abs=0.05)
    assert math.isnan(agreement_gained(runs[:4]))


def test_the_nearer_oracle_tells_memory_from_generality():
    runs = [
        made_up(3, 0, 1.0, to_memorizer=0.1, to_generalizer=1.0),
        made_up(30, 0, 1.0, to_memorizer=2.0, to_generalizer=1.0),
        made_up(300, 0, 1.0, to_memorizer=1.0, to_generalizer=1.0),
    ]
    assert generality_with_few(runs) == pytest.approx(-math.log(10))
    assert generality_at_best(runs) == pytest.approx(math.log(2))


def test_the_gap_closes_where_test_and_training_loss_meet():
    runs = [made_up(3, 0, 1.0, train_loss=0.01, test_loss=0.1), made_up(300, 0, 1.0, train_loss=0.03, test_loss=0.03)]
    assert gap_closed(runs) == pytest.approx(-math.log(10))
