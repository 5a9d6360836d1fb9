"""A numeric axis of a study as a channel of a chart: its scale, its ticks, and the places of 0 and of absent values."""

from collections.abc import Iterable

import altair as alt

from analysis.charts import words
from analysis.scale import ABSENT, Scale
from analysis.theme import value_axis

Channel = alt.X | alt.Y


def channel(
    kind: type[alt.X] | type[alt.Y],
    field: str,
    scale: Scale,
    absent: bool = False,
    among: Iterable[str] = (),
    whole: bool = False,
) -> Channel:
    """A channel for a field that holds places as `scale.drawn` gives them; `absent` if some points have no value.

    `among` are the axes of the study, for the title; `whole` if all values are whole numbers."""
    named = {scale.drawn(0.0): "0"} if scale.zero else {}
    named |= {scale.drawn(ABSENT): ABSENT} if absent else {}
    drawn, axis = value_axis(words(scale.path, among), scale.log, named=named, span=(scale.low, scale.high))
    if whole:
        axis["tickMinStep"] = 1
    return kind(f"{field}:Q", scale=drawn, axis=axis)
