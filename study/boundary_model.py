"""Where outcomes change: P(positive) over the unit cube, a Gaussian process f seen through a logit, from runs with seeds.

The boundary is f = 0, where half of the seeds are positive. Seed noise is the logit itself: the slower f rises, the more
seeds disagree. Matern 5/2 kernel with one length per axis; Laplace approximation and the gradient of its evidence as in
Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, algorithms 3.1, 3.2 and 5.1, here with counts.
"""

# N places, M other places, D axes

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit

Array = NDArray[np.float64]

MAX_PLACES, MAX_FITTED = 800, 240
"""Runs beyond so many places are pooled; lengths and scale are fitted on so many of the places."""
LENGTH, LENGTH_SPREAD, LENGTHS = 0.4, 0.7, (0.05, 4.0)
SCALE, SCALE_SPREAD, SCALES = 5.0, 0.5, (1.0, 20.0)
"""Log-normal priors and bounds of the kernel's lengths (in ranges of an axis) and of the standard deviation of f."""
NEWTON_STEPS, TOLERANCE = 30, 1e-6


@dataclass(frozen=True)
class BoundaryModel:
    """f given the runs: `mean_and_sd`, and `covariance` between places. Made by `fit`."""

    places_ND: Array
    lengths_D: Array
    scale: float
    slope_N: Array
    """Gradient of the log likelihood at the mode of f."""
    root_N: Array
    """Square roots of its curvature."""
    factor_NN: Array

    def mean_and_sd(self, at_MD: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f, in log odds."""
        cross_NM = kernel(self.places_ND, at_MD, self.lengths_D, self.scale)
        half_NM = solve_triangular(self.factor_NN, self.root_N[:, None] * cross_NM, lower=True, check_finite=False)
        variance_M = self.scale**2 - np.einsum("nm,nm->m", half_NM, half_NM)
        return cross_NM.T @ self.slope_N, np.sqrt(np.maximum(variance_M, 1e-9))

    def covariance(self, at_MD: Array) -> Array:
        """Covariance of f between these places."""
        cross_NM = kernel(self.places_ND, at_MD, self.lengths_D, self.scale)
        half_NM = solve_triangular(self.factor_NN, self.root_N[:, None] * cross_NM, lower=True, check_finite=False)
        return kernel(at_MD, at_MD, self.lengths_D, self.scale) - half_NM.T @ half_NM


def fit(places_ND: Array, positive_N: NDArray[np.bool_]) -> BoundaryModel:
    """The model of these runs: one row and one outcome per run, any number of runs at a place, at least one run.

    Beyond `MAX_PLACES` distinct places, runs are pooled in the cells of a lattice.
    """
    places_ND, successes_N, counts_N = pooled(np.asarray(places_ND, float), np.asarray(positive_N, bool))
    num_axes = places_ND.shape[1]
    start = np.log([LENGTH] * num_axes + [SCALE])
    if 0 < successes_N.sum() < counts_N.sum():
        keep = slice(None)
        if len(places_ND) > MAX_FITTED:
            keep = np.random.default_rng(0).choice(len(places_ND), MAX_FITTED, replace=False)
        bounds = [tuple(np.log(LENGTHS))] * num_axes + [tuple(np.log(SCALES))]
        chosen = (places_ND[keep], successes_N[keep], counts_N[keep])
        options = {"maxiter": 15, "ftol": 1e-4}
        found = minimize(_loss, start, chosen, "L-BFGS-B", jac=True, bounds=bounds, options=options)
        start = found.x
    lengths_D, scale = np.exp(start[:-1]), float(np.exp(start[-1]))
    kernel_NN = kernel(places_ND, places_ND, lengths_D, scale)
    f_N, _, root_N, factor_NN, _ = _mode(kernel_NN, successes_N, counts_N)
    return BoundaryModel(places_ND, lengths_D, scale, successes_N - counts_N * expit(f_N), root_N, factor_NN)


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
        per_axis //= 2
    cells = cells.reshape(-1)
    counts = np.bincount(cells).astype(float)
    centres = [np.bincount(cells, column) / counts for column in places_ND.T]
    return np.column_stack(centres), np.bincount(cells, positive_N.astype(float)), counts


def _mode(kernel_NN: Array, successes_N: Array, counts_N: Array) -> tuple[Array, Array, Array, Array, float]:
    """f at its mode, K^-1 f, roots of the curvature, the Cholesky factor of B, and the log evidence."""
    f_N = dual_N = np.zeros(len(counts_N))
    best = -np.inf
    step_f, step_dual = f_N, dual_N
    for _ in range(NEWTON_STEPS):
        for _ in range(8):  # a step that overshoots is halved
            height = successes_N @ step_f - counts_N @ np.logaddexp(0, step_f) - 0.5 * step_dual @ step_f
            if height >= best - 1e-9:
                break
            step_f, step_dual = (f_N + step_f) / 2, (dual_N + step_dual) / 2
        f_N, dual_N, gain, best = step_f, step_dual, height - best, height
        rate_N = expit(f_N)
        curvature_N = counts_N * rate_N * (1 - rate_N) + 1e-10
        root_N = np.sqrt(curvature_N)
        b_NN = root_N[:, None] * kernel_NN * root_N
        b_NN.flat[:: len(b_NN) + 1] += 1
        factor_NN = cholesky(b_NN, lower=True, overwrite_a=True, check_finite=False)
        if gain < TOLERANCE * max(1, len(f_N)) * 0.1:
            break
        target_N = curvature_N * f_N + successes_N - counts_N * rate_N
        half_N = solve_triangular(factor_NN, root_N * (kernel_NN @ target_N), lower=True, check_finite=False)
        inner_N = solve_triangular(factor_NN, half_N, lower=True, trans=1, check_finite=False)
        step_dual = target_N - root_N * inner_N
        step_f = kernel_NN @ step_dual
    return f_N, dual_N, root_N, factor_NN, best - float(np.log(np.diag(factor_NN)).sum())


def _loss(logs: Array, places_ND: Array, successes_N: Array, counts_N: Array) -> tuple[float, Array]:
    """Minus the log posterior of the logs of the lengths and the scale, and its gradient."""
    lengths_D, scale = np.exp(logs[:-1]), np.exp(logs[-1])
    squares_DNN = ((places_ND[:, None] - places_ND[None]) ** 2).transpose(2, 0, 1) / lengths_D[:, None, None] ** 2
    r_NN = np.sqrt(5 * squares_DNN.sum(0))
    decay_NN = scale**2 * np.exp(-r_NN)
    kernel_NN = (1 + r_NN + r_NN**2 / 3) * decay_NN
    f_N, dual_N, root_N, factor_NN, evidence = _mode(kernel_NN, successes_N, counts_N)
    rate_N = expit(f_N)
    inverse_NN = solve_triangular(factor_NN, np.diag(root_N), lower=True, check_finite=False)
    half_NN = inverse_NN @ kernel_NN
    inverse_NN = inverse_NN.T @ inverse_NN
    variance_N = np.diag(kernel_NN) - np.einsum("ij,ij->j", half_NN, half_NN)
    skew_N = 0.5 * variance_N * counts_N * rate_N * (1 - rate_N) * (1 - 2 * rate_N)
    slope_N = successes_N - counts_N * rate_N
    change_DNN = [5 / 3 * (1 + r_NN) * decay_NN * squares_NN for squares_NN in squares_DNN]
    gradient = np.empty(len(logs))
    for i, change_NN in enumerate([*change_DNN, 2 * kernel_NN]):
        direct = 0.5 * dual_N @ change_NN @ dual_N - 0.5 * (inverse_NN * change_NN).sum()
        moved_N = change_NN @ slope_N
        # The mode moves too, and with it the curvature.
        gradient[i] = direct - skew_N @ (moved_N - kernel_NN @ (inverse_NN @ moved_N))
    offsets = (logs - np.log([LENGTH] * len(lengths_D) + [SCALE])) / ([LENGTH_SPREAD] * len(lengths_D) + [SCALE_SPREAD])
    spreads = np.array([LENGTH_SPREAD] * len(lengths_D) + [SCALE_SPREAD])
    return 0.5 * offsets @ offsets - evidence, offsets / spreads - gradient
