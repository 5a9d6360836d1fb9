"""What a report holds for its scripts."""

import json
from typing import Any


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
