"""The statistics of claims about circuits that compete, on runs of which the answer is known."""

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
from analysis.claims.double_descent import crossing_size, dip_above, dip_below, twin_needs_more
from analysis.claims.ungrokking import change_with_decay, hysteresis, lost, semi_grokking
from analysis.statistics import dip

WIDTHS, SIZES = (8, 16, 32, 64), range(100, 401, 50)


def made_up():
    """Capacity 30 x width; a width generalizes from 325, 275, 225, 175 examples on."""
    runs = []
    for width, size in itertools.product(WIDTHS, SIZES):
        generalized = size > 325 - 50 * WIDTHS.index(width)
        phase = "progression" if size > 30 * width else "grokking" if generalized else "memorization"
        facts = {"width": width, "data_size": size, "phase": phase, "test_step_95": 5 if generalized else None}
        norms = {"initial_norm": 1.0, "norm_at_train_step": 4.0, "final_norm": 2.0}
        runs.append({"point": {"model.width": width, "task.data_size": size}} | facts | norms)
    for width in WIDTHS:
        facts = {"width": width, "data_size": 3000, "final_train_accuracy": width / 100, "phase": "confusion"}
        runs.append({"point": {"model.width": width, "task.labels": "random"}} | facts)
    return runs


def test_capacity_rises_and_the_critical_size_of_runs_that_fitted_first_falls():
    """Width 8 generalizes from where it can memorize no more: its runs there are in progression."""
    assert critical_sizes(made_up()) == {16: 275, 32: 225, 64: 175}
    assert capacity_rise(made_up()) == 1
    assert critical_size_rise(made_up()) == -1
    everywhere = [run | {"phase": "grokking"} if run["phase"] == "progression" else run for run in made_up()]
    assert critical_sizes(everywhere)[8] == 325


def test_runs_are_in_the_zones_that_the_two_curves_make():
    runs = made_up()
    assert in_their_zone(runs) == 1
    for run in runs:
        run["phase"] = "semi_grokking"
    assert in_their_zone(runs) == 0


def test_norms_are_compared_with_where_each_dynamics_begins():
    assert norm_change_in_grokking(made_up()) == pytest.approx(-math.log(2))
    assert norm_change_in_progression(made_up()) == pytest.approx(math.log(2))


OPERATION, SIZE = "task.operation", "task.data_size"


def descending(below: float, above: float):
    """Accuracy over widths 8, 16, 32 at sizes 100 and 300; capacity and critical size cross at 200."""
    curves = {
        ("add", 100): [0.0, 0.4, 0.4 - below, 0.9],
        ("add", 300): [0.6, 0.9, 0.9 - above, 1.0],
    }
    runs = []
    for (operation, size), values in curves.items():
        for width, value in zip((8, 16, 32, 64), values, strict=True):
            facts = {"width": width, "data_size": size, "final_test_accuracy": value}
            runs.append({"point": {OPERATION: operation, SIZE: size}} | facts)
    for width in (8, 16, 32, 64):
        facts = {"width": width, "data_size": 500, "final_train_accuracy": width / 40}
        runs.append({"point": {"task.labels": "random"}} | facts)
    return runs


def test_dips_are_told_apart_by_the_crossing():
    runs = descending(0.3, 0.05)
    # width 8: critical 266.7, capacity 100; width 16: critical 140, capacity 200
    assert 140 < crossing_size(runs) < 266.7
    assert dip_below(runs) == pytest.approx(0.3)
    assert dip_above(runs) == pytest.approx(0.05)


def test_the_twin_needs_more_data_where_it_crosses_a_half_later():
    def runs(twin: tuple[float, ...]) -> list[dict]:
        curves = {"add": (0.0, 0.5, 1.0), "square_of_sum": twin}
        return [
            {"point": {OPERATION: operation}, "data_size": size, "final_test_accuracy": value}
            for operation, values in curves.items()
            for size, value in zip((100, 200, 300), values, strict=True)
        ]

    assert twin_needs_more(runs((0.0, 0.0, 0.5))) == pytest.approx(1.5)
    assert twin_needs_more(runs((0.0, 0.0, 0.1))) == math.inf
    assert twin_needs_more(runs((0.9, 1.0, 1.0))) == 0, "somewhere below the smallest size"
    assert math.isnan(twin_needs_more([run for run in runs((0.0, 0.0, 0.5)) if run["point"][OPERATION] != "add"]))


def test_a_dip_has_something_higher_on_both_sides():
    assert dip([0.1, 0.5, 0.9]) == dip([0.9, 0.5, 0.1]) == dip([0.1, 0.9, 0.1]) == 0
    assert dip([0.5, 0.1, 0.4]) == pytest.approx(0.3)


def forgotten(decays=(0.3, 3.0)):
    """Continued runs keep what they know from 100 examples on, those from scratch need 200; at 150 these end at 0.5."""
    runs = []
    for decay, size in itertools.product(decays, (50, 150, 250)):
        kept, learned = float(size > 100), {50: 0.0, 150: 0.25, 250: 0.75}[size]
        for full, accuracy in ((500, kept), (0, learned)):
            phase = "semi_grokking" if 0.2 < accuracy < 0.8 else "grokking"
            facts = {"weight_decay": decay, "data_size": size, "final_test_accuracy": accuracy, "phase": phase}
            runs.append({"point": {"full_data_steps": full}, "still_moves": 0.01} | facts)
    return runs


def test_critical_sizes_of_continued_runs_and_of_those_from_scratch():
    assert lost(forgotten()) == 1
    assert change_with_decay(forgotten()) == 0
    assert hysteresis(forgotten()) == pytest.approx(math.log(2))
    assert semi_grokking(forgotten()) == 1, "150 and 250 examples are next to 200, and all runs there end in between"
    moving = [run | {"still_moves": 0.2} if run["data_size"] == 250 else run for run in forgotten()]
    assert semi_grokking(moving) == 0.5
    late = [run for run in forgotten() if not (run["weight_decay"] == 3 and run["data_size"] == 150)]
    assert change_with_decay(late) == pytest.approx(math.log(1.5))


def test_a_size_that_is_not_crossed_is_not_compared():
    never = [run | {"final_test_accuracy": 0.0} for run in forgotten()]
    assert math.isnan(hysteresis(never))
