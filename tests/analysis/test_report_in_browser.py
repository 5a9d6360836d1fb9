"""A report in a real browser, opened from disk: what a reader sees and does, and what the browser complains of."""

import csv
from pathlib import Path

import pytest

import analysis
from tests.study.web.studies import AXES, DECAY, MARKUP, WIDTH, curves, map_runs
from tests.support.browser import BROWSER
from tests.support.live import DRIVER, Page, browser
from tests.support.synthetic import run, write_study

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with its driver here")
CELL = "#phase_diagram [data-cell][tabindex]"
LINES = "#curves_loss .mark-line path"


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    """The address of the report of a map, of which one run has failed."""
    folder: Path = tmp_path_factory.mktemp("report")
    failed = run("bad", {}, {DECAY: 0.0, WIDTH: 8}, seed=9, status="failed", stop_reason=None, error="no disk")
    store = write_study(folder / "store", [*map_runs(), failed], AXES, "Where do networks generalize?")
    return analysis.report(store, "toy", folder / "toy.html").as_uri()


@pytest.fixture(scope="module")
def wide():
    with browser() as page:
        yield page


def opened(page: Page, address: str) -> None:
    page.open(address)
    for part in ("#phase_diagram svg", "#curves_accuracy svg", "#curves_loss svg", "#curves_weight_norm svg"):
        page.wait_for(part)


def test_it_opens_from_disk_without_complaint_and_asks_nobody(report, wide):
    wide.complaints(), wide.hosts()
    opened(wide, report)
    assert not wide.complaints()
    assert not wide.hosts()
    assert wide.count("h1") == 1
    for selector in (
        "table:not(:has(caption))",
        "th:not([scope])",
        "figure:not([aria-label], [aria-labelledby])",
        "nav:not([aria-label])",
    ):
        assert wide.count(selector) == 0, selector
    assert wide.script("return document.querySelector('a').getAttribute('href')") == "#main"


def test_a_cell_is_picked_by_keyboard_and_by_menu(report, wide):
    opened(wide, report)
    assert wide.count(CELL) == 9
    assert "weight decay" in wide.script(f"return document.querySelector('{CELL}').getAttribute('aria-label')")
    before = wide.text("#picked")
    wide.press(CELL, "\ue007")  # Enter
    wide.until(lambda: wide.text("#picked") != before, "another cell")
    assert wide.script(f"return document.querySelector('{CELL}').getAttribute('aria-pressed')") == "true"
    assert wide.count("#phase_diagram [aria-pressed=true]") == 1
    wide.choose("#cell", "8")
    wide.until(lambda: wide.text("#picked") == "weight decay 1, width 32: 3 runs", "the last cell")
    wide.until(lambda: wide.count(LINES) == 6, "a line for each run and split")
    assert "weight decay 1, width 32" in wide.script(
        "return document.querySelector('#phase_diagram [aria-pressed=true]').getAttribute('aria-label')"
    )


def test_runs_are_sorted_and_taken_away_as_csv(report, wide):
    opened(wide, report)
    assert wide.count("#runs tbody tr") == 28
    first = "return document.querySelector('#runs tbody tr td:nth-child(4)').textContent"
    wide.script("[...document.querySelectorAll('#runs th button')].find((b) => b.textContent === 'phase').click()")
    assert wide.script(first) == "grokking"
    assert wide.count("#runs th[aria-sort=ascending]") == 1
    wide.script("document.querySelector('#runs th[aria-sort] button').click()")
    assert wide.script(first) == "unresolved"
    text = wide.driver.execute_async_script("""
        const [done] = arguments, make = URL.createObjectURL;
        URL.createObjectURL = (blob) => { blob.text().then(done); return make(blob); };
        document.getElementById("csv").click();""")  # fmt: skip
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 28
    assert list(rows[0])[:4] == ["run_id", DECAY, WIDTH, "seed"]
    assert {row["phase"] for row in rows} == {"memorization", "grokking", "unresolved"}
    assert [row["test_step_95"] for row in rows if row[DECAY] == "1" and row[WIDTH] == "8"] == ["500"] * 3


def test_a_picture_is_taken_away_as_on_paper(report):
    with browser(dark=True) as page:
        opened(page, report)
        name, address = page.driver.execute_async_script("""
            const [done] = arguments;
            HTMLAnchorElement.prototype.click = function () { done([this.download, this.href]); };
            document.querySelector("[data-take=svg][data-of='#curves_loss']").click();""")  # fmt: skip
        assert name == "toy_curves_loss.svg"
        assert address.startswith(("data:image/svg", "blob:"))
        assert not page.complaints()


@pytest.mark.parametrize("dark", [False, True])
def test_a_narrow_page_is_no_wider_than_its_screen(report, dark):
    with browser(400, 900, dark=dark) as page:
        opened(page, report)
        assert page.script("return document.documentElement.scrollWidth") <= 400
        ground = page.script("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(22, 22, 22)") is dark
        label = "return document.querySelector('#phase_diagram .role-axis-title text').getAttribute('fill')"
        assert page.script(label) == ("#b5b5b5" if dark else "#444")
        assert page.script("return document.querySelector('nav').getBoundingClientRect().bottom") < page.script(
            "return document.querySelector('h1').getBoundingClientRect().top"
        )


def test_words_of_others_do_nothing(tmp_path, wide):
    hostile = [run("x", curves(200), {MARKUP: MARKUP}), run("y", curves(None), {MARKUP: "b"}),
               run("z", {}, {MARKUP: "b"}, seed=1, status="failed", stop_reason=None, error=MARKUP)]  # fmt: skip
    store = write_study(tmp_path / "store", hostile, {MARKUP: [MARKUP, "b"]}, MARKUP)
    wide.complaints()
    opened(wide, analysis.report(store, "toy", tmp_path / "toy.html").as_uri())
    assert wide.count("img") == 0
    assert MARKUP in wide.text("#runs")
    assert not wide.complaints()
