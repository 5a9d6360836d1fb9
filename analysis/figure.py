"""One chart of a study as a figure for a paper: of the width of a column, with type of the size of its text."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from study.store.files import atomic
from trainables.errors import SpecError

if TYPE_CHECKING:
    from analysis.figure_fit import Drawing
    from study.store.database import Store

FORMATS = (".pdf", ".svg", ".png")
POINTS = 72.0
"""Points of an inch."""
SIZES = (0.5, 40.0)
"""Inches that a figure may have."""
TYPE_SIZES, DPI = (2.0, 72.0), (30, 2400)
MOST_PIXELS = 2e8


class Figure(NamedTuple):
    """A figure that was written, and its size in inches."""

    path: Path
    width: float
    height: float


def figure(
    store: "Store",
    study: str,
    chart: str,
    out: str | Path,
    width: float = 3.25,
    *,
    height: float | None = None,
    title: bool = False,
    font: str | None = None,
    font_size: float = 8.0,
    dpi: int = 300,
    horizon: int | None = None,
    **options: Any,
) -> Figure:
    """Write the chart of this name (a file of analysis/charts) to `out`, whole or not at all: .pdf, .svg or .png.

    `width` and `height` are those of the whole picture in inches; without `height` it follows from the width. Type has
    `font_size` points in print, and lines and marks are as large beside it as on a page. `title` adds the study's
    question and what is shown. `font` is a font that is installed; None: that of all charts. `dpi` is for .png.
    `horizon` judges every run at this earlier step. `options` are those of the chart: `definition`, `params`, `x`, `y`
    and `at` as on the command line, and what else its function takes.

    SpecError for a size, an ending, a font, a chart or an option that cannot be, and where there is no room for the
    chart; NotApplicable where the study lacks the runs that it shows.
    """
    from analysis.figure_chart import chart_spec, check_name
    from study.store.studies import judged

    path = Path(out)
    if path.suffix.lower() not in FORMATS:
        raise SpecError(f"figure {path.name!r}: the ending must be one of {', '.join(FORMATS)}.")
    _check("width", width, SIZES, "inches")
    _check("height", width if height is None else height, SIZES, "inches")
    _check("font size", font_size, TYPE_SIZES, "points")
    _check("dpi", dpi, DPI, "pixels an inch")
    check_name(chart)
    store.check_known(study)

    from analysis.figure_font import family

    families = family(font)
    spec = chart_spec(judged(store, study, horizon), study, chart, options)
    drawing = _fitted(spec, chart, title, families, width, height, font_size)
    inches = width, height or round(width * drawing.height / drawing.width, 4)
    made = _file(drawing, path, *inches, dpi)
    with atomic(path) as draft:
        draft.write_bytes(made)
    return Figure(path, *inches)


def _check(name: str, value: float, span: tuple[float, float], unit: str) -> None:
    low, high = span
    if not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= high):
        raise SpecError(f"{name} must be {low:g} to {high:g} {unit}, got {value!r}.")


def _fitted(
    spec: dict[str, Any], chart: str, title: bool, families: str, width: float, height: float | None, size: float
) -> "Drawing":
    from analysis.figure_fit import TooSmall, fitted
    from analysis.figure_font import letter_width
    from analysis.figure_spec import TYPE
    from analysis.figure_style import printed

    inch = POINTS * TYPE / size  # pixels, of which `TYPE` become `size` points
    printed(spec, title, families, width * inch)
    try:
        return fitted(spec, width * inch, height and height * inch, letter_width(families))
    except TooSmall as error:
        side, given, needed = error.side, width if error.side == "width" else height, error.needed / inch
        raise SpecError(
            f"{side} {given:g}: chart {chart!r} needs about {math.ceil(needed * 10) / 10:.1f} inches with type of "
            f"{size:g} points. Give more, or a smaller font size."
        ) from None


def _file(drawing: "Drawing", path: Path, width: float, height: float, dpi: int) -> bytes:
    """The bytes of a file of this size in inches."""
    from vl_convert import svg_to_pdf, svg_to_png

    ending = path.suffix.lower()
    if ending == ".svg":
        return _of_size(drawing.svg, f"{width:.6g}in", f"{height:.6g}in").encode()
    if ending == ".pdf":  # of whose pixels vl-convert makes points
        return svg_to_pdf(_of_size(drawing.svg, f"{POINTS * width:.4f}", f"{POINTS * height:.4f}"))
    if width * height * dpi**2 > MOST_PIXELS:
        raise SpecError(f"dpi {dpi}: the picture would have {width * height * dpi**2:,.0f} pixels. Give a smaller one.")
    whole = [f"{POINTS * round(side * dpi) / dpi + 1e-3:.4f}" for side in (width, height)]  # it cuts off what is less
    return svg_to_png(_of_size(drawing.svg, *whole), ppi=float(dpi))


def _of_size(svg: str, width: str, height: str) -> str:
    return re.sub(r'width="[^"]*" height="[^"]*"', f'width="{width}" height="{height}"', svg, count=1)
