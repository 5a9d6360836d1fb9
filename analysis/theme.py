"""How every chart looks: one Altair theme, one palette, one step axis, one way to save."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import altair as alt

from study.store.definitions import Definition
from study.store.files import atomic
from study.store.phase_colors import fresh
from trainables.errors import SpecError

BLUE, SKY = "#0a5fb4", "#7cc5f2"
GREEN, TEAL = "#4daf7c", "#009e73"
ORANGE, YELLOW, PINK = "#d55e00", "#f0c84b", "#d66fb1"
DARK, GREY, LIGHT = "#3d3d3d", "#9a9a9a", "#d4d4d4"
BAND: dict[str, Any] = {"color": "#bdbdbd", "opacity": 0.55}
"""The mark of a band in which the runs do not tell."""

SPLITS = {"train": GREY, "test": BLUE, "ood": ORANGE}
FORMATS = (".png", ".svg", ".html", ".json")
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"


alt.data_transformers.disable_max_rows()  # a chart that thins its data says so
if alt.renderers.active == "default":  # that one loads Vega from the network; this one draws here
    alt.renderers.enable("svg")


@alt.theme.register("grokking_study", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """Plain and legible: larger type than Vega's, a light grid, titles on the left."""
    text = {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": "#444444"}
    quiet = {"gridColor": "#ececec", "domainColor": "#999999", "tickColor": "#999999", "labelFlush": False}
    return {
        "config": {
            "font": FONT,
            "background": "white",
            "view": {"stroke": None, "continuousWidth": 420, "continuousHeight": 320},
            "title": {
                "anchor": "start",
                "fontSize": 16,
                "fontWeight": 600,
                "subtitleFontSize": 12,
                "subtitleColor": "#666666",
                "subtitlePadding": 6,
                "offset": 14,
            },
            "axis": {**text, **quiet, "titlePadding": 8},
            "legend": {**text, "symbolType": "square", "symbolOpacity": 1, "labelLimit": 0},
            "header": {**text, "labelFontWeight": 600},
        }
    }  # pyright: ignore[reportReturnType]


def phase_colors(definition: Definition, phases: Iterable[str] = ()) -> dict[str, str]:
    """Phase -> colour under a definition, in the order of legends. Of `phases`, those that it does not know are last,
    each with a colour of its own."""
    colors = {phase.name: phase.color for phase in definition.phases}
    for phase in sorted(set(phases) - set(colors)):
        colors[phase] = fresh(colors.values())
    return colors


def phase_color(definition: Definition, phases: Iterable[str]) -> alt.Color:
    """The colour channel of a field `phase` that holds these phases of a definition, in the order of legends."""
    seen = set(phases)
    shown = {phase: color for phase, color in phase_colors(definition, seen).items() if phase in seen}
    color = alt.Color("phase:N").scale(domain=list(shown), range=list(shown.values()))
    return color.legend(title="phase", symbolStrokeWidth=0)


def step_axis(title: str, padding: int = 0) -> tuple[alt.Scale, alt.Axis]:
    """A log scale for steps, and its axis. Step 0 has no logarithm: charts draw it at 0.5, and the label there is 0."""
    ticks = [0.5, *(digit * 10.0**power for power in range(9) for digit in (1, 3))]
    label = "datum.value < 1 ? '0' : format(datum.value, '~s')"
    scale = alt.Scale(type="log", nice=False, padding=padding)
    return scale, alt.Axis(values=ticks, labelExpr=label, labelOverlap="greedy", title=title)


def value_axis(
    title: str,
    log: bool,
    padding: int = 12,
    named: Mapping[float, str] = MappingProxyType({}),
    span: tuple[float, float] | None = None,
) -> tuple[alt.Scale, alt.Axis]:
    """A scale for numbers, and its axis; the ticks of a log scale are 1, 2 and 5 times powers of ten.

    `named` are places with labels of their own, such as that of 0 on a log scale. Then other ticks lie in `span` alone;
    None = there are no others.
    """
    scale = alt.Scale(type="log" if log else alt.Undefined, zero=alt.Undefined if log else False, nice=False,
                      padding=padding)  # fmt: skip
    if not log and not named:
        return scale, alt.Axis(tickCount=6, title=title)
    ticks = [float(f"{digit}e{power}") for power in range(-12, 13) for digit in (1, 2, 5)]
    if not log and span is not None:
        step = 10 ** math.floor(math.log10((span[1] - span[0]) / 2))
        ticks = [float(f"{step * i:.12g}") for i in range(math.ceil(span[0] / step), math.floor(span[1] / step) + 1)]
    labels: dict[str, str] = {"format": "~g"}
    if named:
        names = "".join(f"datum.value == {place!r} ? '{name}' : " for place, name in named.items())
        labels = {"labelExpr": f"{names}format(datum.value, '~g')"}
        ticks = [*sorted(named), *(tick for tick in ticks if span and span[0] <= tick <= span[1])]
    return scale, alt.Axis(values=ticks, labelOverlap="greedy", title=title, **labels)  # pyright: ignore[reportArgumentType]


def save(chart: alt.TopLevelMixin, path: str | Path) -> Path:
    """Write a chart, whole or not at all, as the ending of `path` says: .png, .svg, .html (opens without a network) or
    .json."""
    path = Path(path)
    if path.suffix not in FORMATS:
        raise SpecError(f"Cannot save a chart as {path.name!r}: the ending must be one of {', '.join(FORMATS)}.")
    with atomic(path) as draft:
        chart.save(draft, format=path.suffix[1:], inline=path.suffix == ".html", scale_factor=2)  # pyright: ignore[reportArgumentType] (FORMATS)
    return path
