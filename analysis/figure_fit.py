"""A drawing whose whole width is what was asked for: Vega-Lite takes the size of a view, so that is sought."""

import copy
import math
import re
from typing import NamedTuple

from analysis.figure_spec import (
    HEIGHT,
    LOW,
    Spec,
    columns_of,
    in_columns,
    least_widths,
    parts,
    sized,
    views,
    wrap_axes,
    wrap_title,
)
from analysis.figure_style import fit_legends
from trainables.errors import SpecError

ROOMS = (1.0, 0.85, 0.7)
"""Parts of the width that legends may take: less where one is wider than its letters say."""
ROUNDS = 8
"""A drawing is made so many times at most; two or three are enough where the width of labels does not change."""
NEAR = 0.002
"""So near to the asked size the views are sought; what is left is a scale that nobody sees."""
FLATTER = 0.25
"""A view that is wider than on a page by a factor is higher by this power of it."""
FLAT = 0.65
"""Views are lower by this factor where fewer of them than on a page stand beside each other."""
WORSE = 5
"""What is too wide makes all type smaller, what is too narrow leaves a margin: so much worse it is."""
SQUEEZED = 1.03
"""What is wider than so much of the asked width is no figure of its size."""
SMALL = 60
"""A view of fewer pixels up is a strip, and keeps its height."""


class Drawing(NamedTuple):
    """An SVG text, and its size in pixels."""

    svg: str
    width: float
    height: float


class TooSmall(SpecError):
    """A figure whose `side`, width or height, has no room for its views: so many pixels are `needed`."""

    def __init__(self, side: str, needed: float) -> None:
        super().__init__(f"{side}: {needed:.0f} pixels are needed.")
        self.side, self.needed = side, needed


def fitted(spec: Spec, width: float, height: float | None, letter: float) -> Drawing:
    """The drawing of a spec at this width, and height, in pixels, with as many panels in a row as have room.

    Without `height` views keep their shape, and grow more across than up. `letter` is the mean width of a letter.
    TooSmall where one panel has no room.
    """
    spec = copy.deepcopy(spec)
    sized(spec)
    needed = math.inf
    for columns in range(columns_of(spec), 0, -1):
        try:
            found = [_in_columns(spec, columns, width, height, letter, ROOMS[0])]
            for room in ROOMS[1:]:
                if found[-1].width > width * (1 + NEAR):
                    found.append(_in_columns(spec, columns, width, height, letter, room))
            return min(found, key=lambda drawing: _off(drawing, width, height))
        except TooSmall as error:
            if error.side == "height":
                raise
            needed = min(needed, error.needed)
    raise TooSmall("width", needed)


def _in_columns(spec: Spec, columns: int, width: float, height: float | None, letter: float, room: float) -> Drawing:
    """The drawing with so many panels in a row; legends have this part of the width."""
    tried = copy.deepcopy(spec)
    in_columns(tried, columns)
    if columns < columns_of(spec):
        _flatten(tried)
    fit_legends(tried, room * width, letter)
    for part in _with_title(tried):
        wrap_title(part, width / columns if part is not tried else width, letter)
    return _sought(tried, width, height, list(least_widths(tried, letter)), letter)


def _flatten(spec: Spec) -> None:
    """Make views lower that stand below each other because there is no room beside."""
    for view in views(spec):
        if isinstance(view["height"], int | float) and view["height"] >= SMALL:
            view["height"] = max(LOW, FLAT * view["height"])


def _with_title(spec: Spec) -> list[Spec]:
    return [spec, *(found for part in parts(spec) for found in _with_title(part))]


def _sought(spec: Spec, width: float, height: float | None, least: list[float], letter: float) -> Drawing:
    """The drawing of these columns: the scales of all widths and of all heights are sought by the secant method."""
    shown = list(views(spec))
    smallest = max(at_least / view["width"] for at_least, view in zip(least, shown, strict=True))
    lowest = SMALL / max(_tall(view) for view in shown)
    across, up = max(smallest, 0.8 * width / max(view["width"] for view in shown)), 1.0
    seen: list[tuple[float, float, Drawing]] = []
    for _ in range(ROUNDS):
        drawing = _scaled(spec, across, up if height else None, letter)
        seen.append((across, up, drawing))
        if _off(drawing, width, height) < NEAR:
            break
        if across == smallest and drawing.width > width:
            raise TooSmall("width", drawing.width)
        if height and up == lowest and drawing.height > height:
            raise TooSmall("height", drawing.height)
        across = max(smallest, _next([(a, d.width) for a, _, d in seen], width, sum(v["width"] for v in shown)))
        up = max(lowest, _next([(u, d.height) for _, u, d in seen], height, HEIGHT)) if height else up
    best = min((drawing for *_, drawing in seen), key=lambda drawing: _off(drawing, width, height))
    if best.width > SQUEEZED * width:
        raise TooSmall("width", best.width)
    return _widened(best, width)


def _widened(drawing: Drawing, width: float) -> Drawing:
    """A drawing that is a little too narrow with the rest as a margin on the right, so that its type keeps its size."""
    if drawing.width >= width:
        return drawing
    wide = f'width="{width:g}" height="{drawing.height:g}"'
    svg = re.sub(r'viewBox="[^"]*"', f'viewBox="0 0 {width:g} {drawing.height:g}"', drawing.svg, count=1)
    svg = re.sub(r'<rect width="[^"]*" height="[^"]*"', f"<rect {wide}", svg, count=1)  # the white behind all
    return Drawing(svg, width, drawing.height)


def _off(drawing: Drawing, width: float, height: float | None) -> float:
    """How far a drawing is from the size that was asked for, as a share of it; too wide is worse than too narrow."""
    over = drawing.width / width - 1
    return max(WORSE * over if over > NEAR else abs(over), abs(drawing.height / height - 1) if height else 0)


def _tall(view: Spec) -> float:
    return view["height"] if isinstance(view["height"], int | float) else HEIGHT


def _next(seen: list[tuple[float, float]], goal: float, slope: float) -> float:
    """Where a line through the last two places has the goal; from one place, with a slope. Sizes jump where a title
    gets another line: then the place is halfway between those on both sides of the goal."""
    (scale, size), *_ = reversed(seen)
    others = [(s, z) for s, z in seen if abs(s - scale) > 1e-6 and abs(z - size) > 1e-6]
    if others:
        before, small = others[-1]
        slope = (size - small) / (scale - before)
    found = scale + (goal - size) / slope if slope > 0 else scale
    below, above = (
        max((s for s, z in seen if z <= goal), default=None),
        min((s for s, z in seen if z > goal), default=None),
    )
    if below is not None and above is not None and below < above and not below < found < above:
        return (below + above) / 2
    return found


def _scaled(spec: Spec, across: float, up: float | None, letter: float) -> Drawing:
    """The drawing with all widths times `across` and all heights times `up`; None: as the widths ask."""
    spec = copy.deepcopy(spec)
    for view in views(spec):
        view["width"] = across * view["width"]
        tall = _tall(view)
        if up is not None:
            view["height"] = up * tall
        elif isinstance(view["height"], int | float) and tall >= SMALL:
            view["height"] = max(LOW, tall * min(across, across**FLATTER))
        wrap_axes(view, letter)
    return drawn(spec)


def drawn(spec: Spec) -> Drawing:
    """What Vega-Lite draws of a spec."""
    from vl_convert import vegalite_to_svg

    svg = vegalite_to_svg(spec)
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert found, svg[:300]
    return Drawing(svg, float(found[1]), float(found[2]))
