"""Searches with three or more axes: slices through the model of all runs, with the runs near them."""

import itertools

import numpy as np
import pytest

import analysis
import analysis.charts.explorer
from study.store.database import Store
from tests.support.reports import held
from tests.support.synthetic import drawn, run, step_up, write_study
from trainables.errors import SpecError

GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}
RATIO, DECAY, LAYERS = "task.ratio", "optimizer.weight_decay", "model.layers"


def critical(decay: float, layers: int) -> float:
    """The ratio above which runs generalize."""
    return 6.0 - np.log10(decay) - 0.8 * (layers - 2)


def points(number: int = 90) -> list[dict]:
    numbers = np.random.default_rng(0)
    ratios, decays = numbers.uniform(4, 8, number), 10 ** numbers.uniform(-1, 1, number)
    layers = numbers.integers(1, 4, number).tolist()
    drawn = zip(ratios.tolist(), decays.tolist(), layers, strict=True)
    return [{RATIO: round(x, 3), DECAY: float(f"{y:.4g}"), LAYERS: z} for x, y, z in drawn]


def stored(folder, found: list[dict]) -> Store:
    runs = [
        run(f"r{i:03}", GROKKED if point[RATIO] > critical(point[DECAY], point[LAYERS]) else MEMORIZED, point)
        for i, point in enumerate(found)
    ]
    return write_study(folder, runs, {axis: [] for axis in found[0]}, "Where do facts generalize?")


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> Store:
    return stored(tmp_path_factory.mktemp("search"), points())


def dots_of(spec: dict, panel: dict) -> list[dict]:
    return drawn(spec, panel["layer"][-1])


def test_a_third_axis_of_a_search_is_cut_at_its_values(search):
    spec = analysis.phase_diagram(search, "toy").to_dict()
    panels = spec["hconcat"]
    assert [panel["title"]["text"] for panel in panels] == ["layers 1", "layers 2", "layers 3"]
    for layers, panel in enumerate(panels, 1):
        line = drawn(spec, panel["layer"][1])
        assert np.median([abs(piece["x"] - critical(piece["y"], layers)) for piece in line]) < 0.2
        assert {dot["point"].rpartition(" ")[2] for dot in dots_of(spec, panel)} == {str(layers)}
        inside = drawn(spec, panel["layer"][0])
        held = [any(b["x"] <= p["x"] <= b["x2"] and b["y"] <= p["y"] <= b["y2"] for b in inside) for p in line]
        assert np.mean(held) > 0.9
    assert sum(len(dots_of(spec, panel)) for panel in panels) == 90


def test_dots_are_the_runs_near_a_slice_fainter_the_farther(search):
    spec = analysis.phase_diagram(search, "toy", x="layers", y="ratio", at={"weight_decay": 1}).to_dict()
    [panel] = spec["hconcat"]
    assert panel["title"]["text"] == "weight decay 1"
    dots = dots_of(spec, panel)
    decays = {float(dot["point"].split("weight decay ")[1].split(",")[0]): dot["seen"] for dot in dots}
    low, high = min(point[DECAY] for point in points()), max(point[DECAY] for point in points())
    reach = 0.25 * np.log10(high / low)
    near = [point[DECAY] for point in points() if abs(np.log10(point[DECAY])) <= reach]
    assert len(dots) == len(near) < 90
    for decay, seen in decays.items():
        assert seen == pytest.approx(1 - 0.75 * abs(np.log10(decay)) / reach, abs=0.01)
    line = drawn(spec, panel["layer"][1])
    assert np.median([abs(piece["y"] - critical(1, piece["x"])) for piece in line]) < 0.2
    assert "weight decay 1;" in spec["title"]["subtitle"]
    assert f"{len(near)} runs" in spec["title"]["subtitle"]


def test_an_axis_of_words_has_a_row_of_slices_for_each(tmp_path):
    found = [point | {"optimizer": name} for point, name in zip(points(160), itertools.cycle(("adamw", "sgd")))]
    spec = analysis.phase_diagram(stored(tmp_path, found), "toy").to_dict()
    titles = [[panel["title"]["text"] for panel in row["hconcat"]] for row in spec["vconcat"]]
    assert titles == [[f"optimizer {name}, layers {i}" for i in (1, 2, 3)] for name in ("adamw", "sgd")]
    for row, name in zip(spec["vconcat"], ("adamw", "sgd"), strict=True):
        assert all(f"optimizer {name}" in dot["point"] for panel in row["hconcat"] for dot in dots_of(spec, panel))


def test_a_value_beyond_the_search_is_said_in_one_line(search):
    with pytest.raises(SpecError, match=r"no run has 'task.ratio' near 9. Its values are from 4\.\d+ to 7\.\d+\."):
        analysis.phase_diagram(search, "toy", at={"ratio": 9})


def test_the_report_of_a_search_shows_its_slices_with_the_curves_of_a_dot(search, tmp_path):
    page = analysis.report(search, "toy", tmp_path / "toy.html").read_text()
    assert "function mapWithMenus" not in page
    assert sorted(map(int, held(page)["map"]["cells"])) == [*range(90)]
    explorer = analysis.charts.explorer.chart(search, "toy").to_dict()
    slices, curves = explorer["vconcat"]
    shown = {dot["cell"] for panel in slices["hconcat"] for dot in dots_of(explorer, panel)}
    assert {row["cell"] for row in drawn(explorer, curves["layer"][0])} == shown == set(range(90))
    [picked] = explorer["params"]
    assert {panel["layer"][-1]["name"] for panel in slices["hconcat"]} <= {*picked["views"]}
