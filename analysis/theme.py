"""How every chart looks: one Altair theme, one colour per phase name, one step axis, one way to save."""

from collections.abc import Iterable
from pathlib import Path

import altair as alt

from trainables.errors import SpecError

PHASES = {
    "confusion": "#3d3d3d",
    "unlearned": "#3d3d3d",
    "memorization": "#d55e00",
    "seen_tasks_only": "#d55e00",
    "progression": "#4daf7c",
    "semi_grokking": "#f0c84b",
    "grokking": "#0a5fb4",
    "comprehension": "#7cc5f2",
    "generalized_in_distribution": "#7cc5f2",
    "systematic": "#0a5fb4",
    "learning_to_learn": "#0a5fb4",
    "coexistence": "#0a5fb4",
    "partial_inversion": "#7cc5f2",
    "full_inversion": "#009e73",
    "forgetting": "#d66fb1",
    "unresolved": "#d4d4d4",
}
"""Colour of a phase under any definition, in the order of legends. Two phases of one definition stay apart for readers
with deuteranopia or protanopia (the tests hold the smallest CIE76 distance at 20)."""
UNNAMED = "#8a6d3b"
"""Colour of a phase that has none yet."""
SPLITS = {"train": "#9a9a9a", "test": "#0a5fb4", "ood": "#d55e00"}
FORMATS = (".png", ".svg", ".html", ".json")
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"


alt.data_transformers.enable("default", max_rows=None)  # charts cap their own rows, where it makes sense to


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


alt.data_transformers.disable_max_rows()  # a chart thins its own data and says so


def phase_color(phases: Iterable[str]) -> alt.Color:
    """The colour channel for a field `phase` that holds these phases, in the order of the palette."""
    known = sorted(
        set(phases), key=lambda phase: (list(PHASES).index(phase) if phase in PHASES else len(PHASES), phase)
    )
    colors = [PHASES.get(phase, UNNAMED) for phase in known]
    return alt.Color("phase:N").scale(domain=known, range=colors).legend(title="phase", symbolStrokeWidth=0)


def step_axis(title: str, padding: int = 0) -> tuple[alt.Scale, alt.Axis]:
    """A log scale for steps and its axis. Step 0, which has no logarithm, is drawn at 0.5 and labelled 0."""
    ticks = [0.5, *(digit * 10.0**power for power in range(9) for digit in (1, 3))]
    label = "datum.value < 1 ? '0' : format(datum.value, '~s')"
    scale = alt.Scale(type="log", nice=False, padding=padding)
    return scale, alt.Axis(values=ticks, labelExpr=label, labelOverlap="greedy", title=title)


def value_axis(title: str, log: bool, padding: int = 12) -> tuple[alt.Scale, alt.Axis]:
    """A scale for numbers and its axis; ticks of a log scale are 1, 2 and 5 times powers of ten."""
    if not log:
        return alt.Scale(zero=False, nice=False, padding=padding), alt.Axis(tickCount=6, title=title)
    ticks = [float(f"{digit}e{power}") for power in range(-12, 13) for digit in (1, 2, 5)]
    axis = alt.Axis(values=ticks, format="~g", labelOverlap="greedy", title=title)
    return alt.Scale(type="log", nice=False, padding=padding), axis


def save(chart: alt.TopLevelMixin, path: str | Path) -> Path:
    """Write a chart as .png, .svg, .html (opens without a network) or .json, by the ending of `path`."""
    path = Path(path)
    if path.suffix not in FORMATS:
        raise SpecError(f"Cannot save a chart as {path.name!r}: the ending must be one of {', '.join(FORMATS)}.")
    chart.save(path, inline=True, scale_factor=2) if path.suffix == ".html" else chart.save(path, scale_factor=2)
    return path
