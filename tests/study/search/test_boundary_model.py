"""The model behind boundaries: it finds known ones within its intervals, from few and from many runs."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import expit

from study.search.boundary import model as boundary_model
from study.search.boundary import sites
from study.search.boundary.model import MAX_PLACES, fit, pooled
from study.search.boundary.passages import log_steps
from study.search.boundary.width import width, width_of
from study.search.space import Axis, Seen, Space
from tests.bench.boundary_readings import outcome, point_at
from tests.bench.boundary_width import crossings, inside
from tests.bench.ground_truth import recorded
from tests.bench.maps import MAPS

LINE = np.linspace(0, 1, 1001)[:, None]


def logistic_runs(critical: float, spread: float, places: int, seeds: int, seed: int = 0):
    """Runs on a regular line whose rate is a logistic function with this critical value."""
    at = np.repeat(np.linspace(0, 1, places), seeds)
    return at[:, None], np.random.default_rng(seed).random(len(at)) < expit((at - critical) / spread)


def test_the_gradient_of_the_evidence_is_that_of_differences(monkeypatch):
    monkeypatch.setattr(sites, "TOLERANCE", 1e-9)
    monkeypatch.setattr(sites, "MAX_ROUNDS", 200)
    numbers = np.random.default_rng(0)
    places = numbers.random((30, 2))
    counts = numbers.integers(1, 4, 30).astype(float)
    successes = np.where(places.sum(1) > 1, counts, 0.0)

    def loss(logs):
        return boundary_model._loss(logs, places, sites.Sites.empty(successes, counts))

    logs = np.log([0.3, 0.6, 3.0])
    assert loss(logs)[1] == pytest.approx(approx_fprime(logs, lambda at: loss(at)[0], 1e-5), abs=1e-3)


def test_one_certain_place_has_the_mean_and_sd_of_the_exact_posterior():
    model = fit(np.array([[0.5]]), np.array([True]))
    f = np.linspace(-40, 40, 200_001)
    weights = np.exp(-0.5 * (f / model.scale) ** 2) * model.rate(f)
    mean = np.average(f, weights=weights)
    found = model.mean_and_sd(np.array([[0.5]]))
    assert found[0][0] == pytest.approx(mean, rel=1e-3)
    assert found[1][0] == pytest.approx(math.sqrt(np.average((f - mean) ** 2, weights=weights)), rel=1e-3)


def test_the_interval_of_a_logistic_boundary_covers_it():
    covered = 0
    for seed in range(40):
        critical = 0.3 + 0.01 * seed
        model = fit(*logistic_runs(critical, 0.03, 12, 5, seed))
        mean, sd = model.mean_and_sd(np.array([[critical]]))
        covered += abs(mean[0]) < 1.96 * sd[0]
    assert covered >= 35  # 38 are expected; fewer than 35 has a chance of 1%


def test_runs_of_one_place_are_counted_and_their_order_does_not_matter():
    places, positive = logistic_runs(0.4, 0.05, 10, 8)
    order = np.random.default_rng(1).permutation(len(places))
    one, other = (model.mean_and_sd(LINE)[0] for model in (fit(places, positive), fit(places[order], positive[order])))
    assert len(fit(places, positive).places_ND) == 10
    assert one == pytest.approx(other, abs=1e-6)


def test_many_runs_are_pooled_and_none_is_lost():
    numbers = np.random.default_rng(0)
    places = numbers.random((10_000, 2))
    positive = numbers.random(10_000) < expit((places[:, 0] - 0.37) / 0.02)
    centres, successes, counts = pooled(places, positive)
    assert len(centres) <= MAX_PLACES
    assert (successes.sum(), counts.sum()) == (positive.sum(), 10_000)
    mean, _ = fit(places, positive).mean_and_sd(np.column_stack([LINE, np.full(len(LINE), 0.5)]))
    assert float(LINE[np.flatnonzero(np.diff(mean > 0))[0], 0]) == pytest.approx(0.37, abs=0.01)


@pytest.mark.parametrize("positive", [True, False])
def test_one_outcome_alone_makes_a_model_that_is_unsure_far_away(positive):
    model = fit(np.array([[0.0, 0.0], [0.1, 0.1]]), np.array([positive, positive]))
    near, far = zip(*model.mean_and_sd(np.array([[0.05, 0.05], [1.0, 1.0]])), strict=True)
    assert (near[0] > 0) == positive
    assert abs(near[0]) / near[1] > 3 * abs(far[0]) / far[1]


def line_space(axes: int) -> Space:
    return Space(tuple(Axis(name, low=0.0, high=1.0) for name in "xyz"[:axes]))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_width_shrinks_with_runs_and_is_infinite_without(axes):
    space, numbers = line_space(axes), np.random.default_rng(0)
    assert width(space, []) == math.inf

    def seen(count):
        points = numbers.random((count, axes))
        return [
            Seen(dict(zip("xyz", row, strict=False)), True, None, bool(row[0] > 0.5), None) for row in points.tolist()
        ]

    few, many = width(space, seen(12 * axes)), width(space, seen(100 * axes))
    assert 0 < many < few / 2


def test_the_width_is_that_of_the_interval_on_a_line():
    model = fit(*logistic_runs(0.5, 0.02, 21, 6))
    mean, sd = model.mean_and_sd(LINE)
    assert width_of(model, 1) == pytest.approx(float(np.mean(np.abs(mean) < 1.96 * sd)), abs=0.005)


def test_the_width_is_that_of_phases_alone():
    at, positive = logistic_runs(0.5, 0.05, 12, 3)
    steps = np.exp(7 - 3 * at[:, 0])  # latest near the boundary
    runs = [
        Seen({"x": float(x)}, True, None, bool(yes), float(step) if yes else None)
        for x, yes, step in zip(at[:, 0], positive, steps, strict=True)
    ]
    without = [replace(run, step=None) for run in runs]
    assert width_of(fit(at, positive, log_steps_N=log_steps(runs)), 1) < 0.8 * width_of(fit(at, positive), 1)
    assert width(line_space(1), runs) == width(line_space(1), without) == width_of(fit(at, positive), 1)


@pytest.mark.parametrize("name", MAPS)
def test_the_band_of_phases_alone_holds_the_boundary_of_real_maps(name):
    truth = recorded(name)
    edge, bands, with_passages = crossings(truth), [], []
    for seed in range(6):
        numbers = np.random.default_rng(seed)
        seen = [outcome(truth, point_at(place), numbers) for place in numbers.random((100, 2))]
        places, positive = (
            np.array([list(run.point.values()) for run in seen]),
            np.array([run.positive for run in seen]),
        )
        bands.append(inside(fit(places, positive), edge))
        with_passages.append(inside(fit(places, positive, log_steps_N=log_steps(seen)), edge))
    assert np.mean(bands) > 0.9
    assert np.mean(with_passages) < 0.88, "else first passages may count in the band, too"
