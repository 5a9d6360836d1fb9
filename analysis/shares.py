"""Which axis decides: the share of the variance between runs that each axis, each pair of axes, and seeds explain.

The model gives the rate of generalization p at every place of a lattice over all axes (the levels of a grid; the middles
of equal parts of a search's ranges). Each place counts the same, so the analysis of variance of p is exact there:
means over some axes, and no sampling. A run's outcome varies by Var p + mean of p (1 - p). The first part falls to the
axes, the second to seeds. Intervals are over draws of the model's posterior from phases alone, so they hold what is not
known about p.

Not scipy.stats.sobol_indices: it samples, and has no pairs.
source: Sobol' 1993 and 2001 for the indices (first order S_i, pair S_ij, total T_i); Saltelli et al. 2010; Oakley &
O'Hagan 2004 for indices of a Gaussian process with its uncertainty.
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

# B draws, M places, D axes
PLACES, DRAWS = 4096, 400
JITTER = 1e-6
"""Added to the covariance, in variances of f, so that it has a Cholesky factor despite rounding."""
HIGHER, SEEDS = "three and more axes", "seeds"
TAILS = (0.025, 0.975)


def influence(
    store: "Store",
    study: str,
    phase: str | Collection[str] = "generalized",
    definition: str | Definition | None = None,
    at: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """One row per axis, pair of axes, for all of three and more axes together, and for seeds; arguments as for
    `analysis.boundary`.

    `term` (paths of axes, with ` x ` between), `order` (1, 2, 3 = three and more, 0 = seeds), `share` of the variance
    between runs with `low` and `high`; all shares add up to 1. `index` is the Sobol' index, the share of the variance
    of the rate alone, and `total` that of all terms with this axis; both with `_low` and `_high`, NaN where there is no
    such thing. Intervals are 95%; a share is the mean over draws of the model.
    """
    return shares(field(store, study, phase, definition, at)).copy()


@lru_cache(maxsize=4)  # a report asks several times
def shares(found: Field) -> pd.DataFrame:
    """The rows of `influence`. Not to be changed: it is kept."""
    places_MD, counts = lattice(found, PLACES)
    rates = draws(found, places_MD).reshape(DRAWS, *counts)
    indices, totals = sobol(rates)
    axes = tuple(range(1, rates.ndim))
    of_axes_B, of_seeds_B = rates.var(axes), (rates * (1 - rates)).mean(axes)
    of_axes_B /= of_axes_B + of_seeds_B
    rows = [
        {"term": " x ".join(found.axes[axis] for axis in term), "order": len(term)}
        | _interval("share", index_B * of_axes_B)
        | _interval("index", index_B)
        | (_interval("total", totals[term[0]]) if len(term) == 1 else {})
        for term, index_B in indices.items()
    ]
    if len(counts) > 2:
        rest_B = 1 - np.sum(list(indices.values()), axis=0)
        rows.append({"term": HIGHER, "order": 3} | _interval("share", rest_B * of_axes_B) | _interval("index", rest_B))
    rows.append({"term": SEEDS, "order": 0} | _interval("share", 1 - of_axes_B))
    columns = [f"{name}{end}" for name in ("share", "index", "total") for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["term", "order", *columns])
    return table.rename(columns={"share_low": "low", "share_high": "high"})


def draws(found: Field, places_MD: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates at these places under draws of the model's posterior from phases alone, (B, M)."""
    mean_M, _ = found.band.mean_and_sd(places_MD)
    covariance_MM = found.band.covariance(places_MD)
    covariance_MM.flat[:: len(covariance_MM) + 1] += JITTER * found.band.scale**2
    noise_BM = np.random.default_rng(0).standard_normal((DRAWS, len(places_MD)))
    return ndtr(mean_M + noise_BM @ np.linalg.cholesky(covariance_MM).T)


def sobol(
    values: NDArray[np.float64],
) -> tuple[dict[tuple[int, ...], NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Sobol' indices of functions on a lattice whose places count the same: `values` is (B, places on axis 0, ...).

    By term, a tuple of one or two axes, the index of each function, (B,); and by axis its total index. NaN for a
    function that is the same everywhere.
    """
    axes = range(values.ndim - 1)
    whole_B = values.var(tuple(range(1, values.ndim)))
    whole_B = np.where(whole_B > 1e-12, whole_B, np.nan)

    def explained(term: Collection[int]) -> NDArray[np.float64]:
        """The share of the variance that the axes of `term` explain together."""
        others = tuple(axis + 1 for axis in axes if axis not in term)
        known = values.mean(others, keepdims=True)
        return known.var(tuple(range(1, values.ndim))) / whole_B

    indices = {(axis,): explained([axis]) for axis in axes}
    pairs = list(itertools.combinations(axes, 2))
    indices |= {(a, b): explained([a, b]) - indices[a,] - indices[b,] for a, b in pairs}
    return indices, [1 - explained([other for other in axes if other != axis]) for axis in axes]


def _interval(name: str, values_B: NDArray[np.float64]) -> dict[str, float]:
    """The mean over draws, and the two ends of 95% of them."""
    low, high = np.nanquantile(values_B, TAILS)
    return {name: float(np.nanmean(values_B)), f"{name}_low": float(low), f"{name}_high": float(high)}
