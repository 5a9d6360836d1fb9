"""How a chart looks in a paper: one size of type, legends below where it is narrow, no more space than it needs."""

import math
from typing import Any

from analysis.figure_spec import AXIS, TYPE, Spec, columns_of, everywhere, layers, lines_of, longest, parts

NARROW = 480
"""Pixels: in a figure that is narrower legends stand below the views."""
GAP = 20
"""Pixels between panels."""
SYMBOL = 26
"""Pixels of the symbol of a legend's entry, with the space around it."""


def printed(spec: Spec, title: bool, font: str, width: float) -> None:
    """Give a spec the style of a figure of this width in place. Without `title` the heading of the whole is left out;
    those of its panels stay."""
    if not title:
        spec.pop("title", None)
    config = spec.setdefault("config", {})
    config["font"] = font
    for name in ("axis", "legend", "header"):
        config.setdefault(name, {}).update(labelFontSize=TYPE, titleFontSize=TYPE)
    config["title"] = config.get("title", {}) | {"fontSize": TYPE, "subtitleFontSize": TYPE, "offset": 8}
    config["axis"] |= {"titlePadding": 5, "labelSeparation": 4}
    if _below(spec, width):
        config["legend"] |= {"orient": "bottom", "direction": "horizontal", "offset": 6,
                             "rowPadding": 3, "columnPadding": 8}  # fmt: skip
        config["legend"]["layout"] = {"bottom": {"anchor": "start", "direction": "vertical", "margin": 2}}
    spec["padding"] = 2
    everywhere(spec, _one_size)
    everywhere(spec, _full)


def _one_size(part: Spec) -> None:
    for name in ("fontSize", "titleFontSize", "labelFontSize", "subtitleFontSize"):
        if isinstance(part.get(name), int | float):
            part[name] = min(part[name], TYPE)


def _full(part: Spec) -> None:
    """Space between views counts from all that belongs to them: titles of several lines need more."""
    if part.pop("bounds", None) == "flush":
        part["spacing"] = 16


def _below(spec: Spec, width: float) -> bool:
    """True if legends stand below: beside several panels they would take the width of one."""
    return width < NARROW or bool(parts(spec))


def fit_legends(spec: Spec, width: float, letter: float) -> None:
    """Names in legends as words, and those below the views in as many columns as the width has room for."""
    rows = [row for data in spec.get("datasets", {}).values() for row in data]
    _fit_legends(spec, width, letter if _below(spec, width) else None, rows)


def _fit_legends(spec: Spec, room: float, letter: float | None, rows: list[dict[str, Any]]) -> None:
    apart = spec.get("resolve", {}).get("scale", {}).get("color") == "independent"  # each panel has its own
    columns = columns_of(spec) if apart and "facet" not in spec else 1
    for part in parts(spec):
        _fit_legends(part, (room + GAP) / columns - GAP, letter, rows)
    if not parts(spec):
        for encoding in (e for layer in layers(spec) for e in layer.get("encoding", {}).values()):
            if isinstance(encoding, dict) and encoding.get("legend", {}) is not None:
                _fit_legend(encoding, room - AXIS, letter, rows)


def _fit_legend(encoding: dict[str, Any], room: float, letter: float | None, rows: list[dict[str, Any]]) -> None:
    """The legend of a channel that has words or steps: its columns, and its title beside them where that costs no
    row."""
    field = encoding.get("field")
    if encoding.get("type") not in ("nominal", "ordinal") or field is None:
        return
    names = (encoding.get("scale") or {}).get("domain") or encoding.get("sort")
    if not isinstance(names, list):
        names = list(dict.fromkeys(row[field] for row in rows if field in row))
    legend = encoding["legend"] = dict(encoding.get("legend", {}))
    if any("_" in str(name) for name in names):
        legend["labelExpr"] = "replace(datum.label, /_/g, ' ')"
    if letter is None or not names:
        return
    entry = SYMBOL + longest(names, letter)
    title = longest(lines_of(legend.get("title", encoding.get("title"))), letter)
    above, beside = (math.ceil(len(names) / max(1, int(space / entry))) for space in (room, room - title))
    legend["titleOrient"] = "left" if beside <= above and title + entry <= room else "top"
    legend["columns"] = math.ceil(len(names) / above)
