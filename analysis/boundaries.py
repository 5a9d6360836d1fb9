"""Where the runs of a study change from one phase to others: the place at which half of the seeds do, with an interval.

One axis: critical values. Two axes: a curve in short pieces, with a band. The model is the samplers' own,
study/boundary_model.py; intervals are 95%, the model's, and on one axis no narrower than a bootstrap over seeds.
"""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from study.boundary_model import Array, BoundaryModel, fit
from study.boundary_steps import log_steps
from study.boundary_width import Z, width_of
from study.search import GENERALIZED, GENERALIZED_PHASES
from study.space import Seen
from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store

DECADES = 20
"""A positive axis whose ends have this ratio or more is taken in logarithms, as in the phase diagram."""
LINE, CELLS, RESAMPLES = 801, 64, 200


@dataclass(frozen=True)
class Scale:
    """An axis between its lowest and highest value, as 0 to 1."""

    path: str
    low: float
    high: float
    log: bool

    @classmethod
    def of(cls, path: str, values: Sequence[float]) -> "Scale":
        low, high = float(min(values)), float(max(values))
        return cls(path, low, high, low > 0 and high / low >= DECADES)

    def unit(self, value: Any) -> Array:
        low, high, values = (np.log(v) if self.log else np.asarray(v, float) for v in (self.low, self.high, value))
        return (values - low) / (high - low)

    def value(self, unit: float) -> float:
        if self.log:
            return float(self.low * (self.high / self.low) ** unit)
        return float(self.low + unit * (self.high - self.low))


@dataclass(frozen=True)
class Boundary:
    """Where half of the runs are in one of `phases`."""

    study: str
    definition: str
    phases: tuple[str, ...]
    scales: tuple[Scale, ...]
    points: list[dict[str, float]]
    """One axis: `value`, `low`, `high` of each critical value. Two: pieces of the curve, from `x`, `y` to `x2`, `y2`,
    and `width`, that of the band there in ranges of the axes."""
    width: float
    """Mean width of the interval or band, in ranges of the axes (0 to 1; in logarithms where the axis is)."""
    interval: tuple[float, float] | None
    """One axis: that of the critical value if there is just one. Otherwise None."""
    runs: int
    model: BoundaryModel

    @property
    def axes(self) -> list[str]:
        return [scale.path for scale in self.scales]


def boundary(
    store: "Store",
    study: str,
    phase: str | Collection[str] = "generalized",
    definition: str | None = None,
    at: dict[str, Any] | None = None,
) -> Boundary:
    """The boundary between the runs in `phase` (one, several, or 'generalized') and all other resolved runs.

    `definition`: of the phases, None for the study's own. `at`: values of axes to hold, so that one or two remain.
    Raises SpecError for unknown names, for axes that are not numbers, and where the runs are all on one side.
    """
    from analysis.charts import read_study, rows  # here, because charts import this module

    facts, at = read_study(store, study, definition), at or {}
    for axis in at:
        if axis not in facts.axes:
            raise SpecError(f"Study {study!r} has no axis {axis!r}. {closest(axis, facts.axes)}")
    axes = [axis for axis in facts.axes if axis not in at]
    if not 1 <= len(axes) <= 2:
        raise SpecError(
            f"Study {study!r}: a boundary needs one or two axes, there are {len(axes)} ({', '.join(axes)}). "
            f"Hold the others fixed with at={{axis: value}}."
        )
    phases = GENERALIZED_PHASES if phase == GENERALIZED else (phase,) if isinstance(phase, str) else tuple(phase)
    found = rows(
        store,
        """select point::text as point, phase, test_step_90::double as step
        from study_runs join phases using (run_id) join outcomes using (run_id)
        where study = $study and definition = $definition and phase <> 'unresolved' order by run_id""",
        study=study,
        definition=facts.definition,
    )
    runs = [Seen(json.loads(row["point"]), True, positive=row["phase"] in phases, step=row["step"]) for row in found]
    runs = [run for run in runs if set(run.point) == set(facts.axes) and holds(run.point, at)]
    if len({run.positive for run in runs}) < 2:
        known = sorted({row["phase"] for row in found})
        raise SpecError(
            f"Study {study!r}: there is no boundary of phase {phase!r}, its {len(runs)} resolved runs are on one side. "
            f"Phases by {facts.definition}: {', '.join(known) or 'none yet'}."
        )
    scales = tuple(_scale(study, axis, [run.point[axis] for run in runs]) for axis in axes)
    places_ND = np.stack([scale.unit([run.point[scale.path] for run in runs]) for scale in scales], -1)
    positive_N, log_steps_N = np.array([run.positive for run in runs]), log_steps(runs)
    model = fit(places_ND, positive_N, log_steps_N=log_steps_N)
    if len(scales) == 1:
        points = critical_values(model, scales[0], places_ND, positive_N, log_steps_N)
        width = float(np.mean([scales[0].unit(p["high"]) - scales[0].unit(p["low"]) for p in points or [_NOWHERE]]))
    else:
        points, width = curve(model, scales), width_of(model, 2)
    interval = (points[0]["low"], points[0]["high"]) if len(scales) == len(points) == 1 else None
    return Boundary(study, facts.definition, phases, scales, points, width, interval, len(runs), model)


def holds(point: dict[str, Any], at: dict[str, Any]) -> bool:
    """True if the point has these values; numbers up to rounding, for 0.3 is not 0.1 + 0.2."""
    pairs = [(point[axis], value) for axis, value in at.items()]
    return all(a == b or (isinstance(a, float) and math.isclose(a, b, rel_tol=1e-9)) for a, b in pairs)


_NOWHERE = {"low": math.nan, "high": math.nan}


def _scale(study: str, axis: str, values: list[Any]) -> Scale:
    if not all(isinstance(value, int | float) for value in values):
        raise SpecError(f"Study {study!r}: axis {axis!r} is not numeric. Hold it fixed with at={{{axis!r}: value}}.")
    if len(set(values)) < 2:
        raise SpecError(f"Study {study!r}: axis {axis!r} has one value alone; no boundary can cross it.")
    return Scale.of(axis, values)


def critical_values(
    model: BoundaryModel, scale: Scale, places_N1: Array, positive_N: np.ndarray, log_steps_N: Array
) -> list[dict[str, float]]:
    """Crossings of one half along one axis, each with the interval in which it lies."""
    line_M = np.linspace(0, 1, LINE)
    mean_M, sd_M = model.mean_and_sd(line_M[:, None])
    sure_M = np.abs(mean_M) > Z * sd_M
    resampled = [_crossings(again, line_M) for again in _bootstrap(model, places_N1, positive_N, log_steps_N)]
    points = []
    for unit in _crossings(model, line_M):
        place = int(unit * (LINE - 1))
        low = max((i for i in range(place + 1) if sure_M[i]), default=0)
        high = min((i for i in range(place + 1, LINE) if sure_M[i]), default=LINE - 1)
        nearest = [min(found, key=lambda other: abs(other - unit)) for found in resampled if found]
        spread = np.quantile(nearest, [0.025, 0.975]) if nearest else (unit, unit)
        low_unit, high_unit = min(line_M[low], spread[0]), max(line_M[high], spread[1])
        points.append({"value": scale.value(unit), "low": scale.value(low_unit), "high": scale.value(high_unit)})
    return points


def _crossings(model: BoundaryModel, line_M: Array) -> list[float]:
    mean_M, _ = model.mean_and_sd(line_M[:, None])
    return [
        float(line_M[i] + (line_M[i + 1] - line_M[i]) * mean_M[i] / (mean_M[i] - mean_M[i + 1]))
        for i in np.flatnonzero(np.diff(mean_M > 0))
    ]


def _bootstrap(
    model: BoundaryModel, places_ND: Array, positive_N: np.ndarray, log_steps_N: Array
) -> list[BoundaryModel]:
    """Models of the runs with the seeds of every place drawn anew; of all runs drawn anew where places have one run."""
    numbers = np.random.default_rng(0)
    _, group_N = np.unique(places_ND, axis=0, return_inverse=True)
    group_N = group_N.reshape(-1)
    if group_N.max() + 1 > len(group_N) / 2:
        group_N = np.zeros(len(positive_N), int)
    members = [np.flatnonzero(group_N == group) for group in range(group_N.max() + 1)]
    models = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([numbers.choice(runs, len(runs)) for runs in members])
        models.append(fit(places_ND[drawn], positive_N[drawn], like=model, log_steps_N=log_steps_N[drawn]))
    return models


def curve(model: BoundaryModel, scales: Sequence[Scale]) -> list[dict[str, float]]:
    """Pieces of the curve by marching squares, in values of the two axes, each with the band's width there."""
    x, y = scales
    ticks = np.linspace(0, 1, CELLS + 1)
    lattice = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(-1, 2)
    mean = model.mean_and_sd(lattice)[0].reshape(CELLS + 1, CELLS + 1)
    pieces = []
    for i in range(CELLS):
        for j in range(CELLS):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            cuts = []
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
                if (mean[a] > 0) != (mean[b] > 0):
                    share = mean[a] / (mean[a] - mean[b])
                    cuts.append([(u + share * (v - u)) / CELLS for u, v in zip(a, b, strict=True)])
            pieces += [(cuts[k], cuts[k + 1]) for k in range(0, len(cuts), 2)]
    if not pieces:
        return []
    starts, ends = (np.array(column) for column in zip(*pieces, strict=True))
    return [
        {"x": x.value(a[0]), "y": y.value(a[1]), "x2": x.value(b[0]), "y2": y.value(b[1]), "width": width}
        for a, b, width in zip(starts, ends, band_widths(model, (starts + ends) / 2), strict=True)
    ]


def band_widths(model: BoundaryModel, places_MD: Array) -> list[float]:
    """Width of the 95% band across the boundary at places on it, at most 1, in ranges of the axes."""
    step = 1e-3
    slopes = [
        model.mean_and_sd(places_MD + step * unit)[0] - model.mean_and_sd(places_MD - step * unit)[0]
        for unit in np.eye(places_MD.shape[1])
    ]
    normal_MD = np.stack(slopes, -1)
    normal_MD /= np.linalg.norm(normal_MD, axis=1, keepdims=True) + 1e-12
    reach_K = np.linspace(-0.5, 0.5, 101)
    across_MKD = places_MD[:, None] + reach_K[:, None] * normal_MD[:, None]
    mean, sd = model.mean_and_sd(np.clip(across_MKD, 0, 1).reshape(-1, places_MD.shape[1]))
    sure_MK = (np.abs(mean) > Z * sd).reshape(len(places_MD), -1)
    widths = []
    for sure_K in sure_MK:
        below = max(np.flatnonzero(sure_K[:51]), default=0)
        above = min(np.flatnonzero(sure_K[51:]) + 51, default=100)
        widths.append(float(reach_K[above] - reach_K[below]))
    return widths
