"""The statistics of learning_to_learn, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.learning_to_learn import (
    COLUMNS,
    learnt_at_most,
    memorized_at_fewest,
    memory_with_width,
    phase,
    rise,
    shift_with_width,
)
from tests.support.synthetic import run, run_id_of, write_study

KNOWN = {16: {0: 1.0, 4: 0.8, 8: 0.3, 12: 0.25}, 64: {0: 1.0, 4: 1.0, 8: 0.5, 12: 0.25}}
"""First accuracy on tasks of training, by width and log2 of their number."""
LEARNT = {16: {0: 0.0, 4: 0.0, 8: 0.5, 12: 0.5}, 64: {0: 0.0, 4: 0.0, 8: 0.0, 12: 0.5}}
"""Last less first accuracy on unseen tasks."""


def made_up(**changes):
    return [
        {
            "point": {"task.num_tasks": 2**tasks, "model.width": width},
            "width": width,
            "chance_accuracy": 0.25,
            "first_test_accuracy": known,
            "final_test_accuracy": max(known, LEARNT[width][tasks]),
            "first_ood_accuracy": 0.25,
            "final_ood_accuracy": 0.25 + LEARNT[width][tasks],
        }
        | changes
        for width, curve in KNOWN.items()
        for tasks, known in curve.items()
    ]


def test_a_run_has_the_phase_that_its_accuracies_mean():
    first = made_up()[0]
    assert phase(first) == "memorization"
    assert phase(first | {"first_test_accuracy": 0.6, "final_test_accuracy": 0.6}) == "none"
    assert phase(first | {"first_test_accuracy": 0.6}) == "identification"
    assert phase(first | {"first_test_accuracy": 0.3, "final_ood_accuracy": 0.4}) == "learning_to_learn"


def test_few_tasks_are_remembered_and_many_are_learnt():
    assert memorized_at_fewest(made_up()) == 1
    assert learnt_at_most(made_up()) == pytest.approx(0.5)
    assert memorized_at_fewest(made_up(first_test_accuracy=0.3, final_test_accuracy=0.3)) == 0


def test_the_rise_is_counted_in_doublings_of_tasks():
    # linear from 4 to 8 and from 8 to 12 doublings: three fifths of four
    assert rise(made_up()) == pytest.approx(0.6 * 4)
    assert shift_with_width(made_up()) == pytest.approx(4)


def test_a_wider_network_remembers_more():
    assert memory_with_width(made_up()) == pytest.approx((0 + 0.2 + 0.2 + 0) / 4)


def test_other_batch_sizes_are_left_out():
    beside = [row | {"point": row["point"] | {"batch_size": 8}, "final_ood_accuracy": 1.0} for row in made_up()]
    assert learnt_at_most(made_up() + beside) == pytest.approx(0.5)
    assert rise(made_up() + beside) == pytest.approx(0.6 * 4)


def test_runs_that_cannot_tell_say_nothing():
    never = made_up(final_ood_accuracy=0.3)
    assert math.isnan(rise(never))
    assert math.isnan(shift_with_width(never))
    always = made_up(final_ood_accuracy=0.9)
    assert math.isnan(shift_with_width(always))
    narrow = [row for row in made_up() if row["width"] == 16]
    assert math.isnan(shift_with_width(narrow))
    assert math.isnan(memory_with_width(narrow))
    assert all(math.isnan(s([])) for s in (memorized_at_fewest, learnt_at_most, rise, shift_with_width))
    assert math.isnan(memory_with_width([]))


def test_the_columns_are_the_last_values_of_the_first_position(tmp_path):
    curves = {"test_first.accuracy": [0.3, 0.9], "ood_first.accuracy": [0.2, 0.25], "ood.accuracy": [0.5, 1.0]}
    store = write_study(tmp_path, [run("a", curves, at=[0, 10])])
    found = store.sql(COLUMNS).to_arrow_table().to_pylist()
    assert found == [{"run_id": run_id_of("a"), "first_test_accuracy": 0.9, "first_ood_accuracy": 0.25}]
