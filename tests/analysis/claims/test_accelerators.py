"""The statistics of accelerators, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.accelerators import gain, gain_at_equal_decay, grokked_without_decay, method
from analysis.statistics import judged_best, mean

HORIZON = 1000


def made_up(times):
    """Runs at (method, rate, decay) -> steps of its seeds, None where the horizon came first. Every seed comes twice:
    once among the even ones, and once among the odd ones."""
    runs = []
    for (name, rate, decay), seeds in times.items():
        loss = {"loss": "stablemax"} if name == "stablemax" else {}
        optimizer = "adamw" if loss else name
        point = {"optimizer": optimizer, "optimizer.learning_rate": rate, "optimizer.weight_decay": decay} | loss
        facts = {"optimizer": optimizer, "weight_decay": decay, "horizon": HORIZON, "point": point}
        runs += [facts | {"test_step_95": seeds[i // 2], "seed": i} for i in range(2 * len(seeds))]
    return runs


RUNS = made_up(
    {
        ("adamw", 0.01, 0.0): (None, None, 900),
        ("adamw", 0.01, 1.0): (700, None, None),
        ("adamw", 0.03, 1.0): (200, 180, None),
        ("orthograd", 0.01, 0.0): (100, None, 90),
        ("orthograd", 0.03, 0.0): (400, 400, 400),
        ("grokfast", 0.01, 1.0): (500, 400, 300),
        ("stablemax", 0.01, 0.0): (None, None, None),
    }
)


def test_a_point_is_chosen_on_other_seeds_than_it_is_judged_on():
    """Of two points that are alike each half takes the one that was lucky there: the other half says what it is."""
    cells = [[{"seed": seed, "value": value} for seed, value in enumerate(values)] for values in ((1, 9), (9, 1))]
    assert judged_best(cells, lambda cell: mean([run["value"] for run in cell]), min) == 9
    assert math.isnan(judged_best([[{"seed": 0, "value": 1}]], lambda cell: 1.0))


def test_a_run_that_groks_at_step_0_has_grokked():
    runs = made_up({("adamw", 0.01, 1.0): (0, 0, 0), ("muon", 0.01, 1.0): (100, 100, 100)})
    assert gain("muon")(runs) == 0
    assert math.isnan(gain("adamw")(runs)), "0 / 0"
    assert gain("muon")(made_up({("adamw", 0.01, 1.0): (100, 100), ("muon", 0.01, 1.0): (0, 0)})) == math.inf


def test_stablemax_is_a_method_of_its_own():
    found = {method(run) for run in made_up({("stablemax", 1, 0): [5], ("adamw", 1, 0): [5]})}
    assert found == {"stablemax", "adamw"}


def test_methods_are_compared_at_the_points_whose_medians_are_the_smallest():
    assert gain("orthograd")(RUNS) == pytest.approx(200 / 100)
    assert gain("grokfast")(RUNS) == pytest.approx(200 / 400)
    assert gain("adamw")(RUNS) == 1


def test_what_never_groks_counts_with_the_horizon_and_a_baseline_that_never_does_tells_nothing():
    assert gain("stablemax")(RUNS) == pytest.approx(200 / HORIZON)
    without = [run for run in RUNS if not (run["optimizer"] == "adamw" and run["test_step_95"])]
    assert math.isnan(gain("orthograd")(without))
    assert math.isnan(gain("muon")(RUNS))


def test_grokfast_is_compared_at_equal_decay():
    assert gain_at_equal_decay(RUNS) == pytest.approx(200 / 400)
    more = made_up({("adamw", 0.03, 3.0): (80,), ("grokfast", 0.01, 3.0): (20,), ("grokfast", 0.01, 9.0): (1,)})
    assert gain_at_equal_decay([*RUNS, *more]) == pytest.approx((200 / 400 * 80 / 20) ** 0.5)
    assert math.isnan(gain_at_equal_decay([run for run in RUNS if run["optimizer"] == "adamw"]))


def test_seeds_that_grok_without_decay_are_counted_at_each_methods_best_rate():
    assert grokked_without_decay("orthograd")(RUNS) == pytest.approx(1 - 1 / 3)
    assert grokked_without_decay("stablemax")(RUNS) == pytest.approx(0 - 1 / 3)
    assert math.isnan(grokked_without_decay("muon")(RUNS))
