"""Colours for the phases of a definition that names none: no two alike, and none that colour-blind readers confuse.

Any two of these and of the grey of `unresolved` differ by more than 20 in CIE Lab for normal sight, deuteranopia and
protanopia; a test measures it. Phases beyond their number have colours that differ, and no more.
"""

import colorsys
import itertools
from collections.abc import Iterable, Iterator

UNRESOLVED = "#d4d4d4"
GENERALIZED = ("#0a5fb4", "#7cc5f2", "#0f0f57")
OTHERS = ("#d55e00", "#3d3d3d", "#f0c84b", "#d66fb1", "#4daf7c", "#573f0f", "#f0f0a8")
GOLDEN = 0.618034


def fresh(taken: Iterable[str], generalized: bool = False) -> str:
    """The first colour that is not taken: a blue for a phase that generalizes, another one for others."""
    used = {UNRESOLVED, *(color.lower() for color in taken)}
    first, second = (GENERALIZED, OTHERS) if generalized else (OTHERS, GENERALIZED)
    return next(color for color in itertools.chain(first, second, _further()) if color not in used)


def _further() -> Iterator[str]:
    """Colours without end, by turns of the golden ratio around the hues, for more phases than a reader can tell."""
    for i in itertools.count():
        red, green, blue = colorsys.hls_to_rgb(i * GOLDEN % 1, 0.35 + 0.1 * (i % 4), 0.6)
        yield f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
