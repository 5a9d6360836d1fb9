"""The Vega-Lite spec of a chart as a tree of views: their sizes, their columns, and text in lines that fit.

Charts are laid out in pixels as on a page, where type has TYPE pixels; a figure is that drawing made smaller.
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

Spec = dict[str, Any]

TYPE = 12
"""Pixels of all type in a figure."""
WIDTH, HEIGHT = 420, 270
"""Pixels of a view that has no size of its own."""
LEAST, LOW = 60, 96
"""Pixels that a view has at least across, and up where that is not asked for."""
AXIS = 60
"""Pixels that labels and title of an upright axis take, about."""
BOLD = 1.1
"""How much wider a letter of a heading is."""
TEXT_SHRINKS = 0.65
"""Views with numbers in their tiles become no narrower than this part of their own width."""
LONGEST_HEADING = 120
"""Pixels of a heading that a panel has room for; what is longer has several lines."""
JOINS = ("hconcat", "vconcat", "concat")


def parts(spec: Spec) -> list[Spec]:
    """The specs right below one that joins or repeats views; none below a view."""
    if "facet" in spec:
        return [spec["spec"]]
    return next((spec[join] for join in JOINS if join in spec), [])


def views(spec: Spec) -> Iterator[Spec]:
    """All views that have axes: those without parts."""
    below = parts(spec)
    for part in below:
        yield from views(part)
    if not below:
        yield spec


def layers(view: Spec) -> Iterator[Spec]:
    """A view and all its layers."""
    yield view
    for layer in view.get("layer", []):
        yield from layers(layer)


def sized(spec: Spec) -> None:
    """Give every view a width, and the height that it has on a page: layers keep none of their own."""
    for view in views(spec):
        found: Spec = {}
        for layer in layers(view):
            found = {side: layer.pop(side) for side in ("width", "height") if side in layer} | found
        view["width"] = found["width"] if isinstance(found.get("width"), int | float) else WIDTH
        view["height"] = found.get("height", HEIGHT)


def columns_of(spec: Spec) -> int:
    """The most views that stand beside each other in one row, of those that may also stand below each other."""
    own = len(spec["hconcat"]) if "hconcat" in spec else int(spec.get("columns", 1))
    return max(own, *map(columns_of, parts(spec)), 1)


def in_columns(spec: Spec, columns: int) -> None:
    """Put at most so many views beside each other. Rows and columns that stand for values stay."""
    if len(spec.get("hconcat", ())) > columns:
        spec["concat"] = spec.pop("hconcat")
        spec["columns"] = columns
        if columns == 1:  # of one width, as what they had did not matter
            for view in spec["concat"]:
                if not parts(view):
                    view["width"] = WIDTH
    elif "columns" in spec:
        spec["columns"] = min(spec["columns"], columns)
    for part in parts(spec):
        in_columns(part, columns)


def least_widths(spec: Spec, letter: float, headings: tuple[str, ...] = ()) -> Iterator[float]:
    """For each of `views`, in their order, how many pixels it has across at least. `letter` is the width of one."""
    below = parts(spec)
    if "facet" in spec and "row" not in spec["facet"]:
        headings = tuple(map(str, spec["facet"].get("sort") or ()))
    for part in below:
        yield from least_widths(part, letter, headings)
    if not below:
        title = spec.get("title") or {}
        above = longest([*lines_of(title.get("text")), *lines_of(title.get("subtitle"))], letter)
        heading = max(min(LONGEST_HEADING, longest(headings, letter)), min(LONGEST_HEADING, above) - AXIS)
        has_numbers = {"rect", "text"} <= {_mark(layer) for layer in layers(spec)}
        yield max(LEAST, heading, TEXT_SHRINKS * spec["width"] if has_numbers else 0)


def _mark(view: Spec) -> str:
    mark = view.get("mark", "")
    return mark["type"] if isinstance(mark, dict) else mark


def lines_of(text: Any) -> list[str]:
    """The lines of a title, which may be one, several or none."""
    return [text] if isinstance(text, str) else list(text or ())


def longest(texts: Iterable[Any], letter: float) -> float:
    """Pixels of the longest of these texts."""
    return letter * max((len(str(text)) for text in texts), default=0)


def wrapped(text: Any, room: float, letter: float) -> Any:
    """A text in lines of at most `room` pixels, as well as whole words allow, and about as long as each other."""
    most = max(8, int(room / letter))
    found = [line for part in lines_of(text) for line in _balanced(part, most)]
    return found if len(found) > 1 else text


def _balanced(text: str, most: int) -> list[str]:
    """The lines of a text of at most so many letters: as few as need be, and the longest as short as it can be."""
    wrap = partial(textwrap.wrap, text, break_long_words=False, break_on_hyphens=False)
    few = len(wrap(most))
    tried = (wrap(letters) for letters in range(max(1, len(text) // max(few, 1)), most + 1))
    return next((lines for lines in tried if len(lines) == few), [text])


def wrap_axes(view: Spec, letter: float) -> None:
    """Titles of axes in lines that are no longer than their axes."""
    for channel, side in (("x", "width"), ("y", "height")):
        room = view[side] if isinstance(view[side], int | float) else HEIGHT
        for layer in layers(view):
            encoding = layer.get("encoding", {}).get(channel, {})
            for holder in (encoding, encoding.get("axis") or {}):
                if holder.get("title"):
                    holder["title"] = wrapped(holder["title"], room, letter)


def wrap_title(spec: Spec, room: float, letter: float) -> None:
    """The title of a panel or of the whole in lines that fit."""
    if isinstance(spec.get("title"), str):
        spec["title"] = {"text": spec["title"]}
    for name in ("text", "subtitle"):
        if (spec.get("title") or {}).get(name):
            spec["title"][name] = wrapped(spec["title"][name], room, BOLD * letter)


def everywhere(spec: Any, change: Callable[[Spec], None]) -> None:
    """Call `change` with every dictionary of a spec that is no data."""
    if isinstance(spec, dict):
        change(spec)
        for name, value in spec.items():
            if name not in ("datasets", "data"):
                everywhere(value, change)
    elif isinstance(spec, list):
        for value in spec:
            everywhere(value, change)
