"""The font of a figure: whether it is here, and how wide its letters are."""

from xml.sax.saxutils import quoteattr

from analysis.figure_spec import TYPE
from trainables.errors import SpecError

SAMPLE = "steps to generalize (test accuracy 0.9), weight decay 0.001"
"""Text like that of charts."""


def family(font: str | None) -> str:
    """The font families of a figure, the asked one first; None: those of all charts.

    SpecError for a font that is not installed. Without another behind it, vl-convert leaves out the text of such a
    font; with one, the text has that other font, and nothing is said.
    """
    from analysis.theme import FONT

    if font is None:
        return FONT
    if not _is_here(font):
        raise SpecError(
            f"font {font!r} is not installed here, and text in it would have another font. "
            "`fc-list : family` lists names, which have capitals as there."
        )
    return f"{font}, {FONT}"


def _is_here(font: str) -> bool:
    """True if text in this font comes into a PDF, where it must be embedded."""
    from vl_convert import svg_to_pdf

    if not font.strip():
        return False
    text = f'<text y="9" font-family={quoteattr(font)}>a</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{text}</svg>'
    return b"/BaseFont" in svg_to_pdf(svg)


def letter_width(families: str) -> float:
    """Pixels of a letter, on average, at the size of all type in a figure."""
    from analysis.figure_fit import drawn

    mark = {"type": "text", "text": SAMPLE, "fontSize": TYPE, "font": families}
    view = {"data": {"values": [{}]}, "mark": mark, "width": 1, "height": 1, "padding": 0}
    return drawn({"config": {"view": {"stroke": None}}, **view}).width / len(SAMPLE)
