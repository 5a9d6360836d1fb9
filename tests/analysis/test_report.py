"""The report is one page that needs nothing else, whatever a study holds and however far it is."""

import json
import re
from pathlib import Path

import pytest
from vl_convert import javascript_bundle

import analysis
from analysis.charts import learning_curves
from study.store.database import Store
from tests.support.synthetic import drawn, run, step_up, write_study
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


def written(store: Store, directory: Path) -> str:
    """The report's text without the JavaScript libraries."""
    page = analysis.report(store, "toy", directory / "new" / "report.html").read_text()
    bundle = javascript_bundle()  # pyright: ignore[reportCallIssue]
    assert bundle in page
    return page.replace(bundle, "")


@pytest.fixture(scope="module")
def page(store, tmp_path_factory) -> str:
    return written(store, tmp_path_factory.mktemp("out"))


def spec_of(page: str, chart: str) -> dict:
    return json.JSONDecoder().raw_decode(page.split(f'vegaEmbed("#{chart}", ')[1])[0]


def test_the_page_fetches_nothing(page):
    assert not re.search(
        r"""<(link|img|iframe|object)\b|\b(src|href|action)\s*=|url\(|@import|\bimport\(|fetch\(""", page
    )
    assert "default-src 'none'" in page


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
    assert spec_of(page, "explorer")


def test_an_unfinished_study_has_a_page_with_its_states_failures_and_provenance(page):
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "8 runs with 3 seeds, horizon 1,000 steps: 1 failed, 6 finished (horizon), 1 planned." in text
    assert re.search("[0-9a-f]{16} width 4", text)
    assert "torch 2" in text
    assert "abc" in text
    assert "grokking 2 of 3 0.67 0.21 to 0.94" in text


def test_a_click_on_a_cell_picks_the_curves_of_its_runs(page):
    spec = spec_of(page, "explorer")
    [picked] = spec["params"]
    assert picked["select"]["fields"] == ["cell"]
    assert picked["value"] == 2
    [marks, curves] = spec["hconcat"]
    lines = curves["layer"][0]
    assert {"filter": {"param": "picked", "empty": False}} in lines["transform"]
    assert {row["cell"] for row in drawn(spec, lines)} == {row["cell"] for row in drawn(spec, marks)} == {0, 1, 2}


def test_charts_that_do_not_apply_are_left_out(page):
    assert 'id="double_descent"' in page
    assert 'id="capacity"' not in page


def test_a_large_study_keeps_the_first_seeds_of_its_cells_and_says_so(store, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_curves, "MAX_RUNS", 3)
    page = written(store, tmp_path)
    assert "The page holds the curves of 3 of 7 runs" in page
    spec = spec_of(page, "explorer")
    rows = drawn(spec, spec["hconcat"][1]["layer"][0])
    assert len({row["run"] for row in rows}) == 3
    assert {row["cell"] for row in rows} == {0, 1, 2}


def test_a_study_without_records_gets_a_page_that_says_so(tmp_path):
    store = write_study(tmp_path, [run("r", {}, {"model.width": 4}, status="planned")], axes={"model.width": [4]})
    page = written(store, tmp_path)
    assert "There are no records yet" in page
    assert "vegaEmbed" not in page


def test_a_study_without_runs_gets_a_page_too(tmp_path):
    assert "none are planned yet" in written(write_study(tmp_path, [], axes={"model.width": [4]}), tmp_path)


def test_an_unknown_study_is_told_with_the_mend(store, tmp_path):
    with pytest.raises(SpecError, match=r"no study 'toi'. Did you mean 'toy'"):
        analysis.report(store, "toi", tmp_path / "report.html")


NUMBERS = {"train.loss": [1.0] * 11, "test.loss": [2.0] * 11}


def test_answers_that_are_numbers_are_said_in_place_of_phases_that_say_nothing(tmp_path):
    points = [{"model.width": width} for width in WIDTHS]
    runs = [run(f"n{i}", NUMBERS, point, chance_accuracy=None) for i, point in enumerate(points)]
    page = written(write_study(tmp_path / "numbers", runs, {"model.width": WIDTHS}), tmp_path)
    assert "The answers of this study's task are numbers. They have no accuracy" in page
    assert "unresolved" not in page
    assert "There are no records yet" not in page
    assert "vegaEmbed(" not in page, "no picture of accuracies that are not there"
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
    assert "nan" not in re.sub(r"nan-|finance", "", page.lower().split("vegaembed(")[0])
    assert "nan%" not in page
