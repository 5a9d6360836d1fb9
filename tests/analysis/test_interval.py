"""The interval of a statistic over seeds: what it covers and refuses, and that order and infinity are no matter."""

import itertools
import math
import random
from statistics import median

import numpy as np
import pytest
from scipy.stats import t as student

from analysis.claim import Runs
from analysis.interval import fewest_seeds, interval, interval_of_ratio


def study_of(results_CN) -> Runs:
    """Runs with these results, one row for each point."""
    return [
        {"run_id": f"{x}-{seed}", "point": {"x": x}, "y": float(y)}
        for x, row in enumerate(results_CN)
        for seed, y in enumerate(row)
    ]


def mean(runs: Runs) -> float:
    return sum(run["y"] for run in runs) / len(runs)


def mean_of_last(runs: Runs) -> float:
    """The mean over the runs of the point with the largest x."""
    last = max(run["point"]["x"] for run in runs)
    return mean([run for run in runs if run["point"]["x"] == last])


def middle(runs: Runs) -> float:
    return float(median(run["y"] for run in runs))


@pytest.mark.parametrize(("points", "seeds"), [(1, 3), (6, 3), (2, 4)])
def test_few_seeds_are_covered(points, seeds):
    numbers, held, repeats = np.random.default_rng(5), 0, 250
    for _ in range(repeats):
        _, low, high = interval(mean, study_of(numbers.normal(size=(points, seeds))))
        held += low <= 0 <= high
    assert 0.92 <= held / repeats <= 0.985  # a percentile bootstrap has 0.75, 0.87 and 0.86


@pytest.mark.parametrize(("points", "seeds"), [(1, 4), (1, 8), (10, 8)])
def test_the_interval_of_a_mean_is_students(points, seeds):
    numbers, ratios = np.random.default_rng(2), []
    for _ in range(20):
        results_CN = numbers.normal(size=(points, seeds)) + 5 * np.arange(points)[:, None]
        value, low, high = interval(mean, study_of(results_CN))
        error = math.sqrt(results_CN.var(axis=1, ddof=1).sum() / seeds) / points
        ratios.append((high - low) / 2 / error / student.ppf(0.975, points * (seeds - 1)))
        assert value == pytest.approx(results_CN.mean())
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)


def test_only_the_points_that_a_statistic_rests_on_count_as_seeds():
    results_CN = np.random.default_rng(4).normal(size=(8, 4))
    _, low, high = interval(mean_of_last, study_of(results_CN))
    error = results_CN[-1].std(ddof=1) / 2
    assert (high - low) / 2 / error == pytest.approx(student.ppf(0.975, 3), rel=0.12)  # with 24 degrees: 2.06, not 3.18


def test_order_is_no_matter():
    runs = study_of(np.random.default_rng(1).normal(size=(3, 4)))
    mixed = random.Random(0).sample(runs, len(runs))
    assert mixed != runs
    assert interval(mean, mixed) == interval(mean, runs)


def test_one_seed_has_no_interval():
    for results_CN in ([[1.0]], [[1.0], [2.0], [4.0]], [[1.0, 2.0], [3.0], [4.0]]):
        value, low, high = interval(mean, study_of(results_CN))
        assert value == pytest.approx(mean(study_of(results_CN)))
        assert math.isnan(low)
        assert math.isnan(high)
    assert all(map(math.isnan, interval(mean, [])))


def test_one_point_of_many_with_a_single_seed_leaves_an_interval():
    _, low, high = interval(mean, study_of([*np.random.default_rng(1).normal(size=(19, 3)), [0.0]]))
    assert low < high


def test_what_seeds_cannot_tell_has_no_interval():
    runs = [{"point": {}, "y": y} for y in (1.0, math.nan)]
    value, low, high = interval(lambda runs: runs[0]["y"], runs)
    assert value == 1
    assert math.isnan(low)
    assert math.isnan(high)


def test_infinity_is_a_value():
    inf = math.inf
    for results, value, low, high in [
        ([1, 2, 3, 4, inf, inf], 3.5, None, inf),
        ([1, 2, inf, inf, inf], inf, 1, inf),
        ([inf, inf, inf], inf, inf, inf),
        ([-inf, -inf, 1, 2, 3, 4], 1.5, -inf, None),
        ([-inf, -inf, -inf, 3, 3], -inf, -inf, 3),
    ]:
        found = interval(middle, study_of([results]))
        assert found[0] == value
        assert not any(map(math.isnan, found))
        assert low is None or found[1] == low
        assert high is None or found[2] == high
        assert found[1] <= found[0] <= found[2]


def test_rare_infinite_resamples_do_not_make_an_end_infinite():
    _, low, high = interval(lambda runs: max(mean(runs), math.inf * (mean(runs) > 0.9)), study_of([range(2)] * 10))
    assert math.isfinite(low)
    assert math.isfinite(high)


def test_the_interval_of_a_ratio_is_that_of_its_inverse_turned_round():
    numbers = np.random.default_rng(5)
    runs = study_of(np.exp(numbers.normal(size=(2, 6))))

    def ratio(drawn: Runs) -> float:
        first, second = ([run for run in drawn if run["point"]["x"] == x] for x in range(2))
        return mean(first) / mean(second)

    value, low, high = interval_of_ratio(ratio, runs)
    assert (1 / value, 1 / high, 1 / low) == pytest.approx(
        interval_of_ratio(lambda drawn: 1 / ratio(drawn), runs), rel=0.02
    )
    assert 0 < low < value < high
    assert interval_of_ratio(lambda runs: 0.0, runs) == (0, 0, 0)
    assert interval_of_ratio(lambda runs: math.inf, runs) == (math.inf,) * 3
    assert all(map(math.isnan, interval_of_ratio(lambda runs: math.nan, runs)))


def test_seeds_that_agree_give_no_width():
    assert interval(mean, study_of([[1.0, 1.0, 1.0]])) == (1, 1, 1)


def test_the_interval_of_a_biased_statistic_is_about_its_value():
    """Drawing again mixes up more points; how much it adds to the disorder is no part of the width."""
    numbers, held = np.random.default_rng(6), 0
    for _ in range(60):
        value, low, high = interval(order, study_of(numbers.normal(size=(10, 3)) + 0.7 * np.arange(10)[:, None]))
        assert low <= value <= high
        held += high >= 1
    assert held >= 40  # the quantiles of the resamples reach 1 in 18 of the 60


def order(runs: Runs) -> float:
    """Share of the pairs of points whose means are in the order of the points: 1 for infinitely many seeds."""
    means = [mean(list(group)) for _, group in itertools.groupby(runs, lambda run: run["point"]["x"])]
    pairs = list(itertools.combinations(means, 2))
    return sum(a < b for a, b in pairs) / len(pairs)


def test_the_fewest_seeds_of_any_point_are_counted():
    assert fewest_seeds(study_of([[1, 2, 3], [1, 2], [1, 2, 3]])) == 2
    assert fewest_seeds([]) == 0
