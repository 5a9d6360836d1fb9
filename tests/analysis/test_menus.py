"""The menus of a report: in a real browser, what a reader chooses is what `analysis.phase_diagram` draws."""

from pathlib import Path
from typing import Any

import pytest

import analysis
from study.store.database import Store
from tests.analysis.test_maps import AXES, DECAY, ENTITIES, LAYERS, POINTS, RATIO, stored
from tests.support.browser import BROWSER, used
from tests.support.reports import held
from tests.support.synthetic import drawn, run, step_up, write_study

in_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return stored(tmp_path_factory.mktemp("menus"))


@pytest.fixture(scope="module")
def page(store, tmp_path_factory) -> Path:
    return analysis.report(store, "toy", tmp_path_factory.mktemp("page") / "toy.html")


def cells_in(cells: list[list[str]]) -> set[tuple[str, ...]]:
    """Phase, point, counts and interval of the tiles that are drawn."""
    return {tuple(cell) for cell in cells}


def cells_of(spec: dict[str, Any]) -> set[tuple[str, ...]]:
    views = [spec, *spec.get("layer", []), spec.get("spec", {})]
    [rows] = [drawn(spec, view) for view in views if "data" in view and view["data"]["name"] in spec["datasets"]][:1]
    return {(row["phase"], row["point"], row["runs"], row["interval"]) for row in rows}


@in_browser
def test_a_choice_in_a_menu_changes_the_picture_to_what_python_draws(store, page):
    shown, said = used(page, """
        const seen = [], said = [], where = "#phase_diagram";
        const see = async () => {
            await drawn(where);
            seen.push([...document.querySelectorAll(`${where} [data-cell]`)].map(({__data__: {datum: d}}) =>
                [d.phase, d.point, d.runs, d.interval]));
            said.push(labels(where));
        };
        await see();
        choose("layers", "all together"); await see();
        choose("entities", "entities 20"); await see();
        choose("across", "layers"); await see();
        return [seen, said];""")  # fmt: skip
    choices: list[dict[str, Any]] = [
        {},
        {"pooled": [LAYERS]},
        {"pooled": [LAYERS], "at": {ENTITIES: 20}},
        {"x": LAYERS, "y": DECAY, "pooled": [RATIO], "at": {ENTITIES: 20}},
    ]
    for cells, options in zip(shown, choices, strict=True):
        assert cells_in(cells) == cells_of(analysis.phase_diagram(store, "toy", **options).to_dict())
    titles = [{label for label in labels if label.startswith("Title text 'layers")} for labels in said]
    assert [len(found) for found in titles] == [3, 0, 0, 0]
    assert any(label.startswith("X-axis titled 'layers'") for label in said[3])


@in_browser
def test_a_click_on_a_pooled_cell_shows_the_curves_of_all_its_runs(page):
    lines, name = used(page, """
        await drawn("#phase_diagram");
        choose("layers", "all together"); choose("entities", "all together"); await drawn("#phase_diagram");
        const tile = [...document.querySelectorAll("#phase_diagram [data-cell]")].find(
            (mark) => mark.__data__.datum.point === "ratio 4, weight decay 0.3");
        tile.dispatchEvent(new MouseEvent("click", {bubbles: true}));
        await drawn("#curves_accuracy");
        return [document.querySelectorAll("#curves_accuracy .mark-line path").length,
            document.getElementById("picked").textContent];""")  # fmt: skip
    assert name == "ratio 4, weight decay 0.3: 12 runs"
    assert lines == 3 * 2 * 2 * 2  # layers, entities, seeds, splits


def test_the_page_opens_with_what_was_asked(store, tmp_path):
    page = analysis.report(store, "toy", tmp_path / "toy.html", x="layers", y="ratio", at={"entities": 16.0})
    found = held(page.read_text())["map"]["menus"]
    assert {axis["name"]: axis["place"] for axis in found["axes"]} == {
        "layers": "x", "ratio": "y", "weight decay": "panels", "entities": 0,
    }  # fmt: skip
    assert sum(row[-1] for row in found["cells"]) == len(POINTS) * 2
    assert [axis["values"] for axis in found["axes"]] == [sorted(values) for values in AXES.values()]


def test_a_study_without_a_third_axis_of_several_values_has_no_menus(tmp_path):
    point = {"task.train_fraction": 0.5, DECAY: 1.0, ENTITIES: 20}
    curves = {"train.accuracy": step_up(5), "test.accuracy": step_up(200)}
    runs = [run(f"r{i}", curves, point | {DECAY: i}) for i in (1, 2)]
    store = write_study(tmp_path, runs, {axis: [] for axis in point})
    page = analysis.report(store, "toy", tmp_path / "toy.html").read_text()
    assert "function mapWithMenus" not in page
    assert held(page)["map"]["menus"] is None
