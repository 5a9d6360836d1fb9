"""The statistics of instruction_diversity, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.instruction_diversity import (
    accuracy_of_few_rules,
    accuracy_of_many_rules,
    fewest_examples_over_best,
    rise_at_constant_data,
    width_of_transition,
)

ACCURACIES = {2048: {32: 0.0, 64: 0.1, 128: 0.3, 256: 0.8, 512: 0.9}, 8192: {32: 0.02, 64: 0.2, 128: 0.6, 512: 1.0}}


def made_up():
    return [
        {"point": {"task.rules": rules, "task.data_size": size}, "data_size": size, "final_ood_accuracy": accuracy}
        for size, rates in ACCURACIES.items()
        for rules, accuracy in rates.items()
    ]


def test_accuracies_are_those_of_the_fewest_and_of_the_most_rules():
    assert accuracy_of_few_rules(made_up()) == pytest.approx(0.01)
    assert accuracy_of_many_rules(made_up()) == pytest.approx(0.95)
    assert fewest_examples_over_best(made_up()) == 1
    worse = {"point": {"task.rules": 1024, "task.data_size": 8192}, "data_size": 8192, "final_ood_accuracy": 0.5}
    assert fewest_examples_over_best([*made_up(), worse]) == pytest.approx(0.75)
    assert rise_at_constant_data(made_up()) == 1


def test_the_transition_is_as_wide_as_between_the_last_that_fail_and_the_first_that_follow():
    # 128 to 256 in one amount of data, 64 to 128 in the other, each linear: (0.1 + 1) to (0.9 + 1).
    assert width_of_transition(made_up()) == pytest.approx(1.9 / 1.1)


def test_runs_that_cannot_tell_say_nothing():
    alike = [run | {"final_ood_accuracy": 0.9} for run in made_up()]
    for runs in ([], alike):
        assert math.isnan(width_of_transition(runs))
    assert math.isnan(accuracy_of_few_rules([]))
    assert math.isnan(fewest_examples_over_best([run | {"final_ood_accuracy": 0.0} for run in made_up()]))
