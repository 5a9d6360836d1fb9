"""analysis.boundary: known boundaries of invented studies, from the store to the interval."""

import json

import numpy as np
import pytest
from scipy.special import expit

import analysis
from analysis.boundaries import Scale, critical_values
from study.boundary_model import fit
from tests.synthetic import run, step_up, write_study
from trainables.components import load
from trainables.errors import SpecError

GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}
FRACTION, DECAY = "task.train_fraction", "optimizer.weight_decay"


def store_of(folder, points, rate, seeds=4, **spec):
    """A store with `seeds` runs at each point, of which a share generalizes that `rate` tells."""
    numbers = np.random.default_rng(0)
    runs = [
        run(f"{i}-{seed}", GROKKED if numbers.random() < rate(point) else MEMORIZED, point, seed=seed)
        for i, point in enumerate(points)
        for seed in range(seeds)
    ]
    return write_study(folder, runs, axes={axis: [0] for axis in points[0]}, question="Where do they cross?", **spec)


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    points = [{FRACTION: float(x)} for x in np.linspace(0.2, 0.8, 13)]
    return store_of(tmp_path_factory.mktemp("line"), points, lambda p: expit((p[FRACTION] - 0.43) / 0.02))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    points = [
        {FRACTION: float(x), DECAY: float(y)} for x in np.linspace(0.2, 0.8, 9) for y in np.geomspace(0.01, 10, 8)
    ]

    def rate(point):
        return expit((point[FRACTION] - 0.45 + 0.08 * np.log10(point[DECAY])) / 0.02)

    return store_of(tmp_path_factory.mktemp("plane"), points, rate)


def test_one_axis_has_a_critical_value_with_an_interval(line):
    found = analysis.boundary(line, "toy")
    assert found.axes == [FRACTION]
    assert found.runs == 52
    low, high = found.interval
    assert low < 0.43 < high
    assert low < found.points[0]["value"] < high
    assert found.width == pytest.approx((high - low) / 0.6)
    assert found.width < 0.2


def test_intervals_of_critical_values_cover_them():
    numbers, covered = np.random.default_rng(3), 0
    for critical in np.linspace(0.3, 0.7, 20):
        at = np.repeat(np.linspace(0, 1, 10), 5)
        positive = numbers.random(len(at)) < expit((at - critical) / 0.03)
        model = fit(at[:, None], positive)
        points = critical_values(model, Scale("x", 0.0, 1.0, False), at[:, None], positive, np.full(len(at), np.nan))
        covered += any(point["low"] <= critical <= point["high"] for point in points)
    assert covered >= 17


def test_a_sharp_change_is_only_known_to_lie_between_two_points(tmp_path):
    points = [{FRACTION: x} for x in (0.2, 0.4, 0.6, 0.8)]
    low, high = analysis.boundary(store_of(tmp_path, points, lambda p: p[FRACTION] > 0.5, seeds=6), "toy").interval
    assert 0.35 < low < 0.46  # a bootstrap alone would give an interval of no width
    assert 0.54 < high < 0.65


def test_two_axes_have_a_curve_with_a_band(plane):
    found = analysis.boundary(plane, "toy")
    assert [scale.log for scale in found.scales] == [False, True]
    off = [abs(p["x"] - 0.45 + 0.08 * np.log10(p["y"])) for p in found.points]
    assert len(off) > 30
    assert np.median(off) < 0.015
    assert max(off) < 0.06
    assert 0 < found.width < 0.3
    assert all(0 < point["width"] <= 1 for point in found.points)


def test_an_axis_can_be_held(plane):
    found = analysis.boundary(plane, "toy", at={FRACTION: 0.425})  # is 0.42500000000000004 there
    assert found.axes == [DECAY]
    assert found.points[0]["low"] < 10 ** ((0.45 - 0.425) / 0.08) < found.points[0]["high"]


def test_phases_can_be_named(line):
    by_name = analysis.boundary(line, "toy", phase=["grokking", "comprehension"])
    assert by_name.points == analysis.boundary(line, "toy").points
    other = analysis.boundary(line, "toy", phase="memorization", definition="liu2022")
    assert other.points[0]["value"] == pytest.approx(by_name.points[0]["value"], abs=0.01)


def test_mistakes_are_told_with_the_mend(line, plane, tmp_path):
    with pytest.raises(SpecError, match=r"no axis 'task.train_fracton'. Did you mean 'task.train_fraction'"):
        analysis.boundary(line, "toy", at={"task.train_fracton": 1})
    with pytest.raises(SpecError, match=r"no boundary of phase 'groking'.* Phases by unified: grokking, memorization"):
        analysis.boundary(line, "toy", phase="groking")
    with pytest.raises(SpecError, match=r"needs one or two axes, there are 0"):
        analysis.boundary(line, "toy", at={FRACTION: 0.2})
    words = store_of(tmp_path, [{"task.operation": name} for name in ("add", "mul")], lambda p: 0.5)
    with pytest.raises(SpecError, match=r"'task.operation' is not numeric"):
        analysis.boundary(words, "toy")


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_the_chart_draws_the_runs_and_the_boundary(kind, request):
    store = request.getfixturevalue(kind)
    spec = load("analysis.charts", "boundary").chart(store, "toy").to_dict()
    json.dumps(spec, allow_nan=False)
    assert spec["title"]["text"] == "Where do they cross?"
    assert "mean width of the band" in spec["title"]["subtitle"]
    counts = [len(rows) for rows in spec["datasets"].values()]
    assert analysis.boundary(store, "toy").runs in counts
