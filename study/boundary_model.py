"""Where outcomes change: P(positive) over the unit cube, from runs with seeds; a Gaussian process f behind a probit.

The boundary is f = 0, where half of the seeds are positive. Seed noise is the probit itself: the slower f rises, the
more seeds disagree. Matern 5/2 kernel with one length per axis, fitted by evidence; expectation propagation, because a
Laplace approximation doubts what lies far from the boundary (it said 6% wrong on a map that was 2% wrong).

source: Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 3.6 and 5.5.2; here all sites move at once.
"""

# N places, M other places, D axes

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr

Array = NDArray[np.float64]

MAX_PLACES, MAX_FITTED = 600, 200
"""Runs beyond so many places are pooled; lengths and scale are fitted on so many of the places."""
LENGTH, LENGTH_SPREAD, LENGTHS = 0.4, 0.7, (0.05, 4.0)
SCALE, SCALE_SPREAD, SCALES = 5.0, 0.5, (1.0, 20.0)
"""Log-normal priors and bounds of the kernel's lengths (in ranges of an axis) and of the standard deviation of f."""
MAX_ROUNDS, TOLERANCE = 40, 1e-2
SIGNS = np.array([[1.0], [-1.0]])


@dataclass(frozen=True)
class BoundaryModel:
    """f given the runs: `mean_and_sd`, and `covariance` between places. Made by `fit`."""

    places_ND: Array
    lengths_D: Array
    scale: float
    dual_N: Array
    """The kernel's inverse times the mean of f."""
    root_N: Array
    """Square roots of the precision that the runs give to f at each place."""
    factor_NN: Array

    def mean_and_sd(self, at_MD: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f, in units of seed noise."""
        cross_NM = kernel(self.places_ND, at_MD, self.lengths_D, self.scale)
        half_NM = solve_triangular(self.factor_NN, self.root_N[:, None] * cross_NM, lower=True, check_finite=False)
        variance_M = self.scale**2 - np.einsum("nm,nm->m", half_NM, half_NM)
        return cross_NM.T @ self.dual_N, np.sqrt(np.maximum(variance_M, 1e-9))

    @staticmethod
    def rate(f_M: Array) -> Array:
        """Share of the seeds that are positive where f has this value."""
        return ndtr(f_M)

    def covariance(self, at_MD: Array) -> Array:
        """Covariance of f between these places."""
        cross_NM = kernel(self.places_ND, at_MD, self.lengths_D, self.scale)
        half_NM = solve_triangular(self.factor_NN, self.root_N[:, None] * cross_NM, lower=True, check_finite=False)
        return kernel(at_MD, at_MD, self.lengths_D, self.scale) - half_NM.T @ half_NM


def fit(places_ND: Array, positive_N: NDArray[np.bool_], like: BoundaryModel | None = None) -> BoundaryModel:
    """The model of these runs: one row and one outcome per run, any number of runs at a place, at least one run.

    `like`: take lengths and scale from this model instead of fitting them.

    Beyond `MAX_PLACES` distinct places, runs are pooled in the cells of a lattice.
    """
    places_ND, successes_N, counts_N = pooled(np.asarray(places_ND, float), np.asarray(positive_N, bool))
    num_axes = places_ND.shape[1]
    start = np.log([LENGTH] * num_axes + [SCALE])
    if like is not None:
        start = np.log([*like.lengths_D, like.scale])
    elif 0 < successes_N.sum() < counts_N.sum():
        keep = slice(None)
        if len(places_ND) > MAX_FITTED:
            keep = np.random.default_rng(0).choice(len(places_ND), MAX_FITTED, replace=False)
        bounds = [tuple(np.log(LENGTHS))] * num_axes + [tuple(np.log(SCALES))]
        sites = _Sites.empty(successes_N[keep], counts_N[keep])
        options = {"maxiter": 15, "ftol": 1e-4}
        found = minimize(_loss, start, (places_ND[keep], sites), "L-BFGS-B", jac=True, bounds=bounds, options=options)
        start = found.x
    lengths_D, scale = np.exp(start[:-1]), float(np.exp(start[-1]))
    kernel_NN = kernel(places_ND, places_ND, lengths_D, scale)
    dual_N, root_N, factor_NN, _ = _Sites.empty(successes_N, counts_N).settle(kernel_NN)
    return BoundaryModel(places_ND, lengths_D, scale, dual_N, root_N, factor_NN)


def kernel(a_ND: Array, b_MD: Array, lengths_D: Array, scale: float) -> Array:
    """Covariance of f before any run."""
    a_ND, b_MD = a_ND / lengths_D, b_MD / lengths_D
    squares_NM = (a_ND**2).sum(1)[:, None] + (b_MD**2).sum(1) - 2 * a_ND @ b_MD.T
    r_NM = np.sqrt(5 * np.maximum(squares_NM, 0))
    return scale**2 * (1 + r_NM + r_NM**2 / 3) * np.exp(-r_NM)


def pooled(places_ND: Array, positive_N: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Distinct places with the number of positive runs and of all runs at each; at most about `MAX_PLACES`."""
    keys, cells = np.unique(places_ND, axis=0, return_inverse=True)
    per_axis = 256
    while len(keys) > MAX_PLACES and per_axis > 4:
        keys, cells = np.unique(np.floor(places_ND * per_axis), axis=0, return_inverse=True)
        per_axis = int(per_axis / 1.25)
    cells = cells.reshape(-1)
    counts = np.bincount(cells).astype(float)
    centres = [np.bincount(cells, column) / counts for column in places_ND.T]
    return np.column_stack(centres), np.asarray(np.bincount(cells, positive_N), float), counts


@dataclass
class _Sites:
    """Expectation propagation: each run's likelihood as a Gaussian in f; runs of one place and outcome share theirs."""

    counts_2N: Array
    """Runs at each place: positive ones, negative ones."""
    precision_2N: Array
    shift_2N: Array
    """Precision times mean."""

    @classmethod
    def empty(cls, successes_N: Array, counts_N: Array) -> "_Sites":
        zeros = np.zeros((2, len(counts_N)))
        return cls(np.stack([successes_N, counts_N - successes_N]), zeros, zeros)

    def settle(self, kernel_NN: Array) -> tuple[Array, Array, Array, float]:
        """Update all sites at once until f stands still: K^-1 mean, roots of the precision, factor of B, evidence."""
        before_N = np.full(len(kernel_NN), np.inf)
        rounds = 0
        while True:
            rounds += 1
            total_N = (self.counts_2N * self.precision_2N).sum(0) + 1e-10
            shift_N = (self.counts_2N * self.shift_2N).sum(0)
            root_N = np.sqrt(total_N)
            b_NN = root_N[:, None] * kernel_NN * root_N
            b_NN.flat[:: len(b_NN) + 1] += 1
            factor_NN = cholesky(b_NN, lower=True, overwrite_a=True, check_finite=False)
            half_NN = solve_triangular(factor_NN, root_N[:, None] * kernel_NN, lower=True, check_finite=False)
            variance_N = np.maximum(np.diag(kernel_NN) - np.einsum("ij,ij->j", half_NN, half_NN), 1e-9)
            mean_N = kernel_NN @ shift_N - half_NN.T @ (half_NN @ shift_N)
            # What the other runs say of f at the place of a run, and what the run itself makes of that.
            rest_2N = np.maximum(1 / variance_N - self.precision_2N, 1e-9)
            rest_mean_2N = (mean_N / variance_N - self.shift_2N) / rest_2N
            width_2N = np.sqrt(1 + 1 / rest_2N)
            z_2N = SIGNS * rest_mean_2N / width_2N
            log_rate_2N = log_ndtr(z_2N)
            if rounds == MAX_ROUNDS or np.abs(mean_N - before_N).max() < TOLERANCE:
                break
            before_N = mean_N
            ratio_2N = np.exp(-0.5 * z_2N**2 - log_rate_2N) / np.sqrt(2 * np.pi)
            after_mean_2N = rest_mean_2N + SIGNS * ratio_2N / rest_2N / width_2N
            after_2N = (1 - ratio_2N * (z_2N + ratio_2N) / rest_2N / width_2N**2) / rest_2N
            self.precision_2N = 0.2 * self.precision_2N + 0.8 * np.maximum(1 / after_2N - rest_2N, 0)
            self.shift_2N = 0.2 * self.shift_2N + 0.8 * (after_mean_2N / after_2N - rest_2N * rest_mean_2N)
        scales_2N = log_rate_2N - 0.5 * (
            np.log(rest_2N * variance_N) + mean_N**2 / variance_N - rest_2N * rest_mean_2N**2
        )
        evidence = (self.counts_2N * scales_2N).sum() - np.log(np.diag(factor_NN)).sum() + 0.5 * shift_N @ mean_N
        inner_N = solve_triangular(factor_NN, half_NN @ shift_N, lower=True, trans=1, check_finite=False)
        return shift_N - root_N * inner_N, root_N, factor_NN, float(evidence)


def _loss(logs: Array, places_ND: Array, sites: _Sites) -> tuple[float, Array]:
    """Minus the log posterior of the logs of the lengths and the scale, and its gradient. The sites are kept up."""
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
