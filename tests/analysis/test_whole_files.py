"""Pages and pictures are written whole or not at all: where the disk fills, the old file stays."""

import altair as alt
import pandas as pd
import pytest

import analysis
from analysis.theme import FORMATS, save
from tests.support.file_size import files_end_at
from tests.support.synthetic import run, step_up, write_study


def test_a_report_that_does_not_fit_leaves_the_old_one(tmp_path):
    runs = [run(f"r{seed}", {"train.accuracy": step_up(5)}, {"model.width": 4}, seed=seed) for seed in (0, 1)]
    store, page = write_study(tmp_path / "store", runs, axes={"model.width": [4]}), tmp_path / "page.html"
    page.write_text("the old page")
    with files_end_at(4096), pytest.raises(OSError, match="File too large"):
        analysis.report(store, "toy", page)
    assert [path.name for path in tmp_path.iterdir() if path != store.path] == ["page.html"]
    assert page.read_text() == "the old page"
    assert analysis.report(store, "toy", page) == page
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("form", FORMATS)
def test_a_picture_that_does_not_fit_leaves_the_old_one(tmp_path, form):
    data, path = pd.DataFrame({"x": range(300), "y": range(300)}), tmp_path / f"picture{form}"
    chart = alt.Chart(data).mark_point().encode(x="x:Q", y="y:Q")
    path.write_text("the old picture")
    with files_end_at(1024), pytest.raises(OSError, match="File too large"):
        save(chart, path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "the old picture"
    assert save(chart, path) == path
    assert path.stat().st_size > 1024
