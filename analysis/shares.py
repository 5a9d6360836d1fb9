"""Which axis decides: the share of the variance between runs that each axis, each pair of axes, and seeds explain.

The model gives the rate of generalization p at every place of a lattice over all axes (the levels of a grid; the
middles of equal parts of a search's ranges). Each place counts the same, so the analysis of variance of p is exact
there: means over some axes, and no sampling. A run's outcome varies by Var p + mean of p (1 - p). The first part falls
to the axes, the second to seeds.

A share is that of the expected rate. Its interval holds what is not known about p, by draws of the model's posterior
from phases alone. Each draw has bends of its own, which look as if many axes acted together; so the quantiles of the
draws are taken both as they are and laid about the share of the expected rate, and the interval holds both. On 90
invented studies (a grid of 540 runs, searches of 240 and 120; sharp, middling and soft boundaries) it held 92 to 100%
of the true shares, the quantiles as they are 58 to 100%, laid about the share 83 to 99%.
What these intervals do not hold is the share of seeds in a search with one seed per point and a sharp boundary: there
nothing tells seeds from a boundary between two points, and the share is too large.

Not scipy.stats.sobol_indices: it samples, and has no pairs.
source: Sobol' 1993, Sensitivity estimates for nonlinear mathematical models, and Homma & Saltelli 1996 for the indices;
Oakley & O'Hagan 2004 for those of a Gaussian process.
"""

import itertools
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from analysis.all_axes import Field, field, lattice
from study.store.definitions import Definition

if TYPE_CHECKING:
    from study.store.database import Store

Array = NDArray[np.float64]
# B functions, M places, D axes
PLACES, DRAWS = 2048, 400
JITTER = 1e-6
"""Added to the covariance, in variances of f, so that it has a Cholesky factor despite rounding."""
PAIR, HIGHER, SEEDS = " x ", "three and more axes", "seeds"
TAILS = (0.025, 0.975)


def influence(
    store: "Store",
    study: str,
    phase: str | Collection[str] = "generalized",
    definition: str | Definition | None = None,
    at: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """One row per axis, per pair of axes, for three and more axes together, and for seeds; arguments as for
    `analysis.boundary`.

    `term` (the axis, or two with ` x ` between them); `order` (1 axis, 2 = a pair, 3 = three and more, 0 = seeds);
    `share` of the variance between runs, from `low` to `high`: all shares add up to 1. `index` is the Sobol' index, the
    share of the variance of the rate alone, and `total` the sum of the indices of all terms with this axis, both with
    `_low` and `_high`, and NaN where there is no such thing. Intervals are 95%.
    """
    return shares(field(store, study, phase, definition, at)).copy()


@lru_cache(maxsize=4)  # a report asks several times
def shares(found: Field) -> pd.DataFrame:
    """The rows of `influence`. Not to be changed: it is kept."""
    expected_and_draws, shape = rates(found)
    parts, totals = sobol(expected_and_draws.reshape(-1, *shape))
    of_axes_B, of_seeds_B = expected_and_draws.var(1), (expected_and_draws * (1 - expected_and_draws)).mean(1)
    of_axes_B = of_axes_B / (of_axes_B + of_seeds_B)
    named = {(PAIR.join(found.axes[axis] for axis in term), len(term)): index_B for term, index_B in parts.items()}
    if len(shape) > 2:
        named[HIGHER, 3] = 1 - np.sum(list(parts.values()), axis=0)
    rows = [
        {"term": term, "order": order} | _interval("share", index_B * of_axes_B) | _interval("index", index_B)
        for (term, order), index_B in named.items()
    ]
    for row, total_B in zip(rows, totals, strict=False):
        row |= _interval("total", total_B)
    rows.append({"term": SEEDS, "order": 0} | _interval("share", 1 - of_axes_B))
    columns = [f"{name}{end}" for name in ("share", "index", "total") for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["term", "order", *columns])
    return table.rename(columns={"share_low": "low", "share_high": "high"})


def rates(found: Field) -> tuple[Array, tuple[int, ...]]:
    """The expected rate at places that stand for all axes alike, then the rates of draws of the model: (1 + draws, M);
    and how many places there are on each axis."""
    places_MD, shape = lattice(found, PLACES)
    mean_M, sd_M = found.band.mean_and_sd(places_MD)
    covariance_MM = found.band.covariance(places_MD)
    covariance_MM.flat[:: len(covariance_MM) + 1] += JITTER * found.band.scale**2
    noise_BM = np.random.default_rng(0).standard_normal((DRAWS, len(places_MD)))
    draws_BM = ndtr(mean_M + noise_BM @ np.linalg.cholesky(covariance_MM).T)
    return np.vstack([ndtr(mean_M / np.sqrt(1 + sd_M**2)), draws_BM]), shape


def sobol(values: Array) -> tuple[dict[tuple[int, ...], Array], list[Array]]:
    """Sobol' indices of functions on a lattice whose places count the same: `values` is (B, places on axis 0, ...).

    By term, a tuple of one or two axes, the index of each function, (B,); and by axis its total index. NaN for a
    function that is the same everywhere.
    """
    axes = range(values.ndim - 1)
    whole_B = values.var(tuple(range(1, values.ndim)))
    whole_B = np.where(whole_B > 1e-12, whole_B, np.nan)

    def explained(term: Collection[int]) -> Array:
        """The share of the variance that the axes of `term` explain together."""
        others = tuple(axis + 1 for axis in axes if axis not in term)
        return values.mean(others, keepdims=True).var(tuple(range(1, values.ndim))) / whole_B

    parts = {(axis,): explained([axis]) for axis in axes}
    pairs = list(itertools.combinations(axes, 2))
    parts |= {(a, b): explained([a, b]) - parts[a,] - parts[b,] for a, b in pairs}
    return parts, [1 - explained([other for other in axes if other != axis]) for axis in axes]


def _interval(name: str, values_B: Array) -> dict[str, float]:
    """The value of the first function, and an interval that holds the 95% quantiles of the others, and these as far
    from the value as they are from the others' mean."""
    value, draws = max(0.0, values_B[0]), values_B[1:]  # of nothing, rounding leaves -1e-17
    low, high = np.nanquantile(draws, TAILS)
    shift = min(1 - high, max(-low, value - np.nanmean(draws)))
    return {
        name: float(value),
        f"{name}_low": float(min(low, low + shift)),
        f"{name}_high": float(max(high, high + shift)),
    }
