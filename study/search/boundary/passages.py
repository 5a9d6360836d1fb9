"""First passages as a side signal of a boundary: near many boundaries runs take longer and longer to generalize.

The log steps of positive runs are modelled as linear in f, the function of model.py: log step = a - b f + noise, with
a, b and the scatter fitted. If f, as known from the phases, does not explain the steps, b is 0 and they are ignored;
this happens where runs generalize early and lose it again. Otherwise a step is a measurement of f, and a run far inside
a phase tells how far away the boundary is. The line is only an approximation, and its error does not average out.
Therefore all steps together count as at most `ENOUGH` runs, and in the end the phases decide.
"""

# N places, G places with steps, H settings of slope and scatter

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study.search.space import Seen

Array = NDArray[np.float64]

MIN_PLACES = 4
MIN_GAIN = 2.0
"""Smallest gain in log likelihood at which a slope is used."""
ENOUGH = 20
"""All first passages together count as at most this many runs."""
SLOPES_H, SCATTERS_H = (
    values.reshape(-1, 1)
    for values in np.meshgrid(np.r_[0.0, np.geomspace(0.02, 1.0, 24)], np.geomspace(0.1, 2.0, 16), indexing="ij")
)
"""Slopes tried, in log steps per unit of f, and scatters tried, in log steps; smaller scatters are not credible."""


def log_steps(runs: Sequence[Seen]) -> Array:
    """Logarithm of the first passage of each positive run, nan for all others, (N,). Step 0 counts as 0.5."""
    return np.array([np.log(max(run.step, 0.5)) if run.positive and run.step is not None else np.nan for run in runs])


def sites(mean_N: Array, variance_N: Array, log_step_N: Array, counts_N: Array) -> Array:
    """Precision of f, and precision times f, that the steps give at each place, (2, N); zeros if they say nothing.

    `mean_N`, `variance_N`: f from everything except the steps at that place. `log_step_N`: mean over the `counts_N`
    runs that have a step.
    """
    found_2N = np.zeros((2, len(counts_N)))
    known = counts_N > 0
    if known.sum() < MIN_PLACES:
        return found_2N
    mean_G, variance_G, log_step_G, counts_G = (x[known] for x in (mean_N, variance_N, log_step_N, counts_N))
    variance_HG = SLOPES_H**2 * variance_G + SCATTERS_H**2 / counts_G
    rest_HG = log_step_G + SLOPES_H * mean_G
    offset_H = (rest_HG / variance_HG).sum(1, keepdims=True) / (1 / variance_HG).sum(1, keepdims=True)
    fits_H = -0.5 * ((rest_HG - offset_H) ** 2 / variance_HG + np.log(variance_HG)).sum(1)
    best = int(np.argmax(fits_H))
    if fits_H[best] < fits_H[SLOPES_H[:, 0] == 0].max() + MIN_GAIN:
        return found_2N
    slope, scatter, offset = (float(values[best, 0]) for values in (SLOPES_H, SCATTERS_H, offset_H))
    found_2N[0, known] = counts_G * (slope / scatter) ** 2 * min(1.0, ENOUGH / counts_G.sum())
    found_2N[1, known] = found_2N[0, known] * (offset - log_step_G) / slope
    return found_2N
