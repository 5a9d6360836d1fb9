"""Where outcomes change: P(positive) over the unit cube, as a Gaussian process f behind a probit, fitted to runs.

The boundary is f = 0, where half of the seeds are positive. The probit itself is the seed noise: the more slowly f
rises, the more seeds disagree. The kernel is Matern 5/2 with one length per axis, fitted by maximizing the evidence.
Inference is by expectation propagation (sites.py), because a Laplace approximation is too unsure far from the boundary
(it expected 6% to be wrong on a map with 2% wrong).

source: Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 5.5.2.
"""

# N places, M other places, D axes

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from scipy.special import ndtr

from study.search.boundary import passages
from study.search.boundary.sites import Sites

Array = NDArray[np.float64]

MAX_PLACES, MAX_FITTED = 600, 200
"""Runs at more than the first number of places are pooled; lengths and scale are fitted on at most the second."""
LENGTH, LENGTH_SPREAD, LENGTHS = 0.4, 0.7, (0.05, 4.0)
SCALE, SCALE_SPREAD, SCALES = 8.0, 0.5, (1.0, 20.0)
"""Log-normal priors and bounds of the kernel's lengths (in ranges of an axis) and of the standard deviation of f."""
STEP_ROUNDS = 2


@dataclass(frozen=True)
class BoundaryModel:
    """The posterior of f given the runs, made by `fit`."""

    places_ND: Array
    lengths_D: Array
    scale: float
    dual_N: Array
    """The inverse kernel matrix times the mean of f."""
    root_N: Array
    """Square root of the precision that the runs at each place add to f."""
    factor_NN: Array

    def mean_and_sd(self, at_MD: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f at these places, both (M,), in units of the seed noise."""
        cross_NM = kernel(self.places_ND, at_MD, self.lengths_D, self.scale)
        half_NM = solve_triangular(self.factor_NN, self.root_N[:, None] * cross_NM, lower=True, check_finite=False)
        variance_M = self.scale**2 - np.einsum("nm,nm->m", half_NM, half_NM)
        return cross_NM.T @ self.dual_N, np.sqrt(np.maximum(variance_M, 1e-9))

    @staticmethod
    def rate(f_M: Array) -> Array:
        """Share of seeds that are positive where f has these values."""
        return ndtr(f_M)

    def covariance(self, at_MD: Array) -> Array:
        """Covariance of f between these places, (M, M)."""
        cross_NM = kernel(self.places_ND, at_MD, self.lengths_D, self.scale)
        half_NM = solve_triangular(self.factor_NN, self.root_N[:, None] * cross_NM, lower=True, check_finite=False)
        return kernel(at_MD, at_MD, self.lengths_D, self.scale) - half_NM.T @ half_NM


def fit(
    places_ND: Array,
    positive_N: NDArray[np.bool_],
    like: BoundaryModel | None = None,
    log_steps_N: Array | None = None,
) -> BoundaryModel:
    """The model of these runs: one row and one outcome per run, at least one run, any number of runs at a place.

    `like`: take lengths and scale from this model instead of fitting them. `log_steps_N`: logarithms of the first
    passages, nan for runs without one, as a side signal (passages.py); ignored with more than `MAX_FITTED` places,
    where phases are enough. With more than `MAX_PLACES` distinct places, runs are pooled in the cells of a lattice.
    """
    cells_N, runs_N = cells_of(np.asarray(places_ND, float)), np.asarray(positive_N, bool)
    places_ND, successes_N, counts_N = pooled(np.asarray(places_ND, float), runs_N, cells_N)
    sites = Sites.empty(successes_N, counts_N)
    model = phases_alone = _fit(places_ND, sites, like, None)
    if log_steps_N is None or len(places_ND) > MAX_FITTED:
        return model
    known_N = np.isfinite(log_steps_N)
    step_counts_N = np.asarray(np.bincount(cells_N, known_N, len(counts_N)), float)
    log_step_N = np.bincount(cells_N, np.where(known_N, log_steps_N, 0), len(counts_N)) / np.maximum(step_counts_N, 1)
    for _ in range(STEP_ROUNDS):
        mean_N, sd_N = model.mean_and_sd(places_ND)
        others_N = np.maximum(sd_N**-2 - sites.side_2N[0], 1e-6)
        mean_N = (mean_N * sd_N**-2 - sites.side_2N[1]) / others_N
        side_2N = passages.sites(mean_N, 1 / others_N, log_step_N, step_counts_N)
        if not side_2N.any():
            return phases_alone
        sites = replace(Sites.empty(successes_N, counts_N), side_2N=side_2N)
        model = _fit(places_ND, sites, like, model)
    return model


def _fit(places_ND: Array, sites: Sites, like: BoundaryModel | None, start: BoundaryModel | None) -> BoundaryModel:
    """The model of these sites, with the lengths and scale of `like`, or else fitted ones, starting from `start`."""
    num_axes = places_ND.shape[1]
    given = like or start
    logs = np.log([*given.lengths_D, given.scale] if given else [LENGTH] * num_axes + [SCALE])
    if like is None and sites.counts_2N.any(1).all():
        keep = np.arange(len(places_ND))
        if len(places_ND) > MAX_FITTED:
            keep = np.random.default_rng(0).choice(len(places_ND), MAX_FITTED, replace=False)
        bounds = [tuple(np.log(LENGTHS))] * num_axes + [tuple(np.log(SCALES))]
        options = {"maxiter": 15, "ftol": 1e-4}
        some = (places_ND[keep], sites.at(keep))
        logs = minimize(_loss, logs, some, "L-BFGS-B", jac=True, bounds=bounds, options=options).x
    lengths_D, scale = np.exp(logs[:-1]), float(np.exp(logs[-1]))
    dual_N, root_N, factor_NN, _ = sites.settle(kernel(places_ND, places_ND, lengths_D, scale))
    return BoundaryModel(places_ND, lengths_D, scale, dual_N, root_N, factor_NN)


def kernel(a_ND: Array, b_MD: Array, lengths_D: Array, scale: float) -> Array:
    """Prior covariance of f between two sets of places, (N, M)."""
    a_ND, b_MD = a_ND / lengths_D, b_MD / lengths_D
    squares_NM = (a_ND**2).sum(1)[:, None] + (b_MD**2).sum(1) - 2 * a_ND @ b_MD.T
    r_NM = np.sqrt(5 * np.maximum(squares_NM, 0))
    return scale**2 * (1 + r_NM + r_NM**2 / 3) * np.exp(-r_NM)


def cells_of(places_ND: Array) -> NDArray[np.intp]:
    """Index of each run's place, (N,); above `MAX_PLACES` places, of its cell in the finest lattice with few enough."""
    keys, cells_N = np.unique(places_ND, axis=0, return_inverse=True)
    per_axis = 256
    while len(keys) > MAX_PLACES and per_axis > 4:
        keys, cells_N = np.unique(np.floor(places_ND * per_axis), axis=0, return_inverse=True)
        per_axis = int(per_axis / 1.25)
    return cells_N.reshape(-1)


def pooled(
    places_ND: Array, positive_N: NDArray[np.bool_], cells_N: NDArray[np.intp] | None = None
) -> tuple[Array, Array, Array]:
    """Distinct places, and the numbers of positive runs and of all runs at each; at most about `MAX_PLACES`."""
    cells_N = cells_of(places_ND) if cells_N is None else cells_N
    counts = np.bincount(cells_N).astype(float)
    centres = [np.bincount(cells_N, column) / counts for column in places_ND.T]
    return np.column_stack(centres), np.asarray(np.bincount(cells_N, positive_N), float), counts


def _loss(logs: Array, places_ND: Array, sites: Sites) -> tuple[float, Array]:
    """Minus the log posterior of the log lengths and log scale, and its gradient. Updates the sites in place."""
    lengths_D, scale = np.exp(logs[:-1]), np.exp(logs[-1])
    squares_DNN = ((places_ND[:, None] - places_ND[None]) ** 2).transpose(2, 0, 1) / lengths_D[:, None, None] ** 2
    r_NN = np.sqrt(5 * squares_DNN.sum(0))
    decay_NN = scale**2 * np.exp(-r_NN)
    kernel_NN = (1 + r_NN + r_NN**2 / 3) * decay_NN
    dual_N, root_N, factor_NN, evidence = sites.settle(kernel_NN)
    inverse_NN = solve_triangular(factor_NN, np.diag(root_N), lower=True, check_finite=False)
    pull_NN = np.outer(dual_N, dual_N) - inverse_NN.T @ inverse_NN
    common_NN = 5 / 3 * (1 + r_NN) * decay_NN * pull_NN
    gradient = [0.5 * (common_NN * squares_NN).sum() for squares_NN in squares_DNN] + [(pull_NN * kernel_NN).sum()]
    spreads = np.array([LENGTH_SPREAD] * len(lengths_D) + [SCALE_SPREAD])
    offsets = (logs - np.log([LENGTH] * len(lengths_D) + [SCALE])) / spreads
    return float(0.5 * offsets @ offsets) - evidence, offsets / spreads - np.array(gradient)
