"""The statistics of compositional_factors, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.compositional_factors import change_of_gap, new_less_held_out, rise_with_commands, rise_with_verbs

OOD = {(4, 500): 0.0, (4, 2000): 0.02, (64, 500): 0.1, (64, 2000): 0.32, (64, 8000): 0.7}


def made_up(accuracies=OOD, *, train=1.0, test=0.96):
    return [
        {
            "point": {"task.primitives": verbs, "task.data_size": commands},
            "final_train_accuracy": train,
            "final_test_accuracy": test,
            "final_ood_accuracy": accuracy + noise,
        }
        for (verbs, commands), accuracy in accuracies.items()
        for noise in (-0.01, 0.01)
    ]


def test_verbs_are_compared_at_as_many_commands():
    assert rise_with_verbs(made_up()) == pytest.approx((0.1 + 0.3) / 2)  # of 8000 commands there is nothing to compare


def test_commands_are_compared_at_as_many_verbs():
    assert rise_with_commands(made_up()) == pytest.approx((0.02 + 0.6) / 2)
    assert change_of_gap(made_up(train=0.98)) == pytest.approx(-0.31)


def test_a_gap_falls_with_the_training_accuracy_too():
    runs = made_up({(4, 500): 0.0}) + made_up({(4, 2000): 0.0}, train=0.8)
    assert rise_with_commands(runs) == 0
    assert change_of_gap(runs) == pytest.approx(-0.2)


def test_the_fewest_verbs_with_their_most_commands():
    assert new_less_held_out(made_up()) == pytest.approx(0.94)


def test_what_was_not_measured_is_left_out():
    runs = made_up()
    runs[0]["final_ood_accuracy"] = None
    assert rise_with_verbs(runs) == pytest.approx((0.09 + 0.3) / 2)
    assert math.isnan(rise_with_verbs(made_up({(4, 500): 0.0, (64, 2000): 1.0})))
    assert math.isnan(rise_with_commands([]))
    assert math.isnan(new_less_held_out([]))
