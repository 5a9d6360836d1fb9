"""How well a boundary is known: the mean width of the band in which it may lie, for searches that stop at a width."""

from collections.abc import Sequence

import numpy as np

from study.boundary_model import BoundaryModel, fit
from study.boundary_steps import log_steps
from study.space import Seen, Space

CELLS = {1: 1001, 2: 64, 3: 20}
"""Cells per axis by number of axes; beyond three, eight."""
Z = 1.959963984540054


def has_width(space: Space) -> bool:
    """True for one to three axes of numbers that apply to all points: elsewhere a width says nothing."""
    return len(space.axes) <= 3 and all(axis.ordered and axis.when is None for axis in space.axes)


def width(space: Space, seen: Sequence[Seen]) -> float:
    """Mean width across the boundary of its 95% band, in ranges of the axes: 0.02 is 2% of a range.

    inf before both outcomes are known; 0 where there is surely no boundary. A region that nobody has looked at counts
    as band.
    """
    known = [run for run in seen if run.positive is not None]
    if not known:
        return float("inf")
    places = np.array([space.encode(run.point) for run in known])
    model = fit(places, np.array([run.positive for run in known]), log_steps_N=log_steps(known))
    return width_of(model, space.num_coordinates)


def width_of(model: BoundaryModel, num_axes: int) -> float:
    """Volume of the band over the area of the boundary, on a lattice."""
    cells = CELLS.get(num_axes, 8)
    ticks = (np.arange(cells) + 0.5) / cells
    lattice = np.stack(np.meshgrid(*[ticks] * num_axes, indexing="ij"), -1)
    mean, sd = (values.reshape([cells] * num_axes) for values in model.mean_and_sd(lattice.reshape(-1, num_axes)))
    volume = float(np.mean(np.abs(mean) < Z * sd))
    slopes = np.gradient(mean) if num_axes > 1 else [np.gradient(mean)]
    steepness = np.sqrt(sum(slope**2 for slope in slopes)) + 1e-12
    area = 0.0
    for axis, slope in enumerate(slopes):
        # A piece of boundary crosses lattice lines along each axis as often as it faces that axis; weighting each
        # crossing by how much it faces makes the sum over axes its area.
        crossing = np.diff((mean > 0).astype(int), axis=axis) != 0
        facing = np.take(np.abs(slope) / steepness, range(cells - 1), axis=axis)
        area += float((crossing * facing).sum()) / cells ** (num_axes - 1)
    if area > 0:
        return volume / area
    return float("inf") if volume > 0 else 0.0
