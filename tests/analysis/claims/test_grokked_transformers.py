"""The statistics of claims about grokked transformers, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.grokked_transformers import epochs_by_size, ood_accuracy, steps_by_decay, steps_by_ratio


def runs(**columns):
    """Runs of two seeds with these columns, a list for each."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [row | {"point": {}} for row in rows for _ in range(2)]


def test_a_run_that_never_generalizes_is_the_slowest():
    assert steps_by_ratio(runs(ratio=[4.0, 8.0, 16.0], test_step_90=[None, 500, 100])) == -1
    assert steps_by_decay(runs(weight_decay=[0.1, 0.3, 1.0], test_step_90=[100, 500, None])) == 1
    assert math.isnan(steps_by_ratio(runs(ratio=[4.0, 8.0, 16.0], test_step_90=[None, None, None])))


def test_steps_are_counted_in_epochs():
    assert epochs_by_size(runs(data_size=[100, 200], test_step_90=[50, 100])) == 0
    assert epochs_by_size(runs(data_size=[100, 200], test_step_90=[50, 50])) == pytest.approx(-math.log(2))
    assert math.isnan(epochs_by_size(runs(data_size=[100, 200], test_step_90=[50, None])))


def test_only_runs_that_generalize_are_asked_what_they_do_out_of_distribution():
    assert ood_accuracy(runs(test_step_90=[5, 5, None], final_ood_accuracy=[0.2, 0.4, 0.9])) == pytest.approx(0.3)
    assert math.isnan(ood_accuracy(runs(test_step_90=[None], final_ood_accuracy=[0.9])))
