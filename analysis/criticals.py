"""The critical value of one axis, where half of the seeds are on either side, as a function of all the others.

It is where the line of the model over all axes (all_axes.py) crosses one half, and its 95% interval is where the band
of phases alone is not sure of a side. Nothing is extrapolated: a crossing outside of what was studied has no number.
"""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.all_axes import Field, field
from analysis.scale import Scale
from analysis.slices import MAX_VALUES
from analysis.stored import read_study
from study.search.boundary.model import Array
from study.search.boundary.width import Z
from study.store.definitions import Definition
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

# P combinations of the other axes' values, K places along the axis, D axes
LINE = 201
THIRDS = (1 / 6, 0.5, 5 / 6)
"""The middles of the low, the middle and the high third of a range."""
INSIDE, BELOW, ABOVE = "inside", "below lowest", "above highest"


def critical(
    store: "Store",
    study: str,
    axis: str,
    phase: str | Collection[str] = "generalized",
    definition: str | Definition | None = None,
    at: Mapping[str, Any] | None = None,
    levels: Mapping[str, Sequence[float]] | None = None,
) -> pd.DataFrame:
    """The value of `axis` at which half of the seeds are in `phase`, for each combination of the other axes' values.

    `levels`: values of other axes to look at, {axis: values}; by default the levels of a grid, and where there are
    many values the middles of a low, a middle and a high third of them. The other arguments are those of
    `analysis.boundary`.

    Columns: the other axes by path; `where`, which is `inside`, or `below lowest` or `above highest` where the line
    does not cross one half among the values studied; `value`, NaN unless inside; its 95% interval `low` to `high`, -inf
    or inf where it goes on beyond what was studied; `rises`, True if runs are in the phase above the value. A line that
    crosses several times has a row for each crossing.
    """
    facts = read_study(store, study, definition)
    axis, at, levels = facts.axis(axis), facts.held(at or {}), facts.held(levels or {})
    for other in (*at, *levels):
        if other == axis:
            raise SpecError(f"Study {study!r}: axis {axis!r} is looked along; leave it out of at and levels.")
    found = field(store, study, phase, definition, at)
    for other, values in levels.items():
        _check_levels(study, found.scales[found.index(other)], values)
    return criticals(found, axis, levels)


def _check_levels(study: str, scale: Scale, values: Any) -> None:
    """SpecError for what is no list of numbers within the values studied."""
    lowest, highest = scale.value(0), scale.high
    numbers = list(values) if isinstance(values, Sequence) and not isinstance(values, str) else [values]
    for value in numbers:
        if not isinstance(values, Sequence) or isinstance(value, bool | str) or not lowest <= value <= highest:
            raise SpecError(
                f"Study {study!r}: levels of {scale.path!r} must be a list of numbers from {lowest:.6g} to "
                f"{highest:.6g}, got {values!r}."
            )


def criticals(found: Field, axis: str, levels: Mapping[str, Sequence[float]] | None = None) -> pd.DataFrame:
    """The rows of `critical`."""
    along, levels = found.index(axis), levels or {}
    others = [i for i in range(len(found.scales)) if i != along]
    values = [levels.get(found.axes[i]) or looked_at(found, found.axes[i]) for i in others]
    points = list(itertools.product(*values))
    line_K = np.linspace(0, 1, LINE)
    places = np.empty((len(points), LINE, len(found.scales)))
    places[:, :, along] = line_K
    for column, i in enumerate(others):
        places[:, :, i] = found.scales[i].unit([point[column] for point in points])[:, None]
    flat = places.reshape(-1, len(found.scales))
    mean_PK = found.model.mean_and_sd(flat)[0].reshape(len(points), LINE)
    middle, sd = found.band.mean_and_sd(flat)
    sure_PK = (np.abs(middle) > Z * sd).reshape(len(points), LINE)
    helps = bool(np.mean(mean_PK[:, -1] - mean_PK[:, 0]) > 0)
    rows = []
    for point, mean_K, sure_K in zip(points, mean_PK, sure_PK, strict=True):
        place = dict(zip((found.axes[i] for i in others), point, strict=True))
        rows += [place | row for row in _along(found, along, line_K, mean_K, sure_K, helps)]
    return pd.DataFrame(rows)


def looked_at(found: Field, axis: str) -> list[float]:
    """The values of an axis at which critical values of another are looked at, if nobody says which: its levels, or
    where there are many values the middles of a low, a middle and a high third of them."""
    i = found.index(axis)
    thirds = [float(f"{found.scales[i].value(third):.3g}") for third in THIRDS]
    return list(found.levels[i]) if 0 < len(found.levels[i]) <= MAX_VALUES else thirds


def _along(
    found: Field, along: int, line_K: Array, mean_K: Array, sure_K: NDArray[np.bool_], helps: bool
) -> list[dict[str, Any]]:
    """The crossings of one line; one row that says on which side the crossing is if there is none."""
    scale, sure, line = found.scales[along], np.flatnonzero(sure_K).tolist(), line_K.tolist()
    crossings = np.flatnonzero(np.diff(mean_K > 0)).tolist()
    if not crossings:
        below = bool(mean_K[0] > 0) == helps  # as it was before the first place, or will be after the last
        row = {"where": BELOW if below else ABOVE, "value": math.nan, "low": -math.inf, "high": math.inf}
        if sure:
            row |= {"high": scale.value(line[sure[0]])} if below else {"low": scale.value(line[sure[-1]])}
        return [row | {"rises": helps}]
    rows = []
    for i in crossings:
        unit = line[i] + (line[i + 1] - line[i]) * float(mean_K[i] / (mean_K[i] - mean_K[i + 1]))
        low = max((scale.value(line[k]) for k in sure if k <= i), default=-math.inf)
        high = min((scale.value(line[k]) for k in sure if k > i), default=math.inf)
        row = {"where": INSIDE, "value": scale.value(unit), "low": low, "high": high}
        rows.append(row | {"rises": bool(mean_K[i + 1] > 0)})
    return rows
