"""The boundary on two axes: a curve by marching squares, and the width of its 95% band along it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from analysis.scale import Scale
from study.search.boundary.model import Array
from study.search.boundary.width import Z

# M places on the curve, K places across it, D axes
CELLS = 64


class Surface(Protocol):
    """What a boundary is read off: a BoundaryModel, or a slice through one."""

    def mean_and_sd(self, at_MD: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f at these places, both (M,)."""
        ...


def curve(model: Surface, band: Surface, scales: Sequence[Scale]) -> list[dict[str, float]]:
    """Straight pieces of the curve, from `x`, `y` to `x2`, `y2` in values of the two axes, each with `width`.

    The curve is where the mean of `model` is zero. `width` is that of the band at the middle of the piece, as
    `band_widths` gives it.
    """
    x, y = scales
    ticks = np.linspace(0, 1, CELLS + 1)
    lattice = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(-1, 2)
    mean = model.mean_and_sd(lattice)[0].reshape(CELLS + 1, CELLS + 1)
    pieces = []
    for i in range(CELLS):
        for j in range(CELLS):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            cuts = []
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
                if (mean[a] > 0) != (mean[b] > 0):
                    share = mean[a] / (mean[a] - mean[b])
                    cuts.append([(u + share * (v - u)) / CELLS for u, v in zip(a, b, strict=True)])
            pieces += [(cuts[k], cuts[k + 1]) for k in range(0, len(cuts), 2)]
    if not pieces:
        return []
    starts, ends = (np.array(column) for column in zip(*pieces, strict=True))
    return [
        {"x": x.value(a[0]), "y": y.value(a[1]), "x2": x.value(b[0]), "y2": y.value(b[1]), "width": width}
        for a, b, width in zip(starts, ends, band_widths(model, band, (starts + ends) / 2), strict=True)
    ]


def band_widths(model: Surface, band: Surface, places_MD: Array) -> list[float]:
    """Width of the 95% band across the boundary of `model` at places on it, in ranges of the axes; at most 1."""
    step = 1e-3
    slopes = [
        model.mean_and_sd(places_MD + step * unit)[0] - model.mean_and_sd(places_MD - step * unit)[0]
        for unit in np.eye(places_MD.shape[1])
    ]
    normal_MD = np.stack(slopes, -1)
    normal_MD /= np.linalg.norm(normal_MD, axis=1, keepdims=True) + 1e-12
    reach_K = np.linspace(-0.5, 0.5, 101)
    across_MKD = places_MD[:, None] + reach_K[:, None] * normal_MD[:, None]
    mean, sd = band.mean_and_sd(np.clip(across_MKD, 0, 1).reshape(-1, places_MD.shape[1]))
    sure_MK = (np.abs(mean) > Z * sd).reshape(len(places_MD), -1)
    widths = []
    for sure_K in sure_MK:
        below = max(np.flatnonzero(sure_K[:51]), default=0)
        above = min(np.flatnonzero(sure_K[51:]) + 51, default=100)
        widths.append(float(reach_K[above] - reach_K[below]))
    return widths
