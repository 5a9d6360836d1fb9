"""analysis.boundary: known boundaries of invented studies, from the store to the interval."""

import json
import re

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

import analysis
from analysis.critical_values import critical_values
from analysis.scale import Scale
from analysis.stored import resolved_runs
from study.search.boundary.model import BoundaryModel, fit
from study.search.boundary.width import width_of
from tests.support.synthetic import run, step_up, write_study
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
    for critical in np.linspace(0.3, 0.7, 12):
        at = np.repeat(np.linspace(0, 1, 10), 5)
        positive = numbers.random(len(at)) < expit((at - critical) / 0.03)
        model = fit(at[:, None], positive)
        unknown = np.full(len(at), np.nan)
        points = critical_values(model, model, Scale("x", 0.0, 1.0, False), at[:, None], positive, unknown)
        covered += any(point["low"] <= critical <= point["high"] for point in points)
    assert covered >= 11


def test_a_sharp_change_is_only_known_to_lie_between_two_points(tmp_path):
    points = [{FRACTION: x} for x in (0.2, 0.4, 0.6, 0.8)]
    low, high = analysis.boundary(store_of(tmp_path, points, lambda p: p[FRACTION] > 0.5, seeds=6), "toy").interval
    assert 0.35 < low < 0.46  # a bootstrap alone would give an interval of no width
    assert 0.54 < high < 0.65


def values_of(places: np.ndarray, positive: np.ndarray, model: BoundaryModel) -> list[dict[str, float]]:
    steps = np.full(len(places), np.nan)
    return critical_values(model, model, Scale("x", 0.0, 1.0, False), places[:, None], positive, steps)


def test_an_interval_reaches_to_where_the_model_is_95_percent_sure():
    at, tick = np.repeat([0.0, 0.3, 0.6, 1.0], 6), 1 / 800
    model = fit(at[:, None], at > 0.5)
    [point] = values_of(at, at > 0.5, model)

    def doubt(place: float) -> float:
        """How probable it is by the model that the boundary is on the other side of a place."""
        mean, sd = model.mean_and_sd(np.array([[place]]))
        return float(norm.sf(abs(mean[0]) / sd[0]))

    assert doubt(point["low"]) < 0.025 < doubt(point["low"] + tick)
    assert doubt(point["high"]) < 0.025 < doubt(point["high"] - tick)


class Sure(BoundaryModel):
    """A model without a band of its own, so that an interval is what the bootstrap says."""

    def mean_and_sd(self, at_MD):
        mean, sd = super().mean_and_sd(at_MD)
        return mean, 0 * sd


def crossing(model: BoundaryModel, near: float) -> float:
    """Where the mean is zero, nearest to a place."""
    line = np.linspace(0, 1, 4001)
    mean, _ = model.mean_and_sd(line[:, None])
    found = line[np.flatnonzero(np.diff(mean > 0))]
    return float(found[np.abs(found - near).argmin()])


@pytest.fixture
def resampled(monkeypatch) -> list[tuple[np.ndarray, np.ndarray, BoundaryModel]]:
    """Places, outcomes and model of every resample that is fitted."""
    seen: list[tuple[np.ndarray, np.ndarray, BoundaryModel]] = []

    def spy(places_ND, positive_N, **options):
        model = fit(places_ND, positive_N, **options)
        seen.append((places_ND[:, 0], positive_N, model))
        return model

    monkeypatch.setattr("analysis.critical_values.fit", spy)
    return seen


def test_a_bootstrap_draws_the_seeds_of_each_place_and_95_percent_of_it_are_in_the_interval(resampled):
    numbers = np.random.default_rng(3)
    at = np.repeat(np.linspace(0, 1, 10), 5)
    positive = numbers.random(len(at)) < expit((at - 0.47) / 0.08)
    [point] = values_of(at, positive, Sure(**vars(fit(at[:, None], positive))))
    assert len(resampled) >= 200
    rates = {place: positive[at == place].mean() for place in at}
    assert {0 < rate < 1 for rate in rates.values()} == {False, True}
    for places, outcomes, _ in resampled:
        assert sorted(places) == sorted(at), "every place keeps its number of seeds"
        assert all(outcomes[places == place].mean() == rate for place, rate in rates.items() if rate in (0, 1))
    drawn = {tuple(outcomes[np.argsort(places, kind="stable")]) for places, outcomes, _ in resampled}
    assert len(drawn) > 100, "and they are drawn anew"
    inside = [point["low"] <= crossing(model, point["value"]) <= point["high"] for _, _, model in resampled]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.006)


def test_a_bootstrap_draws_among_all_runs_where_every_place_has_one(resampled):
    numbers = np.random.default_rng(3)
    at = np.linspace(0, 1, 40)
    positive = numbers.random(len(at)) < expit((at - 0.47) / 0.08)
    values_of(at, positive, fit(at[:, None], positive))
    outcome = dict(zip(at, positive, strict=True))
    for places, outcomes, _ in resampled:
        assert len(places) == 40
        assert len(set(places)) < 40
        assert all(outcome[place] == drawn for place, drawn in zip(places, outcomes, strict=True))


def test_two_axes_have_a_curve_with_a_band(plane):
    found = analysis.boundary(plane, "toy")
    assert [scale.log for scale in found.scales] == [False, True]
    off = [abs(p["x"] - 0.45 + 0.08 * np.log10(p["y"])) for p in found.points]
    assert len(off) > 30
    assert np.median(off) < 0.015
    assert max(off) < 0.06
    assert 0 < found.width < 0.3
    assert all(0 < point["width"] <= 1 for point in found.points)


DECADES = [0.001, 0.01, 0.1, 1.0, 10.0]


def test_a_0_beside_decades_moves_no_boundary(tmp_path):
    """Without a place for 0 the axis was linear: all decades but the last on one spot, and a width of 0.9."""
    rate = {decay: float(decay > 0.03) for decay in [0.0, *DECADES]}
    with_0 = store_of(tmp_path / "0", [{DECAY: decay} for decay in rate], lambda p: rate[p[DECAY]])
    without = store_of(tmp_path / "1", [{DECAY: decay} for decay in DECADES], lambda p: rate[p[DECAY]])
    [a], [b] = (analysis.boundary(store, "toy").points for store in (with_0, without))
    assert a["value"] == pytest.approx(b["value"], rel=0.1)
    assert a["low"] == pytest.approx(b["low"], rel=0.1)
    assert a["high"] == pytest.approx(b["high"], rel=0.1)
    assert 0.01 < a["low"] < 0.0316 < a["high"] < 0.1
    assert analysis.boundary(with_0, "toy").width < 0.25


def test_a_boundary_between_0_and_the_lowest_decade_lies_there(tmp_path):
    store = store_of(tmp_path, [{DECAY: decay} for decay in [0.0, *DECADES]], lambda p: float(p[DECAY] > 0))
    [point] = analysis.boundary(store, "toy").points
    assert 0 <= point["low"] < point["value"] < point["high"] <= 0.001
    json.dumps(load("analysis.charts", "boundary").chart(store, "toy").to_dict(), allow_nan=False)


def test_a_plane_with_a_0_beside_decades_has_one_unbroken_curve(tmp_path):
    points = [{FRACTION: float(x), DECAY: y} for x in np.linspace(0.2, 0.8, 8) for y in [0.0, *DECADES]]
    found = analysis.boundary(
        store := store_of(tmp_path, points, lambda p: float(np.log10(p[DECAY] or 1e-9) > 1 - 6 * p[FRACTION])), "toy"
    )
    off = [np.log10(piece["y"]) - (1 - 6 * piece["x"]) for piece in found.points]
    assert np.median(np.abs(off)) < 0.5
    assert max(piece["y"] for piece in found.points) > 0.2
    assert min(piece["y"] for piece in found.points) < 0.01
    for name in ("boundary", "phase_diagram"):
        spec = load("analysis.charts", name).chart(store, "toy").to_dict()
        json.dumps(spec, allow_nan=False)
        [lines] = [rows for rows in spec["datasets"].values() if rows and {"width", "x2"} <= rows[0].keys()]
        ends = sorted({(line[f"x{end}"], line[f"y{end}"]) for line in lines for end in ("", "2")})
        heights = [y for _, y in ends]
        spread = np.ptp(np.log(heights) if name == "boundary" else heights)
        steps = np.abs(np.diff(np.log(heights) if name == "boundary" else heights))
        assert steps.max() < 0.1 * spread


def test_a_scale_has_a_place_for_0_where_the_positive_values_are_decades(subtests):
    for values, log, zero in [
        ([0, *DECADES], True, 1 / 5),
        ([0, 1, 5, 15], True, 1 / 3),
        ([0, *np.geomspace(0.001, 1, 40)], True, 0.1),
        (DECADES, True, 0),
        ([0, 0.25, 0.5, 0.75, 1], False, 0),
        ([i / 20 for i in range(21)], False, 0),
        ([0, 10], False, 0),
        ([0.2, 0.8], False, 0),
        ([-1, 0, 1], False, 0),
    ]:
        with subtests.test(values=values):
            scale = Scale.of("x", values)
            assert (scale.log, scale.zero) == (log, zero)
            units = scale.unit(values)
            assert (min(units), max(units)) == (0, 1)
            assert [scale.value(unit) for unit in units] == pytest.approx(sorted(values))
            between = np.linspace(0, 1, 101)
            assert scale.unit([scale.value(unit) for unit in between]) == pytest.approx(between)
            assert np.diff([scale.drawn_at(unit) for unit in between]).min() > 0


def test_the_band_is_that_of_phases_alone_and_the_line_also_reads_first_passages(plane, monkeypatch):
    def latest_near_the_boundary(runs):
        return np.array([9 - 10 * run.point[FRACTION] if run.positive else np.nan for run in runs])

    monkeypatch.setattr("analysis.sides.log_steps", latest_near_the_boundary)
    found = analysis.boundary(plane, "toy")
    assert np.array_equal(found.band.places_ND, found.model.places_ND)
    alone = fit(*seen_by(plane, found))
    at = np.random.default_rng(0).random((50, 2))
    assert np.allclose(found.band.mean_and_sd(at), alone.mean_and_sd(at))
    assert found.width == width_of(alone, 2)
    assert not np.allclose(found.model.mean_and_sd(at), alone.mean_and_sd(at))


def seen_by(store, found):
    """Places from 0 to 1, and sides, of a study's runs."""
    rows = resolved_runs(store, "toy", found.definition)
    places = [scale.unit([row["point"][scale.path] for row in rows]) for scale in found.scales]
    return np.stack(places, -1), np.array([row["phase"] in found.phases for row in rows])


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
    for value, words in (("1", "'1'"), (0.3333, "0.3333"), (None, "None"), ([1], r"\[1\]"), (True, "True")):
        with pytest.raises(SpecError, match=rf"no run has '{DECAY}' at {words}\. Its values: 0\.01, 0\.02"):
            analysis.boundary(plane, "toy", at={DECAY: value})
    with pytest.raises(SpecError, match=r"at must be {axis: value}, got '1'"):
        analysis.boundary(plane, "toy", at="1")
    with pytest.raises(SpecError, match=r"needs one or two axes, there are 0"):
        analysis.boundary(line, "toy", at={FRACTION: 0.2})
    words = store_of(tmp_path, [{"task.operation": name} for name in ("add", "mul")], lambda p: 0.5)
    with pytest.raises(SpecError, match=r"'task.operation' is not numeric"):
        analysis.boundary(words, "toy")


def test_a_boundary_is_shown_in_a_line(line, plane):
    shown = repr(analysis.boundary(line, "toy"))
    assert re.fullmatch(
        r"Boundary\('toy', comprehension or grokking by unified, over task.train_fraction: 0\.4\d+ \[0\.\d+, 0\.\d+\]; "
        r"width 0\.\d+ of the axes, 52 runs\)",
        shown,
    )
    shown = repr(analysis.boundary(plane, "toy"))
    assert re.search(rf"over {FRACTION}, {DECAY}: a curve of \d+ pieces; width 0\.\d+ of the axes, 288 runs", shown)


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_the_chart_draws_the_runs_and_the_boundary(kind, request):
    store = request.getfixturevalue(kind)
    spec = load("analysis.charts", "boundary").chart(store, "toy").to_dict()
    json.dumps(spec, allow_nan=False)
    assert spec["title"]["text"] == "Where do they cross?"
    assert "mean width of the band" in spec["title"]["subtitle"]
    counts = [len(rows) for rows in spec["datasets"].values()]
    assert analysis.boundary(store, "toy").runs in counts
