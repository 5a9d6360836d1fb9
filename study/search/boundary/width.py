"""How well a boundary is known: the mean width of its 95% band, at which a search may stop.

The band is that of phases alone. First passages place the boundary well with few runs, but by a line that is only an
approximation (passages.py), and they make the model surer than it should be: with them the band of real maps holds two
thirds to nine tenths of the boundary, without them 95% (`python -m tests.bench.boundary_width`).
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from study.search.boundary.model import BoundaryModel, fit
from study.search.space import Seen, Space

CELLS = {1: 1001, 2: 64, 3: 20, 4: 10}
"""Cells per axis by number of axes."""
Z = float(ndtri(0.975))
"""Half the width of a 95% interval, in standard deviations."""


def has_width(space: Space) -> bool:
    """True for one to four axes of numbers that apply to all points; in other spaces a width means nothing."""
    return len(space.axes) in CELLS and all(axis.ordered and axis.when is None for axis in space.axes)


def width(space: Space, seen: Sequence[Seen]) -> float:
    """Mean width of the boundary's 95% band, across the boundary, in ranges of the axes: 0.02 is 2% of a range.

    inf before both outcomes are known; 0 if there is surely no boundary. A region without runs counts as band.
    """
    known = [run for run in seen if run.positive is not None]
    if not known:
        return float("inf")
    places = np.array([space.encode(run.point) for run in known])
    return width_of(fit(places, np.array([run.positive for run in known])), space.num_coordinates)


def width_of(model: BoundaryModel, num_axes: int) -> float:
    """Volume of the band divided by the area of the boundary, both measured on a lattice."""
    cells = CELLS[num_axes]
    ticks = (np.arange(cells) + 0.5) / cells
    lattice = np.stack(np.meshgrid(*[ticks] * num_axes, indexing="ij"), -1)
    mean, sd = (values.reshape([cells] * num_axes) for values in model.mean_and_sd(lattice.reshape(-1, num_axes)))
    volume = float(np.mean(np.abs(mean) < Z * sd))
    slopes = np.gradient(mean) if num_axes > 1 else [np.gradient(mean)]
    steepness = np.sqrt(sum(slope**2 for slope in slopes)) + 1e-12
    area = 0.0
    for axis, slope in enumerate(slopes):
        # A piece of boundary crosses lattice lines of an axis in proportion to how directly it faces that axis (the
        # cosine). Weighting each crossing by that cosine makes the sum over all axes its area.
        crossing = np.diff((mean > 0).astype(int), axis=axis) != 0
        facing = np.take(np.abs(slope) / steepness, range(cells - 1), axis=axis)
        area += float((crossing * facing).sum()) / cells ** (num_axes - 1)
    if area > 0:
        return volume / area
    return float("inf") if volume > 0 else 0.0
