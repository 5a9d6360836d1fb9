"""The statistics of data_formats, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.data_formats import (
    accuracy_of_plain,
    detailed_over_simplified,
    reverse_over_plain,
    samples,
    samples_of_reverse,
    simplified_over_reverse,
)

CURVES = {
    "plain": {1000: 0.2, 2000: 0.5, 10_000: 0.85},
    "reverse": {1000: 0.1, 2000: 0.8, 10_000: 1.0},
    "simplified": {1000: 0.5, 2000: 1.0, 10_000: 1.0},
    "detailed": {1000: 0.95, 2000: 1.0, 10_000: 1.0},
}


def made_up():
    return [
        {"point": {"task.format": name}, "data_size": size, "final_test_accuracy": accuracy}
        for name, curve in CURVES.items()
        for size, accuracy in curve.items()
    ]


def test_a_format_is_learnt_where_its_accuracy_passes():
    runs = made_up()
    assert samples(runs, "plain") == math.inf
    assert samples_of_reverse(runs) == pytest.approx(6000)
    assert samples(runs, "simplified") == pytest.approx(1800)
    assert samples(runs, "detailed") == 1000  # or earlier


def test_formats_are_compared_by_what_they_need():
    runs = made_up()
    assert reverse_over_plain(runs) == 0
    assert simplified_over_reverse(runs) == pytest.approx(0.3)
    assert detailed_over_simplified(runs) == pytest.approx(1 / 1.8)
    assert accuracy_of_plain(runs) == 0.85


def test_runs_that_cannot_tell_say_nothing():
    never = [run | {"final_test_accuracy": 0.1} for run in made_up()]
    assert math.isnan(reverse_over_plain(never))
    assert math.isnan(detailed_over_simplified([]))
    assert math.isnan(accuracy_of_plain([]))
