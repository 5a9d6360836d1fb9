"""Two columns of a table drawn against each other. Fields have names of ours, so that a column's may hold anything."""

import json
import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa

from analysis.theme import step_axis, value_axis
from study.store.printable import clean
from study.web.sql.choice import Choice, Undrawable
from study.web.sql.table import is_number

MOST_ROWS, MOST_POINTS = 2_000_000, 5_000
"""Rows that points are drawn from, which all have to be in memory, and points of a chart."""
MOST_WORDS = 100
"""Different words along an axis."""
MOST_COLORS = 20
MOST_BARS = 60
"""Different numbers that have a bar each; more have an axis of numbers."""
LAST_MS = 8_640_000_000_000_000
"""The last millisecond that a browser has a date for."""

NUMBERS, TIMES, WORDS = "quantitative", "temporal", "nominal"
WIDTH, HEIGHT = 640, 360


def picture(table: pa.Table, choice: Choice, colors: Mapping[str, str]) -> alt.Chart:
    """Columns `choice.x` and `choice.y` of all rows, or of MOST_POINTS that are drawn by lot; `colors` are those of
    phases. Undrawable where an axis would have too many words, and where there are too many rows to look at."""
    if len(table) > MOST_ROWS:
        raise Undrawable(f"the answer has {len(table):,} rows, a chart takes {MOST_ROWS:,} at most: aggregate it.")
    names = {side: name for side, name in (("x", choice.x), ("y", choice.y), ("color", choice.color)) if name}
    columns = {side: _column(table[names[side]]) for side in ("x", "y")}
    kinds = {side: kind for side, (kind, _) in columns.items()}
    logs = {side for side in ("x", "y") if choice.scale in (side, "both") and kinds[side] == NUMBERS}
    data: Any = pd.DataFrame({side: values for side, (_, values) in columns.items()})
    for side in logs:
        if names[side] == "step":  # it begins at 0, see `step_axis`
            data[side] = data[side].replace(0, 0.5)
    has_place = [_has_place(data[side], kinds[side], side in logs) for side in ("x", "y")]
    placed = data[has_place[0] & has_place[1]]
    for side in ("x", "y"):
        if kinds[side] == WORDS and (words := placed[side].nunique()) > MOST_WORDS:
            raise Undrawable(f"{side}: column {names[side]!r} holds {words:,} different texts, choose another one.")
    drawn = placed.sample(MOST_POINTS, random_state=0).sort_index() if len(placed) > MOST_POINTS else placed
    if choice.color:  # of few rows: as Python's, the texts of all may take all memory
        kinds["color"], colored = _column(table[choice.color].take(pa.array(drawn.index)))
        drawn = drawn.assign(color=colored.to_numpy())
    channels = {
        side: _axis(side, clean(names[side]), kinds[side], side in logs, choice.mark, drawn) for side in ("x", "y")
    }
    if "color" in names:
        channels["color"] = _color(drawn["color"], kinds["color"], clean(choice.color), choice.mark, colors)
    tooltip = [alt.Tooltip(side, type=kinds[side], title=clean(name)) for side, name in names.items()]  # pyright: ignore[reportArgumentType]
    rows = drawn.astype(object).where(drawn.notna(), None).to_dict("records")
    said = _said(len(data), len(placed), len(drawn))
    if kinds.get("color") == WORDS and (found := drawn["color"].nunique()) > MOST_COLORS:
        said += f" The {found:,} values of {clean(choice.color)} share the colours."
    title = alt.Title(f"{clean(choice.y)} by {clean(choice.x)}", subtitle=said)
    chart = alt.Chart(alt.Data(values=rows)).encode(**channels, tooltip=tooltip)
    return _marked(chart, choice.mark).properties(width=WIDTH, height=HEIGHT, title=title)


def _said(whole: int, placed: int, drawn: int) -> str:
    said = f"{placed:,} row{'' if placed == 1 else 's'}"
    if drawn < placed:
        said = f"{drawn:,} of {said}, drawn by lot"
    return f"{said}; {whole - placed:,} without a place on the axes are left out." if placed < whole else f"{said}."


def _column(column: pa.ChunkedArray) -> tuple[str, Any]:
    """A column as numbers, as milliseconds since 1970, or as texts, and which of them it is."""
    kind = column.type
    if is_number(kind):
        return NUMBERS, column.cast(pa.float64(), safe=False).to_pandas()
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        try:
            return TIMES, column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_pandas().astype("float64")
        except pa.ArrowInvalid:  # a date that is infinite
            return WORDS, column.cast(pa.string()).to_pandas()
    if pa.types.is_nested(kind):
        texts = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        return WORDS, pd.Series(texts, dtype=object)
    return WORDS, column.cast(pa.string()).to_pandas()


def _has_place(values: Any, kind: str, log: bool) -> Any:
    """True for what an axis has a place for."""
    if kind == WORDS:
        return values.notna()
    least = 0 if log else -LAST_MS if kind == TIMES else -math.inf
    return (values > least) & (values < (LAST_MS if kind == TIMES else math.inf))


def _axis(side: str, title: str, kind: str, log: bool, mark: str, data: Any) -> Any:
    channel = alt.X if side == "x" else alt.Y
    if kind == TIMES:
        return channel(side, type=TIMES, title=title, scale=alt.Scale(type="utc"))
    if kind == WORDS:
        return channel(side, type=WORDS, title=title, sort=None)
    if mark == "bar" and side == "x" and data[side].nunique() <= MOST_BARS:
        return channel(side, type="ordinal", title=title)
    if mark == "bar" and side == "y":
        return channel(side, type=NUMBERS, title=title)
    scale, axis = step_axis(title, 12) if log and title == "step" else value_axis(title, log)
    return channel(side, type=NUMBERS, scale=scale, axis=axis)


def _color(values: Any, kind: str, title: str, mark: str, colors: Mapping[str, str]) -> alt.Color:
    """Numbers that separate lines or bars are steps of one colour; phases have theirs."""
    seen = [value for value in values.unique() if isinstance(value, str)]
    symbols = alt.Legend(symbolType="stroke", symbolStrokeWidth=3) if mark == "line" else alt.Legend()
    if kind != WORDS:
        kind = "ordinal" if mark != "point" and kind == NUMBERS else kind
        return alt.Color("color", type=kind, title=title, legend=symbols)  # pyright: ignore[reportArgumentType]
    channel = alt.Color("color", type=WORDS, title=title, sort=None, legend=symbols)
    if seen and {*seen} <= {*colors}:
        channel = channel.scale(domain=[phase for phase in colors if phase in seen],
                                range=[color for phase, color in colors.items() if phase in seen])  # fmt: skip
    return channel if len(seen) <= MOST_COLORS else channel.legend(None)


def _marked(chart: alt.Chart, mark: str) -> alt.Chart:
    if mark == "bar":
        return chart.mark_bar()
    return chart.mark_line(strokeWidth=1.5) if mark == "line" else chart.mark_circle(size=40, opacity=0.7)
