"""The boundary on phase diagrams: its band and line around the dots of a search, its line over the tiles of a grid."""

import itertools
import json
import re

import numpy as np
import pytest

import analysis
from analysis.boundaries import boundary
from study.store.database import Store
from study.store.status import phase_rows
from tests.support.reports import held
from tests.support.synthetic import cells_of, drawn, run, step_up, write_study
from trainables.components import load

GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}
FRACTION, DECAY = "task.train_fraction", "optimizer.weight_decay"
RANGES = {FRACTION: [0.2, 0.8], DECAY: [0.01, 10.0]}


def critical(decay: float) -> float:
    return 0.45 - 0.08 * np.log10(decay)


def side(point: dict[str, float]) -> dict[str, list[float]]:
    return GROKKED if point[FRACTION] > critical(point[DECAY]) else MEMORIZED


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> Store:
    numbers = np.random.default_rng(0)
    points = [
        {FRACTION: round(x, 4), DECAY: float(f"{y:.4g}")}
        for x, y in zip(numbers.uniform(0.2, 0.8, 96).tolist(), 10 ** numbers.uniform(-2, 1, 96), strict=True)
    ]
    about = {"over": {FRACTION: "0.2:0.8", DECAY: "0.01:10:log"}, "runs": 96, "objective": None, "phases": ["grokking"]}
    runs = [run(f"r{i}", side(point), point) for i, point in enumerate(points)]
    folder = tmp_path_factory.mktemp("search")
    return write_study(folder, runs, RANGES, "Where do they cross?", sampler="boundary", search=about)


def layers_of(chart: dict) -> list[str]:
    """What the layers of a chart are drawn with, nested ones flat, from the lowest to the highest."""
    return [
        mark for layer in chart["layer"] for mark in (layers_of(layer) if "layer" in layer else [layer["mark"]["type"]])
    ]


def test_a_search_has_band_and_line_under_its_dots(search):
    spec = analysis.phase_diagram(search, "toy").to_dict()
    json.dumps(spec, allow_nan=False)
    assert layers_of(spec) == ["rect", "rule", "rule", "circle"]
    assert len(cells_of(spec)) == 96
    band = drawn(spec, spec["layer"][0])
    line = drawn(spec, spec["layer"][1])
    assert np.median([abs(piece["x"] - critical(piece["y"])) for piece in line]) < 0.02
    inside = [any(b["x"] <= p["x"] <= b["x2"] and b["y"] <= p["y"] <= b["y2"] for b in band) for p in line]
    assert np.mean(inside) > 0.95


def test_turned_axes_turn_the_boundary(search):
    spec = analysis.phase_diagram(search, "toy", x=DECAY).to_dict()
    band, line = (drawn(spec, spec["layer"][i]) for i in (0, 1))
    assert np.median([abs(piece["y"] - critical(piece["x"])) for piece in line]) < 0.02
    assert max(row["x2"] for row in band) == pytest.approx(max(row["x"] for row in cells_of(spec)))
    assert max(row["y2"] for row in band) <= 0.8


def test_a_grid_has_the_line_between_the_tiles_of_either_side(tmp_path):
    fractions, decays = [0.2, 0.3, 0.5, 0.6], [0.01, 0.1, 1.0, 10.0]
    points = [{FRACTION: x, DECAY: y} for x, y in itertools.product(fractions, decays)]
    runs = [run(f"{i}-{seed}", side(p), p, seed=seed) for i, p in enumerate(points) for seed in range(3)]
    spec = analysis.phase_diagram(write_study(tmp_path, runs, {FRACTION: fractions, DECAY: decays}), "toy").to_dict()
    assert spec["layer"][0]["mark"]["type"] == "rect"
    assert len(cells_of(spec)) == 16
    for piece in drawn(spec, spec["layer"][1]):
        assert 0.5 <= piece["x"] <= 3.5
        decay = 10 ** np.interp(piece["y"], [0.5, 3.5], [-2, 1])
        fraction = np.interp(piece["x"], [0.5, 1.5, 2.5, 3.5], fractions)
        assert abs(fraction - critical(decay)) < 0.12


def test_without_a_boundary_the_diagram_is_as_before(tmp_path):
    points = [{FRACTION: 0.2 + i / 100, "task.operation": name} for i in range(30) for name in ("add", "mul")]
    runs = [run(f"r{i}", GROKKED if i % 2 else MEMORIZED, point) for i, point in enumerate(points)]
    words = write_study(tmp_path / "words", runs, {axis: [0] for axis in points[0]})
    assert "layer" not in analysis.phase_diagram(words, "toy").to_dict()
    runs = [run(f"r{i}", GROKKED, {FRACTION: 0.2 + i / 100, DECAY: 1.0 + i}) for i in range(30)]
    alike = write_study(tmp_path / "alike", runs, RANGES)
    assert "layer" not in analysis.phase_diagram(alike, "toy").to_dict()


def test_the_report_of_a_search_shows_the_band_and_clicks_still_pick_dots(search, tmp_path):
    page = analysis.report(search, "toy", tmp_path / "toy.html").read_text()
    found = held(page)
    spec, runs = found["map"]["spec"], found["curves"]["runs"]
    assert layers_of(spec) == ["rect", "rule", "rule", "circle"]
    assert {run["cell"] for run in runs} == {row["cell"] for row in cells_of(spec)}
    assert 'id="boundary"' not in page, "the diagram has its line and band already"
    assert "On a black line half of the seeds generalize" in re.sub(r"\s+", " ", page)
    counts = {row["phase"]: row["runs"] for row in phase_rows(search, "toy", None) if row["definition"] == "unified"}
    shown = [row["phase"] for row in cells_of(spec)]
    assert counts == {phase: shown.count(phase) for phase in counts}


def test_the_boundary_chart_and_the_diagram_draw_the_same_curve(search):
    chart = load("analysis.charts", "boundary").chart(search, "toy").to_dict()
    diagram = analysis.phase_diagram(search, "toy").to_dict()
    assert drawn(chart, chart["layer"][1]) == drawn(diagram, diagram["layer"][1])
    assert len(drawn(chart, chart["layer"][1])) == len(boundary(search, "toy").points)
