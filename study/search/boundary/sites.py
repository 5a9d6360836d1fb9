"""Expectation propagation: what each run says about f, the function of model.py, approximated by a Gaussian.

source: Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 3.6; here all sites are updated at once.
"""

# N places

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.special import log_ndtr

Array = NDArray[np.float64]

MAX_ROUNDS, TOLERANCE = 40, 1e-2
SIGNS = np.array([[1.0], [-1.0]])


@dataclass
class Sites:
    """Each run's likelihood as a Gaussian in f, its site; runs with the same place and outcome share a site."""

    counts_2N: Array
    """Numbers of positive and of negative runs at each place."""
    precision_2N: Array
    shift_2N: Array
    """Precision times mean."""
    side_2N: Array
    """Precision, and precision times mean, of what is known about f from other sources."""

    @classmethod
    def empty(cls, successes_N: Array, counts_N: Array) -> "Sites":
        zeros = np.zeros((2, len(counts_N)))
        return cls(np.stack([successes_N, counts_N - successes_N]), zeros, zeros, zeros)

    def at(self, keep: NDArray[np.intp]) -> "Sites":
        """The sites of some of the places."""
        return Sites(*(x[:, keep] for x in (self.counts_2N, self.precision_2N, self.shift_2N, self.side_2N)))

    def settle(self, kernel_NN: Array) -> tuple[Array, Array, Array, float]:
        """Update all sites until f converges; returns K^-1 mean, roots of the precision, the Cholesky factor, evidence.

        The factor is that of B = I + root K root, of shape (N, N); the evidence is the log marginal likelihood.
        """
        before_N = np.full(len(kernel_NN), np.inf)
        rounds = 0
        while True:
            rounds += 1
            total_N = (self.counts_2N * self.precision_2N).sum(0) + self.side_2N[0] + 1e-10
            shift_N = (self.counts_2N * self.shift_2N).sum(0) + self.side_2N[1]
            root_N = np.sqrt(total_N)
            b_NN = root_N[:, None] * kernel_NN * root_N
            b_NN.flat[:: len(b_NN) + 1] += 1
            factor_NN = cholesky(b_NN, lower=True, overwrite_a=True, check_finite=False)
            half_NN = solve_triangular(factor_NN, root_N[:, None] * kernel_NN, lower=True, check_finite=False)
            variance_N = np.maximum(np.diag(kernel_NN) - np.einsum("ij,ij->j", half_NN, half_NN), 1e-9)
            mean_N = kernel_NN @ shift_N - half_NN.T @ (half_NN @ shift_N)
            # The cavity: what all other runs say about f at a run's place. Then the moments with the run itself.
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
