"""Critical values on one axis: where half of the seeds are on either side, with 95% intervals.

An interval is the band's, and no narrower than that of a bootstrap over seeds.
"""

import numpy as np

from analysis.scale import Scale
from study.search.boundary.model import Array, BoundaryModel, fit
from study.search.boundary.width import Z

# N runs, D axes, M places on the line
LINE, RESAMPLES = 801, 200


def critical_values(
    model: BoundaryModel,
    band: BoundaryModel,
    scale: Scale,
    places_N1: Array,
    positive_N: np.ndarray,
    log_steps_N: Array,
) -> list[dict[str, float]]:
    """`value`, `low` and `high` of every crossing of one half along the axis, in the axis's own values.

    The arrays are the runs that the model was fitted to: their places from 0 to 1, their sides, and their log steps.
    `band` is the model that tells where the boundary may be.
    """
    line_M = np.linspace(0, 1, LINE)
    mean_M, sd_M = band.mean_and_sd(line_M[:, None])
    sure_M = np.abs(mean_M) > Z * sd_M
    resampled = [_crossings(other, line_M) for other in _bootstrap(model, places_N1, positive_N, log_steps_N)]
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
    """Where the model's mean changes its sign, linear between the places of the line."""
    mean_M, _ = model.mean_and_sd(line_M[:, None])
    return [
        float(line_M[i] + (line_M[i + 1] - line_M[i]) * mean_M[i] / (mean_M[i] - mean_M[i + 1]))
        for i in np.flatnonzero(np.diff(mean_M > 0))
    ]


def _bootstrap(
    model: BoundaryModel, places_ND: Array, positive_N: np.ndarray, log_steps_N: Array
) -> list[BoundaryModel]:
    """Models fitted to resampled runs: the seeds of each place are resampled with replacement.

    Where places have fewer than two runs on average, all runs are resampled together.
    """
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
