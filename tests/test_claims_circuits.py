"""The statistics of circuits_competition, on runs of which the answer is known."""

import itertools
import math

import pytest

from analysis.claims.circuits_competition import (
    capacity_rise,
    critical_size_rise,
    critical_sizes,
    in_their_zone,
    norm_change_in_grokking,
    norm_change_in_progression,
)

WIDTHS, SIZES = (8, 16, 32), (100, 200, 300, 400)
PHASES = {8: "progression", 16: "progression", 32: "grokking"}


def made_up():
    """Capacity 10 x width; a width generalizes from 350, 250, 150 examples on."""
    runs = []
    for width, size in itertools.product(WIDTHS, SIZES):
        generalized = size > 350 - 100 * WIDTHS.index(width)
        phase = "progression" if size > 10 * width else "grokking" if generalized else "memorization"
        facts = {"width": width, "data_size": size, "phase": phase, "test_step_95": 5 if generalized else None}
        norms = {"initial_norm": 1.0, "norm_at_train_step": 4.0, "final_norm": 2.0}
        runs.append({"point": {"model.width": width, "task.data_size": size}} | facts | norms)
    for width in WIDTHS:
        facts = {"width": width, "data_size": 1000, "final_train_accuracy": width / 100, "phase": "confusion"}
        runs.append({"point": {"model.width": width, "task.labels": "random"}} | facts)
    return runs


def test_capacity_rises_and_the_critical_size_falls():
    assert critical_sizes(made_up()) == {8: 350, 16: 250, 32: 150}
    assert capacity_rise(made_up()) == 1
    assert critical_size_rise(made_up()) == -1


def test_runs_are_in_the_zones_that_the_two_curves_make():
    runs = made_up()
    assert in_their_zone(runs) == 1
    for run in runs:
        run["phase"] = "semi_grokking"
    assert in_their_zone(runs) == 0


def test_norms_are_compared_with_where_each_dynamics_begins():
    assert norm_change_in_grokking(made_up()) == pytest.approx(-math.log(2))
    assert norm_change_in_progression(made_up()) == pytest.approx(math.log(2))
