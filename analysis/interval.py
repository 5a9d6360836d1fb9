"""The 95% interval of a statistic over seeds: a bootstrap within each point, stretched for few seeds.

The runs of each point are drawn again with replacement, and the 2.5% and 97.5% quantiles of the statistic are taken. A
few seeds make these too narrow, for two reasons: deviations from a mean of n runs are too small by the root of
(n - 1) / n, and their size is itself known from n - 1 deviations only. So the distances of the quantiles from the
median of the resamples are stretched, by the root of n / (n - 1) and by the quantile of Student's t over that of a
normal. For a mean over one point this is close to Student's interval.

A statistic may rest on all points or on one of many. How much of its variance comes from each point is the squared
covariance of the statistic with how often each run is drawn; the degrees of freedom follow from these shares.

source: Hesterberg 2015 (arXiv 1411.5279), sections 3.3 and 4 on narrowness, the quantiles of t, and skewness; Efron
2014 (Estimation and accuracy after model selection) and Wager, Hastie, Efron 2014 (arXiv 1311.4555) for the covariances
and their bias; Satterthwaite 1946 for the degrees of freedom. What it covers: `python -m tests.bench.coverage`.
"""

# B resamples, C points (cells), N runs

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from analysis.claim import Runs

RESAMPLES = 1000
TAIL = 0.025
KNOWN = 0.9
"""No interval where fewer of the resamples give a number, or fewer of the points have two runs."""


def interval(statistic: Callable[[Runs], float], runs: Runs) -> tuple[float, float, float]:
    """The statistic and the two ends of its 95% interval; the same for any order of the runs.

    Infinity is a value like others: an end is infinite where more than 2.5% of the resamples are. An infinite statistic
    has nothing to stretch about, so its ends are the outermost resamples.
    The ends are NaN where the statistic is, where the resamples often cannot tell (NaN), and where points have one run.
    They are equal where no resample differs: where all runs agree, seeds say nothing of how far others would be.
    """
    if not runs:
        return math.nan, math.nan, math.nan
    cells = list(by_point(runs).values())
    value = float(statistic([run for cell in cells for run in cell]))
    sizes_C = np.array([len(cell) for cell in cells])
    if math.isnan(value) or np.mean(sizes_C > 1) < KNOWN:
        return value, math.nan, math.nan
    draw = np.random.default_rng(0)
    drawn = [draw.integers(size, size=(RESAMPLES, size)) for size in sizes_C]
    values_B = np.array([statistic(_resample(cells, drawn, i)) for i in range(RESAMPLES)], float)
    known_B = ~np.isnan(values_B)
    if np.mean(known_B) < KNOWN:
        return value, math.nan, math.nan
    sorted_B = np.sort(values_B[known_B])
    if math.isinf(value):
        return value, float(sorted_B[0]), float(sorted_B[-1])
    rank = int(TAIL * len(sorted_B))  # values that occur, not means of two: one of the two may be infinite
    low, middle, high = sorted_B[rank], sorted_B[len(sorted_B) // 2], sorted_B[-1 - rank]
    if math.isinf(middle):
        middle = value
    stretch = _stretch(_shares(values_B[known_B], [chosen[known_B] for chosen in drawn]), sizes_C)
    return value, float(value - stretch * max(middle - low, 0)), float(value + stretch * max(high - middle, 0))


def interval_of_ratio(statistic: Callable[[Runs], float], runs: Runs) -> tuple[float, float, float]:
    """As `interval`, of a ratio of positive numbers: on a logarithmic scale, on which half and twice are as far from 1.

    A ratio of 0 is as far out as an infinite one.
    """
    with np.errstate(divide="ignore"):
        found = interval(lambda runs: float(np.log(statistic(runs))), runs)
    return float(np.exp(found[0])), float(np.exp(found[1])), float(np.exp(found[2]))


def fewest_seeds(runs: Runs) -> int:
    """The smallest number of runs of any point; 0 for no runs."""
    return min(Counter(_place(run) for run in runs).values(), default=0)


def by_point(runs: Runs) -> dict[str, Runs]:
    """The runs of each point, both in an order that does not depend on that of `runs`."""
    cells: dict[str, Runs] = {}
    for run in sorted(runs, key=lambda run: json.dumps(run, sort_keys=True, default=str)):
        cells.setdefault(_place(run), []).append(run)
    return dict(sorted(cells.items()))


def _place(run: dict[str, Any]) -> str:
    """The point of a run as text: equal points, equal text."""
    return json.dumps(run["point"], sort_keys=True)


def _resample(cells: list[Runs], drawn: list[NDArray[np.int_]], i: int) -> Runs:
    return [cell[j] for cell, chosen in zip(cells, drawn, strict=True) for j in chosen[i].tolist()]


def _shares(values_B: NDArray[np.float64], drawn: list[NDArray[np.int_]]) -> NDArray[np.float64]:
    """Which part of the statistic's variance comes from the runs of each point, (C,); NaN where it cannot be told.

    Of the ranks of the values, which may be infinite or far out.
    """
    values, places_B, counts = np.unique(values_B, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - counts / 2 if len(values) > 1 else np.zeros(1)
    centred_B = ranks[places_B] - ranks[places_B].mean()
    total = len(centred_B)
    shares = []
    for chosen in drawn:
        size = chosen.shape[1]
        times_drawn_NB = np.stack([(chosen == j).sum(1) for j in range(size)])
        covariances = (times_drawn_NB - 1) @ centred_B / total
        chance = (size - 1) * np.mean(centred_B**2) / total  # what the squares of independent numbers add up to
        shares.append(max(float(covariances @ covariances) - chance, 0.0))
    whole = sum(shares)
    return np.array(shares) / whole if whole else np.full(len(drawn), math.nan)


def _stretch(shares_C: NDArray[np.float64], sizes_C: NDArray[np.int_]) -> float:
    """How much wider than the quantiles of the resamples the interval is."""
    if np.isnan(shares_C).any():
        shares_C = (np.arange(len(sizes_C)) == np.argmin(sizes_C)).astype(float)  # as if one point said it all
    free_C = np.maximum(sizes_C - 1, 1)
    freedom = 1 / np.sum(shares_C**2 / free_C)
    narrowness = np.sqrt(np.sum(shares_C * (1 + 1 / free_C)))
    return float(narrowness * stdtrit(freedom, 1 - TAIL) / ndtri(1 - TAIL))
