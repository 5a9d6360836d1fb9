"""The report is one page that needs nothing else, whatever a study holds and however far it is."""

import re

import pytest

import analysis
from analysis.charts import learning_curves
from study.store.database import Store
from tests.study.web.studies import curves
from tests.support.reports import held, table_of, words, written
from tests.support.synthetic import STEPS, cells_of, run, step_up, write_study
from trainables.errors import SpecError

EVIL = "</script><script>alert(1)</script><b>&'\""
WIDTHS = [4, 8, 16]
GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    runs = [run(f"r{width}-{seed}", GROKKED, {"model.width": width}, seed=seed) for width in WIDTHS for seed in (0, 1)]
    runs.append(run("broken", {}, {"model.width": 4}, seed=2, status="failed", stop_reason=None, error=EVIL))
    runs.append(run("waiting", {}, {"model.width": 8}, seed=2, status="planned"))
    return write_study(tmp_path_factory.mktemp("store"), runs, axes={"model.width": WIDTHS}, question=EVIL)


@pytest.fixture(scope="module")
def page(store, tmp_path_factory) -> str:
    return written(store, tmp_path_factory.mktemp("out"))


def test_the_page_fetches_nothing(page):
    assert not re.search(
        r"""<(link|img|iframe|object)\b|\b(src|action)\s*=|\bhref\s*=(?!"#)|url\(|@import|\bimport\b|fetch\(""", page
    )
    assert "default-src 'none'" in page
    assert "unsafe-eval" not in page


def test_every_link_leads_to_a_part_of_the_page(page):
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(links) > 8
    for link in links:
        assert page.count(f'id="{link}"') == 1, link


def test_what_a_study_says_is_text_and_never_markup(page):
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    assert "<b>&" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_axes_and_their_values_are_text_too(tmp_path):
    runs = [run(f"r{i}", GROKKED, {"model.width": 4, EVIL: value}) for i, value in enumerate([EVIL, "plain"])]
    runs[0]["labels"] = EVIL
    page = written(write_study(tmp_path, runs, axes={"model.width": [4], EVIL: [EVIL, "plain"]}), tmp_path)
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    assert "<b>&" not in page
    assert held(page)["map"]["spec"]


def test_an_unfinished_study_has_a_page_with_its_states_failures_and_provenance(page):
    text = words(page)
    assert "6 of 8 runs 1 planned 1 failed horizon 1,000 steps, 3 seeds" in text
    assert re.search("[0-9a-f]{16} width 4", text)
    assert "torch 2" in text
    assert "abc" in text
    assert "grokking 2 of 3 0.67 0.21 to 0.94" in text


def test_every_cell_of_the_diagram_has_its_runs_curves(page):
    found = held(page)
    cells = {row["cell"] for row in cells_of(found["map"]["spec"])}
    assert cells == {run["cell"] for run in found["curves"]["runs"]} == {0, 1, 2}
    assert found["map"]["cells"] == {str(cell): [cell] for cell in cells}
    assert found["map"]["first"] == 2
    assert found["labels"] == ["width 4", "width 8", "width 16"]
    assert found["totals"] == [3, 3, 2]


def test_the_order_is_that_of_the_study_page(page):
    headings = [f"<h2>{name}</h2>" for name in ("Charts", "Cells", "Runs", "Failed runs", "Where it ran", "Spec")]
    parts = ["<h1>", "<progress", "<h2>Phases</h2>", 'id="phase_diagram"', 'id="curves_accuracy"', *headings]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_only_definitions_that_apply_are_shown_with_their_phases_in_words(page):
    text = words(page).split("Phase diagram")[0]
    assert "2 unresolved" in text
    assert "6 grokking fits both splits, the test split late" in text
    shown = re.findall(r"<h3>(\w+)</h3>\s*<svg", page)
    assert "liu2022" in shown
    assert "kirsch2022" not in shown, "a definition under which every run is unresolved"


def test_accuracy_loss_and_norm_are_held_in_the_digits_that_a_picture_shows(tmp_path):
    found = curves(200) | {
        "test.loss": [0.123456] * 10 + [float("nan")],
        "test.accuracy": [1 / 3] * 10 + [float("nan")],
    }
    page = written(write_study(tmp_path, [run("a", found, {"model.width": 4})], {"model.width": [4]}), tmp_path)
    kept = held(page)["curves"]
    [one] = kept["runs"]
    assert list(kept["pictures"]) == ["accuracy", "loss", "weight_norm"]
    assert one["accuracy"]["test"] == [0.333] * 10 + [0]
    assert one["loss"]["test"] == [0.123] * 10 + [None]
    assert one["weight_norm"]["model"][0] == 10
    assert kept["steps"] == [STEPS]


def test_charts_that_do_not_apply_are_left_out(page):
    assert 'id="double_descent"' in page
    assert 'id="capacity"' not in page


def test_a_large_study_keeps_the_first_seeds_of_its_cells_and_says_so(store, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_curves, "MAX_RUNS", 3)
    page = written(store, tmp_path)
    assert "The page holds the curves of 3 of 6 runs" in page
    runs = held(page)["curves"]["runs"]
    assert len({run["run"] for run in runs}) == 3
    assert {run["cell"] for run in runs} == {0, 1, 2}


def test_a_study_without_records_gets_a_page_that_says_so(tmp_path):
    store = write_study(tmp_path, [run("r", {}, {"model.width": 4}, status="planned")], axes={"model.width": [4]})
    page = written(store, tmp_path)
    assert "There are no records yet" in page
    assert "\ndraw" not in page


def test_a_study_without_runs_gets_a_page_too(tmp_path):
    assert "none are planned yet" in written(write_study(tmp_path, [], axes={"model.width": [4]}), tmp_path)


def test_an_unknown_study_is_told_with_the_mend(store, tmp_path):
    with pytest.raises(SpecError, match=r"no study 'toi'. Did you mean 'toy'"):
        analysis.report(store, "toi", tmp_path / "report.html")


NUMBERS = {"train.loss": [1.0] * 11, "test.loss": [2.0] * 11}


def test_answers_that_are_numbers_are_said_in_place_of_phases_that_say_nothing(tmp_path):
    points = [{"model.width": width} for width in [*WIDTHS, 32]]
    runs = [run(f"n{i}", NUMBERS, point, chance_accuracy=None) for i, point in enumerate(points)]
    page = written(write_study(tmp_path / "numbers", runs, {"model.width": [*WIDTHS, 32]}), tmp_path)
    assert "The answers of this study's task are numbers. They have no accuracy" in page
    assert "unresolved" not in page
    assert "There are no records yet" not in page
    assert "nan" not in words(page).lower()
    found = held(page)
    assert found["map"] is None, "no picture of phases that are not there"
    assert list(found["curves"]["pictures"]) == ["loss"]
    assert {run["cell"] for run in found["curves"]["runs"]} == {0, 1, 2, 3}
    assert re.findall(r'draw\("#(\w+)"', page) == ["final_loss"]
    assert table_of(page)["columns"][-2:] == ["train_loss", "test_loss"]
    mixed = [*runs, run("words", GROKKED, {"model.width": 4}, seed=1)]
    page = written(write_study(tmp_path / "mixed", mixed, {"model.width": WIDTHS}), tmp_path)
    assert "are numbers" not in page
    assert "unresolved" in page


def test_a_page_has_no_width_where_there_is_no_boundary(tmp_path):
    never = GROKKED | {"test.accuracy": step_up(None, 0.05)}
    runs = [
        run(f"{width}-{seed}", GROKKED if seed == 0 and width == 8 else never, {"model.width": width}, seed=seed)
        for width in WIDTHS
        for seed in range(8)
    ]
    store = write_study(tmp_path / "store", runs, {"model.width": WIDTHS})
    assert analysis.boundary(store, "toy").points == []
    page = written(store, tmp_path)
    assert "no place with half of the seeds" in page
    assert "nan" not in words(page).lower()
    assert "nan%" not in page
