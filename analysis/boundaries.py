"""Where the runs of a study change from one phase to others: the place at which half of the seeds are on either side.

On one axis these are critical values, on two a curve with a band. The model is that of the boundary sampler,
study/search/boundary/model.py, with first passages for the line and without them for its band
(study/search/boundary/width.py says why); all intervals are 95%.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.critical_values import critical_values
from analysis.curve import Surface, curve
from analysis.scale import Scale
from analysis.sides import sides
from analysis.stored import read_study
from study.search.boundary.model import fit
from study.search.boundary.width import width_of
from study.store.definitions import Definition
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store


@dataclass(frozen=True)
class Boundary:
    """Where half of the seeds are in one of `phases`."""

    study: str
    definition: Definition
    phases: tuple[str, ...]
    scales: tuple[Scale, ...]
    points: list[dict[str, float]]
    """On one axis, `value`, `low` and `high` of each critical value. On two, pieces of the curve from `x`, `y` to `x2`,
    `y2`, with `width`, the width of the band there in ranges of the axes."""
    width: float
    """Mean width of the interval or band, in ranges of the axes: 0 to 1. A log axis has its range in logarithms."""
    interval: tuple[float, float] | None
    """The interval of the critical value, if there is one axis and exactly one critical value. Otherwise None."""
    runs: int
    """How many resolved runs it was read from."""
    model: Surface
    """Whose mean is zero on the line."""
    band: Surface
    """Whose mean is within 1.96 standard deviations of zero in the band."""

    def __repr__(self) -> str:
        """A line: where it is and how well it is known, without the pieces of a curve and the model."""
        over = ", ".join(self.axes)
        if len(self.scales) == 1:
            at = ", ".join(f"{p['value']:.4g} [{p['low']:.4g}, {p['high']:.4g}]" for p in self.points) or "nowhere"
        else:
            at = f"a curve of {len(self.points)} pieces" if self.points else "nowhere"
        return (
            f"Boundary({self.study!r}, {' or '.join(self.phases)} by {self.definition.name}, over {over}: {at}; "
            f"width {self.width:.3g} of the axes, {self.runs} runs)"
        )

    @property
    def axes(self) -> list[str]:
        return [scale.path for scale in self.scales]


def boundary(
    store: "Store",
    study: str,
    phase: str | Collection[str] = "generalized",
    definition: str | Definition | None = None,
    at: Mapping[str, Any] | None = None,
) -> Boundary:
    """The boundary between the runs in `phase` and all other resolved runs.

    `phase`: one phase, several, or 'generalized' for every phase in which the test split is answered at the end.
    `definition`: a phase definition by name, path or text; None for the study's own.
    `at`: the axes to hold at a value, {axis: value}, so that one or two axes remain.
    Raises SpecError for unknown names, for axes that are not numeric, and where all runs are on one side.
    """
    facts, at = read_study(store, study, definition), at or {}
    store = store.of(study, definition=facts.definition)
    at = facts.held(at)
    axes = [axis for axis in facts.axes if axis not in at]
    if not 1 <= len(axes) <= 2:
        raise SpecError(
            f"Study {study!r}: a boundary needs one or two axes, there are {len(axes)} ({', '.join(axes)}). "
            f"Hold the others fixed with at={{axis: value}}."
        )
    phases, scales, places_ND, positive_N, log_steps_N = sides(store, facts, phase, at)
    model = fit(places_ND, positive_N, log_steps_N=log_steps_N)
    band = fit(places_ND, positive_N)
    if len(scales) == 1:
        points = critical_values(model, band, scales[0], places_ND, positive_N, log_steps_N)
        width = float(np.mean([scales[0].unit(p["high"]) - scales[0].unit(p["low"]) for p in points or [_NOWHERE]]))
    else:
        points, width = curve(model, band, scales), width_of(band, 2)
    interval = (points[0]["low"], points[0]["high"]) if len(scales) == len(points) == 1 else None
    return Boundary(study, facts.definition, phases, scales, points, width, interval, len(positive_N), model, band)


_NOWHERE = {"low": math.nan, "high": math.nan}
