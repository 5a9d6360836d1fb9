"""The statistics of denoising_twins, on runs of which the answer is known."""

import json
import math

import numpy as np
import pytest

from analysis.claims.denoising_twins import (
    agreement,
    agreement_gained,
    agreement_with_many,
    gap_with_many,
    generality_at_best,
    generality_with_few,
    linear_answers,
)
from trainables.tasks import denoising

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
    assert agreement_gained(runs) == pytest.approx(0.9, abs=0.05)
    assert math.isnan(agreement_gained(runs[:4]))


def test_the_nearer_oracle_tells_memory_from_generality():
    runs = [
        made_up(3, 0, 1.0, to_memorizer=0.1, to_generalizer=1.0),
        made_up(30, 0, 1.0, to_memorizer=2.0, to_generalizer=1.0),
        made_up(300, 0, 1.0, to_memorizer=1.0, to_generalizer=1.0),
    ]
    assert generality_with_few(runs) == pytest.approx(-math.log(10))
    twins = [run | {"seed": seed} for run in runs for seed in (0, 1)]
    assert generality_at_best(twins) == pytest.approx(math.log(2))


SPEC = json.dumps({"task": {"name": "denoising", "side": 8, "noise": 0.2}})


def answered(nonlinear: float, own: float) -> dict:
    """A run that answers linearly, and besides with so much that all runs have in common, and of its own."""
    noisy_A, linear_A = linear_answers(8, 0.2)
    common_A, own_A = np.random.default_rng(7).normal(size=len(noisy_A)), RANDOM.normal(size=len(noisy_A))
    outputs_A = 300 * noisy_A + 500 * linear_A + nonlinear * common_A + own * own_A
    return {
        "run_id": str(RANDOM.random()),
        "point": {"task.num_images": 9},
        "outputs": outputs_A,
        "spec": SPEC,
        "to_memorizer": 1.0,
    }


def test_what_a_linear_denoiser_answers_is_no_agreement():
    assert agreement([answered(0, 1) for _ in range(4)]) > 0.9, "all twins see the same noisy images"
    assert agreement_with_many([answered(0, 1) for _ in range(4)]) == pytest.approx(0, abs=0.05)
    assert agreement_with_many([answered(3, 1) for _ in range(4)]) == pytest.approx(0.9, abs=0.02)


def test_linear_answers_are_in_the_order_of_the_stored_outputs(tmp_path):
    """The probe's positions and outputs are text: 10 comes before 2."""
    task = denoising.Task(noise=0.2)
    noisy_NP = task.circuit(0, 32).inputs_NL[:, 0].numpy()
    centred = noisy_NP - noisy_NP.mean(0)
    in_order = [centred[int(n)][int(p)] for n in sorted(map(str, range(32))) for p in sorted(map(str, range(64)))]
    first = linear_answers(8, 0.2)[0]
    assert abs(np.dot(first, in_order)) == pytest.approx(np.linalg.norm(in_order))


def test_new_images_are_denoised_as_well_as_old_ones_and_as_well_as_can_be():
    remembers = made_up(300, 0, 1.0, train_loss=0.01, test_loss=0.1, to_generalizer=0.07)
    knows_nothing = made_up(300, 0, 1.0, train_loss=0.2, test_loss=0.2, to_generalizer=0.17)
    best = made_up(300, 0, 1.0, train_loss=0.03, test_loss=0.033, to_generalizer=0.003)
    few = made_up(3, 0, 1.0, train_loss=0.0, test_loss=1.0)
    gaps = [gap_with_many([few | {"train_loss": 1.0}, run]) for run in (remembers, knows_nothing, best)]
    assert gaps == [pytest.approx(math.log(ratio)) for ratio in (10, 0.2 / 0.03, 1.1)]
