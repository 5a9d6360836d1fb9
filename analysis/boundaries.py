"""Where the runs of a study change from one phase to others: the place at which half of the seeds are on either side.

On one axis these are critical values, on two a curve with a band. The model is that of the boundary sampler,
study/search/boundary/model.py, with first passages for the line and without them for its band
(study/search/boundary/width.py says why); all intervals are 95%.
"""

# N runs, D axes

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.critical_values import critical_values
from analysis.curve import Surface, curve
from analysis.held import check_held, holds
from analysis.scale import Scale
from analysis.stored import Study, read_study, resolved_runs
from study.search.boundary.model import Array, BoundaryModel, fit
from study.search.boundary.passages import log_steps
from study.search.boundary.width import width_of
from study.search.space import Seen
from study.store.definitions import GENERALIZED, Definition
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
    if not isinstance(at, Mapping):
        raise SpecError(f"Study {study!r}: at must be {{axis: value}}, got {at!r}.")
    at = {facts.axis(axis): value for axis, value in at.items()}
    axes = [axis for axis in facts.axes if axis not in at]
    if not 1 <= len(axes) <= 2:
        raise SpecError(
            f"Study {study!r}: a boundary needs one or two axes, there are {len(axes)} ({', '.join(axes)}). "
            f"Hold the others fixed with at={{axis: value}}."
        )
    found = fitted(store, facts, axes, phase, at)
    model, band, scales = found.model, found.band, found.scales
    if len(scales) == 1:
        points = critical_values(model, band, scales[0], found.places_ND, found.positive_N, found.log_steps_N)
        width = float(np.mean([scales[0].unit(p["high"]) - scales[0].unit(p["low"]) for p in points or [_NOWHERE]]))
    else:
        points, width = curve(model, band, scales), width_of(band, 2)
    interval = (points[0]["low"], points[0]["high"]) if len(scales) == len(points) == 1 else None
    runs = len(found.positive_N)
    return Boundary(study, facts.definition, found.phases, scales, points, width, interval, runs, model, band)


class Fitted(NamedTuple):
    """The models of a study's resolved runs over some of its axes, and the runs that they were fitted to."""

    phases: tuple[str, ...]
    scales: tuple[Scale, ...]
    places_ND: Array
    positive_N: NDArray[np.bool_]
    log_steps_N: Array
    model: BoundaryModel
    band: BoundaryModel


def fitted(
    store: "Store", facts: Study, axes: Sequence[str], phase: str | Collection[str], at: Mapping[str, Any]
) -> Fitted:
    """The models over any number of numeric `axes`, from the runs at the values `at` of the others."""
    study, store = facts.name, store.of(facts.name, definition=facts.definition)
    if phase == GENERALIZED:
        phases = facts.definition.generalized
    else:
        phases = (phase,) if isinstance(phase, str) else tuple(phase)
    found = resolved_runs(store, study, facts.definition)
    runs = [Seen(row["point"], True, positive=row["phase"] in phases, step=row["step"]) for row in found]
    runs = [run for run in runs if set(run.point) == set(facts.axes)]
    check_held(study, (run.point for run in runs), at)
    runs = [run for run in runs if holds(run.point, at)]
    if len({run.positive for run in runs}) < 2:
        known = sorted({row["phase"] for row in found})
        raise SpecError(
            f"Study {study!r}: there is no boundary of phase {phase!r}, its {len(runs)} resolved runs are on one side. "
            f"Phases by {facts.definition.name}: {', '.join(known) or 'none yet'}."
        )
    scales = tuple(_scale(study, axis, [run.point[axis] for run in runs]) for axis in axes)
    places_ND = np.stack([scale.unit([run.point[scale.path] for run in runs]) for scale in scales], -1)
    positive_N, log_steps_N = np.array([run.positive for run in runs]), log_steps(runs)
    model = fit(places_ND, positive_N, log_steps_N=log_steps_N)
    return Fitted(phases, scales, places_ND, positive_N, log_steps_N, model, fit(places_ND, positive_N))


_NOWHERE = {"low": math.nan, "high": math.nan}


def _scale(study: str, axis: str, values: list[Any]) -> Scale:
    """The scale of an axis with these values; SpecError for words and for a single value."""
    if not all(isinstance(value, int | float) for value in values):
        raise SpecError(f"Study {study!r}: axis {axis!r} is not numeric. Hold it fixed with at={{{axis!r}: value}}.")
    if len(set(values)) < 2:
        raise SpecError(f"Study {study!r}: axis {axis!r} has only one value; no boundary can cross it.")
    return Scale.of(axis, values)
