"""Reports as tests read them: what is written in them, and what they hold for their scripts."""

import json
import re
from pathlib import Path
from typing import Any

from vl_convert import javascript_bundle

import analysis
from study.store.database import Store


def written(store: Store, directory: Path) -> str:
    """The report's text without the JavaScript libraries."""
    page = analysis.report(store, "toy", directory / "new" / "report.html").read_text()
    bundle = javascript_bundle()  # pyright: ignore[reportCallIssue]
    assert bundle in page
    return page.replace(bundle, "")


def words(page: str) -> str:
    """What is written on the page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("<main")[1].split("<script>")[0]).split())


def held(page: str) -> dict[str, Any]:
    """Its curves, the cells in words, how many runs each has, and its map."""
    text, found = page.split("\ndrawCurves(")[1], {}
    for name in ("curves", "labels", "totals", "map"):
        found[name], end = json.JSONDecoder().raw_decode(text)
        text = text[end:].lstrip(",").lstrip()
    return found


def table_of(page: str) -> dict[str, Any]:
    """Its table of runs."""
    return json.JSONDecoder().raw_decode(page.split("\nrunsTable(")[1])[0]
