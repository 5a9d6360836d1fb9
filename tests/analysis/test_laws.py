"""The published laws: planted constants and exponents are found again, from points and from the runs of a store."""

import itertools
import json

import numpy as np
import pytest
from scipy.special import expit

import analysis
from analysis.charts import NotApplicable
from analysis.laws import fit_law
from study.store.database import Store
from tests.support.synthetic import drawn, run, step_up, write_study
from trainables.components import load
from trainables.errors import SpecError

GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}
FRACTION, SIZE, WIDTH = "task.train_fraction", "task.data_size", "model.width"
RATE, DECAY = "optimizer.learning_rate", "optimizer.weight_decay"
DELAY, HORIZON = 3.0, 10_000
"""Planted: the delay is DELAY / (learning rate * weight decay) steps."""


def study_of(folder, points, rate, seeds, **spec) -> Store:
    """A store with `seeds` runs at each point, of which a share generalizes that `rate` tells."""
    numbers = np.random.default_rng(0)
    runs = [
        run(f"{i}-{seed}", GROKKED if numbers.random() < rate(point) else MEMORIZED, point, seed=seed)
        for i, point in enumerate(points)
        for seed in range(seeds)
    ]
    return write_study(folder, runs, axes={axis: [0] for axis in points[0]}, **spec)


def delayed(name: str, delay: float, point: dict[str, float], **facts):
    """A run that fits at step 5 and generalizes `delay` steps later, or not by the horizon."""
    at = sorted({0, 5, round(5 + delay), HORIZON})
    test = [float(5 + delay <= HORIZON and step >= round(5 + delay)) for step in at]
    curves = {"train.accuracy": [float(step >= 5) for step in at], "test.accuracy": test}
    return run(name, curves, point, at, horizon=HORIZON, **facts)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory) -> Store:
    points = [{WIDTH: width, SIZE: size} for width in (8, 16, 32, 64, 128) for size in range(40, 400, 20)]
    folder = tmp_path_factory.mktemp("sizes")
    return study_of(folder, points, lambda p: expit((p[SIZE] - 800 * p[WIDTH] ** -0.5) / 10), seeds=2)


@pytest.fixture(scope="module")
def delays(tmp_path_factory) -> Store:
    numbers = np.random.default_rng(0)
    runs = [
        delayed(f"{rate}-{decay}-{seed}", DELAY / rate / decay * np.exp(0.15 * numbers.normal()),
                {RATE: rate, DECAY: decay}, seed=seed)
        for rate, decay, seed in itertools.product((1e-4, 1e-3, 3e-3, 1e-2, 3e-2), (0.3, 1.0, 3.0), range(7))
    ]  # fmt: skip
    runs.append(run("twin", MEMORIZED, {RATE: 1e-3, DECAY: 1.0, "task.labels": "random"}))
    return write_study(tmp_path_factory.mktemp("delays"), runs, {RATE: [1], DECAY: [1]}, question="How long is it?")


def test_a_law_is_recovered_from_points_that_follow_it(subtests):
    for law, exponent in [("critical_size", -0.7), ("critical_fraction", 1.0), ("delay", 1.0)]:
        with subtests.test(law=law, exponent=exponent):
            numbers = np.random.default_rng(0)
            g = np.geomspace(1, 100, 12)
            y = 2.7 * g**exponent * np.exp(0.05 * numbers.normal(size=12))
            found = fit_law(law, [{"g": a, "y": b} for a, b in zip(g, y, strict=True)])
            assert found.exponent_interval[0] < exponent < found.exponent_interval[1]
            assert found.constant == pytest.approx(2.7, rel=0.15)
            assert np.std(found.residuals) == pytest.approx(0.05, rel=0.6)


def test_a_law_needs_its_axes_and_enough_points(sizes, delays, tmp_path):
    with pytest.raises(SpecError, match=r"No law named 'critical_sise'. Did you mean 'critical_size'"):
        analysis.law(sizes, "toy", "critical_sise")
    with pytest.raises(SpecError, match=r"needs the axes task.p and task.train_fraction, it has model.width"):
        analysis.law(sizes, "toy", "critical_fraction")
    with pytest.raises(SpecError, match=r"needs the axes optimizer.learning_rate, optimizer.weight_decay or both, it"):
        analysis.law(sizes, "toy", "delay")
    with pytest.raises(SpecError, match=r"no axis 'task.datasize'. Did you mean 'task.data_size'"):
        analysis.law(sizes, "toy", "critical_size", at={"task.datasize": 9})
    two = write_study(
        tmp_path, [delayed(f"r{d}", 9, {DECAY: d, RATE: 0.1}) for d in (1.0, 2.0)], {DECAY: [1], RATE: [1]}
    )
    with pytest.raises(SpecError, match=r"Law 'delay': 2 usable points are too few"):
        analysis.law(two, "toy", "delay")
    with pytest.raises(NotApplicable, match=r"Study 'toy' has no law to draw: Law 'delay': 2 usable points"):
        load("analysis.charts", "law").chart(two, "toy")


def test_the_critical_fraction_is_fitted_against_log_m_over_m(tmp_path):
    points = [{"task.p": p, FRACTION: float(x)} for p in (11, 23, 47, 97) for x in np.linspace(0.05, 0.95, 19)]
    store = study_of(tmp_path, points, lambda p: p[FRACTION] > 2.7 * np.log(p["task.p"]) / p["task.p"], seeds=2)
    found = analysis.law(store, "toy", "critical_fraction")
    assert len(found.points) == 4
    assert found.constant_interval[0] < 2.7 < found.constant_interval[1]
    assert found.exponent == pytest.approx(1, abs=0.2)


def test_the_critical_size_of_a_study_falls_as_planted(sizes):
    found = analysis.law(sizes, "toy", "critical_size")
    assert [point["g"] for point in found.points] == [8, 16, 32, 64, 128]
    assert all(point["low"] < 800 * point["g"] ** -0.5 < point["high"] for point in found.points)
    assert found.exponent_interval[0] < -0.5 < found.exponent_interval[1] < 0
    assert max(map(abs, found.residuals)) < 0.15


def test_the_delay_of_a_study_is_as_planted_and_censored_points_are_left_out(delays):
    found = analysis.law(delays, "toy", "delay")
    assert found.constant_interval[0] < DELAY < found.constant_interval[1]
    assert found.exponent_interval[0] < 1 < found.exponent_interval[1]
    assert max(point["g"] for point in found.points) < HORIZON / DELAY
    inside = [(p["low"] or 0) <= DELAY * p["g"] <= (p["high"] or np.inf) for p in found.points]
    assert np.mean(inside) > 0.8
    assert 0.01 < np.std(found.residuals) < 0.15


def test_a_median_counts_the_runs_that_did_not_generalize_as_the_slowest(tmp_path):
    runs = [
        delayed(f"{decay}-{seed}", delay, {DECAY: decay}, learning_rate=0.01, seed=seed)
        for decay in (1.0, 2.0, 4.0)
        for seed, delay in enumerate([100 / decay, 200 / decay, 2 * HORIZON])
    ]
    points = analysis.law(write_study(tmp_path, runs, {DECAY: [1]}), "toy", "delay").points
    assert [(p["y"], p["low"], p["high"]) for p in points] == [(50, 25, None), (100, 50, None), (200, 100, None)]


def test_runs_that_were_pruned_or_diverged_say_nothing_of_a_delay(tmp_path):
    runs = [
        delayed(f"{decay}-{seed}", 100 / decay, {DECAY: decay}, learning_rate=0.01, seed=seed)
        for decay in (1.0, 2.0, 4.0)
        for seed in range(3)
    ] + [
        delayed(f"{decay}-{reason}-{i}", 2 * HORIZON, {DECAY: decay}, learning_rate=0.01, stop_reason=reason, steps=50)
        for decay in (1.0, 2.0, 4.0)
        for reason in ("pruned", "diverged")
        for i in range(3)
    ]
    points = analysis.law(write_study(tmp_path, runs, {DECAY: [1]}), "toy", "delay").points
    assert [(p["y"], p["runs"]) for p in points] == [(25, 3), (50, 3), (100, 3)]


def test_another_axis_is_held(tmp_path):
    runs = [
        delayed(f"{decay}-{size}-{seed}", size / decay, {DECAY: decay, SIZE: size}, learning_rate=0.01, seed=seed)
        for decay, size, seed in itertools.product((1.0, 2.0, 5.0), (100, 1000), range(2))
    ]
    store = write_study(tmp_path, runs, {DECAY: [1], SIZE: [1]})
    assert analysis.law(store, "toy", "delay", at={SIZE: 1000}).constant == pytest.approx(10)
    with pytest.raises(SpecError, match=r"it has .*task.data_size. Hold others fixed with at="):
        analysis.law(store, "toy", "delay")


def test_the_line_goes_through_the_points_and_its_interval_widens_outwards():
    found = fit_law("delay", [{"g": g, "y": y} for g, y in [(1, 2.2), (10, 18), (100, 220), (1000, 1900)]])
    y, low, high = found.line([10**1.5, 1e6])
    assert y[0] == pytest.approx(np.exp(np.mean(np.log([2.2, 18, 220, 1900]))))
    assert low[0] < y[0] < high[0]
    assert high[1] / low[1] > 2 * high[0] / low[0]


def test_the_chart_of_a_law_has_points_line_band_published_line_and_residuals(delays):
    found = analysis.law(delays, "toy", "delay")
    spec = load("analysis.charts", "law").chart(delays, "toy").to_dict()
    json.dumps(spec, allow_nan=False)
    [panel] = spec["hconcat"]
    measured, left = panel["vconcat"]
    assert "published 1" in measured["title"]["subtitle"][0]
    tables = list(spec["datasets"].values())
    [points] = [rows for rows in tables if "factor" in rows[0] and "g" in rows[0]]
    assert [row["factor"] for row in points] == pytest.approx(np.exp(found.residuals).tolist())
    [lines] = [rows for rows in tables if "line" in rows[0]]
    published = [row for row in lines if row["line"] == "published"]
    assert all(row["y"] == pytest.approx(found.constant * row["g"]) for row in published)
    assert all(row["low"] < row["y"] < row["high"] for row in lines if row["line"] == "fitted")
    assert drawn(spec, left["layer"][1]) == points


def test_a_law_without_a_published_exponent_has_one_line(sizes):
    spec = load("analysis.charts", "law").chart(sizes, "toy").to_dict()
    [lines] = [rows for rows in spec["datasets"].values() if "line" in rows[0]]
    assert {row["line"] for row in lines} == {"fitted"}
