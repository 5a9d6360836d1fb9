"""The live page in a real browser: what a reader sees and does, and what the browser complains of."""

import csv
import json
import urllib.request

import pytest

from study.store.database import Store
from tests.study.web.studies import AXES, DECAY, MARKUP, WIDTH, curves, map_runs, map_store
from tests.support.browser import BROWSER
from tests.support.live import DRIVER, browser, server
from tests.support.synthetic import run, write_study

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with its driver here")
CELL = "[data-cell][tabindex]"
DIAGRAM = "figure[data-cells] svg"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page of a store with one finished study."""
    store = map_store(tmp_path_factory.mktemp("store") / "results")
    with server(store.path) as found:
        yield found.rstrip("/")


@pytest.fixture(scope="module")
def wide():
    with browser() as page:
        yield page


def run_ids(address: str) -> list[str]:
    with urllib.request.urlopen(f"{address}/runs.csv?study=toy", timeout=60) as answer:
        rows = csv.DictReader(answer.read().decode().splitlines())
    return [row["run_id"] for row in rows]


def test_every_page_opens_without_complaint_and_asks_nobody_else(address, wide):
    first, second, *_ = run_ids(address)
    wide.complaints(), wide.hosts()
    pages = {
        "/": "progress",
        "/study/toy": DIAGRAM,
        f"/study/toy?cell={json.dumps({DECAY: 1.0, WIDTH: 16})}": "#chosen figure svg",
        "/runs?study=toy": "table",
        f"/run/{first}": "figure svg",
        f"/compare?run={first}&run={second}": "figure svg",
        "/sql?query=select phase, count(*) as n from phases group by all": "table",
    }
    for path, selector in pages.items():
        wide.open(f"{address}{path}")
        wide.wait_for(f"main {selector}" if not selector.startswith("#") else selector)
        assert wide.until(lambda: wide.text("#connection") == "live", "news of the store")
        assert not wide.complaints(), path
        assert wide.count("h1") == 1, path
    assert wide.hosts() == {address.removeprefix("http://")}


def test_a_cell_is_chosen_by_keyboard_and_by_click_and_compared_with_shift(address, wide):
    wide.open(f"{address}/study/toy")
    wide.wait_for(CELL)
    assert wide.count(CELL) == 9
    said = wide.script(f"return document.querySelector('{CELL}').getAttribute('aria-label')")
    assert "weight decay" in said
    assert "3 of 3" in said
    wide.press(CELL, "\ue007")  # Enter
    wide.wait_for("#chosen figure svg")
    assert "cell=" in wide.driver.current_url
    pressed = f"return document.querySelector('{CELL}').getAttribute('aria-pressed')"
    assert wide.until(lambda: wide.script(pressed) == "true", "a pressed cell")
    click = """const mark = document.querySelectorAll(arguments[0])[4], box = mark.getBoundingClientRect();
        const where = {bubbles: true, shiftKey: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2};
        mark.dispatchEvent(new PointerEvent("pointerdown", where));
        mark.dispatchEvent(new PointerEvent("pointerup", where))"""
    wide.script(click, CELL)
    assert wide.until(lambda: wide.count("#chosen li") == 2, "two cells")
    assert wide.driver.current_url.count("cell=") == 2
    wide.driver.back()
    assert wide.until(lambda: wide.count("#chosen li") == 1, "one cell again")
    sent = wide.driver.current_url
    wide.open(sent)  # as somebody would to whom it was sent
    wide.wait_for("#chosen figure svg")
    assert wide.count("#chosen li") == 1


def test_a_drag_chooses_all_cells_that_it_touches(address, wide):
    wide.open(f"{address}/study/toy")
    wide.wait_for(CELL)
    wide.script("""const marks = [...document.querySelectorAll(arguments[0])].map((m) => m.getBoundingClientRect());
        const figure = document.querySelector("figure[data-cells] svg");
        const at = (x, y) => ({bubbles: true, clientX: x, clientY: y});
        const left = Math.min(...marks.map((b) => b.x)), top = Math.min(...marks.map((b) => b.y));
        figure.dispatchEvent(new PointerEvent("pointerdown", at(left + 2, top + 2)));
        const right = Math.max(...marks.map((b) => b.right));
        figure.dispatchEvent(new PointerEvent("pointerup", at(right - 2, top + 6)))""", CELL)  # fmt: skip
    assert wide.until(lambda: wide.count("#chosen li") == 3, "a row of cells")


def test_other_thresholds_reclassify_without_a_reload(address, wide):
    wide.open(f"{address}/study/toy")
    wide.wait_for(DIAGRAM)
    wide.script("window.same = true")
    before = wide.text("#map")
    assert "12 grokking" in before
    wide.choose("#param-min_delay_ratio", "15")
    assert wide.until(lambda: "9 grokking" in wide.text("#map"), "other phases")
    assert "param.min_delay_ratio=15" in wide.driver.current_url
    wide.choose("#definition", "liu2022")
    assert wide.until(lambda: "definition=liu2022" in wide.driver.current_url, "another definition")
    assert "param." not in wide.driver.current_url
    assert wide.script("return window.same") is True


def test_new_results_appear_while_a_page_is_open(tmp_path, wide):
    store = map_store(tmp_path / "results")
    with server(store.path) as address:
        wide.open(address)
        assert wide.until(lambda: wide.text("#connection") == "live" and "27 of 27" in wide.text(), "the first page")
        wide.script("window.same = true")
        write_study(store.path, map_runs("more", seeds=1), AXES, "And now?", study="second")
        assert wide.until(lambda: "And now?" in wide.text() and "9 of 9" in wide.text(), "the new study")
        wide.open(f"{address}study/second")
        wide.wait_for(DIAGRAM)
        write_study(store.path, [run("late", curves(200), {DECAY: 0.0, WIDTH: 8}, seed=7)], AXES, study="second")
        assert wide.until(lambda: "10 of 10" in wide.text("#standing"), "one more run")
        assert wide.until(lambda: "1 of 2" in wide.script(
            f"return [...document.querySelectorAll('{CELL}')].map((m) => m.ariaLabel).join()"), "the cell")  # fmt: skip
    assert wide.until(lambda: "no connection" in wide.text("#connection"), "the end of the server")
    assert "study serve" in wide.text("#said")
    wide.open("about:blank")
    wide.complaints()  # of a server that is gone


def test_ticks_stay_from_page_to_page_of_runs(tmp_path, wide):
    store = write_study(tmp_path, map_runs(seeds=13), AXES)  # 117 runs, of which a page has 100
    tick = "const box = document.querySelector('#runs input[name=run]'); box.click(); return box.value"
    with server(store.path) as address:
        wide.open(f"{address}runs?study=toy")
        wide.wait_for("#runs tbody tr")
        picked = [wide.script(tick)]
        wide.script("document.querySelector('.pager a[href*=\"page=2\"]').click()")
        wide.until(lambda: wide.count("#runs tbody tr") == 17, "the second page")
        picked.append(wide.script(tick))
        assert wide.text("#picked") == "2 ticked"
        wide.script("history.back()")
        wide.until(lambda: wide.count("#runs input:checked") == 1, "the tick of the first page")
        wide.script("document.querySelector('#compare button').click()")
        wide.until(lambda: wide.script("return location.pathname") == "/compare", "the comparison")
        assert set(wide.script("return new URLSearchParams(location.search).getAll('run')")) == set(picked)
        wide.script("history.back()")
        wide.wait_for("#clear:not([hidden])")
        wide.script("document.querySelector('#clear').click()")
        assert wide.count("#runs input:checked") == 0
        assert not wide.complaints()


@pytest.mark.parametrize("dark", [False, True])
def test_a_narrow_page_is_no_wider_than_its_screen(address, dark):
    with browser(400, 900, dark=dark) as page:
        for path in ("/", "/study/toy", "/runs?study=toy", "/sql?query=from runs", f"/run/{run_ids(address)[0]}"):
            page.open(f"{address}{path}")
            page.until(lambda: page.text("#connection") == "live", "news")
            assert page.script("return document.documentElement.scrollWidth") <= 400, path
        ground = page.script("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(22, 22, 22)") is dark


def test_words_of_others_do_nothing(tmp_path, wide):
    hostile = [run("x", curves(None), {MARKUP: MARKUP}, status="failed", error=MARKUP),
               run("y", curves(None), {MARKUP: "b"})]  # fmt: skip
    store = write_study(tmp_path / "results", hostile, {MARKUP: [MARKUP, "b"]}, MARKUP)
    found = Store.open(store.path).sql("select run_id from runs order by 1").fetchall()
    with server(store.path) as address:
        for path in (
            "",
            "study/toy",
            "runs?study=toy",
            f"run/{found[0][0]}",
            f"run/{found[1][0]}",
            f"sql?query={MARKUP}",
        ):
            wide.open(f"{address}{path}")
            assert wide.until(lambda: wide.text("#connection") == "live", "news")
            if path == "study/toy":
                wide.wait_for(DIAGRAM)
            assert wide.count("main img") == 0, path
            assert not [said for said in wide.complaints() if "Failed to load resource" not in said], path
