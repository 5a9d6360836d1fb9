"""The live page at 100,000 runs and 100 million values: how long until a page is there, and what does it cost?

    python -m tests.bench.live_page [--runs 100000] [--values 100000000] [--folder DIR]

The store is that of `tests.bench.store_scale`, with fewer evaluations of more runs. A server reads it, and a browser
without a window opens each page: once with nothing kept, once more with what the server kept. `paint` is the browser's
own first contentful paint, `there` when the page's slowest part can be seen. Then the last flush of some packs comes in
while the study's page is open: `shown` is from the end of ingest's transaction to the new number on the page. Last,
ingest of eight parts at a time, with a page open and with none, by turns, and after as long a pause as a driver makes
between two. Needs Chromium with its driver.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.parse import quote

import numpy as np

from study.store.database import Store
from study.train.loop import INGEST_SECONDS
from tests.bench.store_scale import HORIZON, INGEST, METRICS, child, write_parts
from tests.support.live import Page, browser, server
from trainables.schedule import evaluation_steps

STUDY = "first_map"
TURNS = 2
"""Times three ingests beside a page, and three without."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000, metavar="N")
    parser.add_argument("--values", type=int, default=100_000_000, metavar="N")
    parser.add_argument("--folder", type=Path, metavar="DIR")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        measure(options.folder or Path(folder), options.runs, options.values)


def measure(folder: Path, runs: int, values: int) -> None:
    if not (folder / "parts").exists():
        write_parts(folder, runs, steps_for(values / runs / len(METRICS)))
    rows, _, seconds, *_ = child(INGEST, folder)
    print(f"{runs:,} runs, {rows:,.0f} values brought in in {seconds:.0f} s", flush=True)
    run_id, point = Store.open(folder).sql("select run_id, point::text from study_runs limit 1").fetchall()[0]
    pages = {
        "/": "progress",
        f"/study/{STUDY}": "figure[data-cells] svg",
        f"/study/{STUDY}?cell={quote(point)}": "#chosen figure svg",
        f"/runs?study={STUDY}": "table",
        f"/runs?study={STUDY}&sort=test_step_95&where={quote('weight_decay > 1 and seed < 3')}": "table",
        f"/run/{run_id}": "figure svg",
        f"/sql?query={quote('select phase, count(*) as n from phases group by all')}": "table",
    }
    with server(folder) as address, browser() as page:
        for path, selector in pages.items():
            first, again = (opened(page, address.rstrip("/") + path, selector) for _ in range(2))
            print(f"paint {first[0]:5.2f} s, there {first[1]:5.2f} s; again {again[0]:5.2f} and {again[1]:5.2f} s  "
                  f"{path[:60]}", flush=True)  # fmt: skip
        page.open(f"{address}study/{STUDY}")
        page.wait_for("figure[data-cells] svg")
        held = sorted((folder / "held").rglob("*.parquet"))
        print(f"shown {shown(page, folder, held[:2]):.2f} s after two packs ended")
        print(f"memory of the server: {peak(folder):.2f} GB")
        parts = iter([held[at : at + 8] for at in range(2, len(held) - 7, 8)])
        seconds = {f"{address}study/{STUDY}": [], "about:blank": []}
        for _ in range(TURNS):
            for looked_at, taken in seconds.items():
                page.open(looked_at)
                for _ in range(3):
                    time.sleep(INGEST_SECONDS)
                    taken.append(brought_in(folder, next(parts)))
    beside, alone = seconds.values()
    print(f"ingest of eight parts: {median(alone):.2f} s alone, {median(beside):.2f} s beside a page")


def steps_for(evaluations: float) -> np.ndarray:
    """About so many evaluations up to the horizon."""
    found = (np.array(evaluation_steps(HORIZON, per_decade)) for per_decade in range(2, 100))
    return min(found, key=lambda steps: abs(len(steps) - evaluations))


def opened(page: Page, address: str, selector: str) -> tuple[float, float]:
    """Seconds until the browser's first paint of a page, and until this element is there."""
    page.open("about:blank")
    started = time.perf_counter()
    page.open(address)
    page.wait_for(f"main {selector}" if selector[0] != "#" else selector)
    there = time.perf_counter() - started
    paints = page.script("return performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)")
    return paints[0] / 1e3 if paints else float("nan"), there


def shown(page: Page, folder: Path, parts: list[Path]) -> float:
    """Seconds from the end of an ingest to another text of the study's page."""
    before = page.text("#standing")
    brought_in(folder, parts)
    ended = time.perf_counter()
    page.until(lambda: page.text("#standing") != before, "the new results")
    return time.perf_counter() - ended


def brought_in(folder: Path, parts: list[Path]) -> float:
    """Seconds that an ingest of these parts takes, in this process."""
    for path in parts:
        path.rename(folder / "parts" / path.relative_to(folder / "held"))
    started = time.perf_counter()
    report = Store.open(folder, write=True).ingest(timeout=60)
    assert not report.skipped, report
    assert not report.busy, report
    return time.perf_counter() - started


def peak(folder: Path) -> float:
    """The most memory that the server had, in GB."""
    line = ["pgrep", "-f", f"study serve --store {folder}"]
    pids = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()
    return max(int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) for pid in pids) / 1e6


if __name__ == "__main__":
    main()
