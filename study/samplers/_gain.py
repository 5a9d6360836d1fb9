"""By how much a run at a place is expected to reduce the misclassified area, given a model of the boundary.

Runs that are already chosen or still training count as if they had confirmed the model.

source: Chevalier et al. 2014, Fast parallel kriging-based stepwise uncertainty reduction; closed form for the sign of a
normal variable with Owen's T function.
"""

# C candidates, R places that represent the area, W places of runs without an outcome, J all of these, D axes
# T candidates whose gain is computed

import numpy as np
from scipy.spatial import KDTree
from scipy.special import log_ndtr, ndtr, owens_t

from study.search.boundary.model import Array, BoundaryModel

TRIED = 16
"""Candidates whose gain is recomputed for each choice; the others keep an older gain, which is an upper bound."""


class Gain:
    """Greedy choice among candidates; each choice counts as a run for the next one."""

    def __init__(
        self,
        model: BoundaryModel,
        candidates_CD: Array,
        area_RD: Array,
        share_R: Array,
        tree: KDTree,
        waiting_WD: Array,
        weights_W: list[float],
    ):
        """`share_R`: the share of the space that each place of the area represents. `tree`: the places of all runs.

        `weights_W`: how much each run without an outcome counts, as a share of a run with one."""
        self.candidates_CD, self.num = candidates_CD, len(candidates_CD)
        self.share_R = share_R
        self.area = slice(self.num, self.num + len(area_RD))
        places_JD = np.vstack([candidates_CD, area_RD, waiting_WD])
        self.mean_J, sd_J = model.mean_and_sd(places_JD)
        self.covariance_JJ = model.covariance(places_JD)
        # A run counts as a measurement of f with noise of this variance: it lowers the variance of f by as much as an
        # outcome does on average.
        z_J = self.mean_J / np.sqrt(1 + sd_J**2)
        sharpness_J = np.exp(-(z_J**2) - log_ndtr(z_J) - log_ndtr(-z_J)) / (2 * np.pi)
        self.noise_J = (1 + sd_J**2) / np.maximum(sharpness_J, 1e-6) - sd_J**2
        self.distance_C = tree.query(candidates_CD)[0]
        for i, weight in enumerate(weights_W):
            self._count_in(self.area.stop + i, weight)
        self.gain_C = self._gain(np.arange(self.num))

    def choose(self, exploring: bool = False) -> int:
        """Index of the next candidate: that with the largest gain, or with `exploring` that farthest from all runs."""
        if exploring:
            best = int(np.argmax(np.where(np.isfinite(self.gain_C), self.distance_C, -1)))
        else:
            tried = np.argsort(-self.gain_C)[:TRIED]
            tried = tried[np.isfinite(self.gain_C[tried])]
            self.gain_C[tried] = self._gain(tried)
            best = int(tried[np.argmax(self.gain_C[tried])])
        self.gain_C[best] = -np.inf
        self.distance_C = np.minimum(
            self.distance_C, np.linalg.norm(self.candidates_CD - self.candidates_CD[best], axis=1)
        )
        self._count_in(best)
        return best

    def doubt(self) -> Array:
        """Probability for each candidate that the commoner outcome there is not the one of the model, (C,)."""
        variance_C = np.maximum(np.diag(self.covariance_JJ)[: self.num], 1e-9)
        return ndtr(-np.abs(self.mean_J[: self.num]) / np.sqrt(variance_C))

    def _count_in(self, place: int, weight: float = 1.0) -> None:
        """Update the covariance as if a run at this place had confirmed the model; the mean stays."""
        column_J = self.covariance_JJ[:, place]
        total = self.covariance_JJ[place, place] + self.noise_J[place] / weight
        self.covariance_JJ = self.covariance_JJ - np.outer(column_J, column_J / total)

    def _gain(self, tried_T: np.ndarray) -> Array:
        """By how much a run at each of these candidates is expected to lower the misclassified share of space, (T,)."""
        variance_J = np.maximum(np.diag(self.covariance_JJ), 1e-9)
        ratio_R = np.abs(self.mean_J[self.area]) / np.sqrt(variance_J[self.area])
        known_TR = self.covariance_JJ[tried_T, self.area] ** 2 / variance_J[self.area]
        known_TR = np.clip(known_TR / (variance_J[tried_T] + self.noise_J[tried_T])[:, None], 1e-9, 1 - 1e-9)
        return (ndtr(-ratio_R) - 2 * owens_t(ratio_R, np.sqrt(1 / known_TR - 1))) @ self.share_R
