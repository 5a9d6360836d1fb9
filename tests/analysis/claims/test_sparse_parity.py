"""The statistics of sparse_parity, on runs of which the answer is known."""

import math

import pytest

from analysis.claims.sparse_parity import delay, dense_without_rule, live_after_grokking, of_three, of_two, rise

FEW = {"task.n": 40, "task.k": 3, "task.data_size": 1000, "optimizer.weight_decay": 0.01}


def fresh(n, k, steps):
    return {"point": {"task.n": n, "task.k": k}, "train_step_95": steps, "test_step_95": steps, "live_units": 0.9}


def few(fit, generalize, live, labels=None):
    point = FEW if labels is None else FEW | {"task.labels": labels}
    return {"point": point, "train_step_95": fit, "test_step_95": generalize, "live_units": live}


LAW = [fresh(n, k, 7 * n ** (k - 1)) for n in (16, 24, 36, 54) for k in (2, 3) for _ in range(3)]


def test_the_law_has_the_powers_one_and_two():
    assert of_two(LAW) == pytest.approx(1)
    assert of_three(LAW) == pytest.approx(2)
    assert rise(LAW) == pytest.approx(1)


def test_runs_with_few_examples_do_not_count_for_the_law():
    assert of_three([*LAW, *[few(10, 10**6, 0.1)] * 20]) == pytest.approx(2)


def test_a_run_that_never_generalizes_is_late_and_two_of_three_leave_the_power_open():
    of = [run | {"test_step_95": None} if run["point"]["task.n"] == 54 else run for run in LAW]
    assert math.isnan(of_three(of))
    one = LAW.copy()
    one[-1] = one[-1] | {"test_step_95": None}
    assert of_three(one) == pytest.approx(2)


def test_the_delay_is_a_ratio_and_unknown_where_most_only_memorize():
    assert delay([few(100, 500, 0.1), few(100, 300, 0.1), few(100, None, 0.1)]) == 5
    assert math.isnan(delay([few(100, 500, 0.1), few(100, None, 0.1), few(100, None, 0.1)]))
    assert math.isnan(delay([few(None, None, 0.1), few(100, None, 0.5, "random"), *LAW]))


def test_live_units_are_those_of_networks_that_grokked_against_those_with_random_labels():
    runs = [few(1, 9, 0.02), few(1, 9, 0.04), few(1, None, 0.8), few(1, None, 0.6, "random"), *LAW]
    assert live_after_grokking(runs) == pytest.approx(0.03)
    assert dense_without_rule(runs) == pytest.approx(20)
    assert math.isnan(dense_without_rule(runs[2:]))
