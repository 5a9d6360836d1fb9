"""Maps with a known boundary: at each place of the unit cube a rate of positive runs, which includes the seed noise."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.parquet as pq
from scipy.interpolate import RegularGridInterpolator
from scipy.special import expit

from tests.bench.maps import DATA, MAPS

POSITIVE = ("grokking", "comprehension")
CELLS = {1: 1000, 2: 60, 3: 24}
"""Cells per axis at which an analytic map is compared, by number of axes."""


@dataclass(frozen=True)
class Truth:
    """`rate` of positive runs and `step` of their first passage at places (M, D); `cells` (C, D) compare maps."""

    name: str
    rate: Callable[[np.ndarray], np.ndarray]
    step: Callable[[np.ndarray], np.ndarray]
    cells: np.ndarray

    @property
    def num_axes(self) -> int:
        return self.cells.shape[1]

    @property
    def majority(self) -> np.ndarray:
        return self.rate(self.cells) > 0.5

    def error(self, positive: np.ndarray) -> float:
        """Share of cells whose majority phase differs from `positive`, (C,) booleans."""
        return float(np.mean(positive != self.majority))


def all_truths() -> list[Truth]:
    """The maps on which the sampler was developed, with other seeds than the reported ones."""
    return [slope(), islands(), noisy(), bands(), *map(recorded, MAPS)]


def held_out() -> list[Truth]:
    """Maps on which nothing was ever tuned."""
    return [line(), stripe(), ring(), wedge(), blob(), lost(), threshold(), sheet()]


def chosen(names: list[str] | None) -> list[Truth]:
    """The maps with these names (`held_out` stands for all held-out ones); without names the maps of `all_truths`."""
    known = {truth.name: [truth] for truth in [*all_truths(), *held_out()]} | {"held_out": held_out()}
    return [truth for name in names for truth in known[name]] if names else all_truths()


def slope() -> Truth:
    """One curved boundary, sharp at one end and three times as wide at the other."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y = at.T
        return (y - 0.25 - 0.5 * x**2 - 0.06 * np.sin(7 * x)) / (0.01 + 0.02 * x)

    return analytic("slope", log_odds)


def islands() -> Truth:
    """Disconnected: an ellipse, a small disc (3% of the area) and a corner."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y = at.T
        ellipse = 0.2 - np.hypot((x - 0.3) / 1.3, y - 0.32)
        disc = 0.1 - np.hypot(x - 0.25, y - 0.8)
        corner = 0.75 * (x + y - 1.55)
        return np.maximum(np.maximum(ellipse, disc), corner) / 0.012

    return analytic("islands", log_odds)


def noisy() -> Truth:
    """A wide transition: seeds disagree in a third of the area."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y = at.T
        return (y - 0.5 + 0.2 * np.sin(5 * x)) / 0.05

    return analytic("noisy", log_odds)


def bands() -> Truth:
    """Parallel bands: the boundary is four times as long as the map, hard for a sampler that follows a single curve."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y = at.T
        return np.cos(11 * x + 1.5 * y + 0.4) / 0.15

    return analytic("bands", log_odds)


def line() -> Truth:
    """Straight along an axis, sharp at one end and a tenth of the map wide at the other."""
    return analytic("line", lambda at: (at[:, 0] - 0.37) / (0.004 + 0.05 * at[:, 1]))


def stripe() -> Truth:
    """A thin positive stripe across the map: two boundaries 0.12 apart."""
    return analytic("stripe", lambda at: (0.06 - np.abs(at[:, 1] - 0.3 - 0.35 * at[:, 0])) / 0.008)


def ring() -> Truth:
    """A ring: the boundary is two circles, one inside the other."""
    return analytic("ring", lambda at: (0.09 - np.abs(np.hypot(*(at - 0.5).T) - 0.3)) / 0.012)


def wedge() -> Truth:
    """A triangle with a corner inside the map."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y = at.T
        return np.minimum(y - 0.15 - 0.2 * x, 0.95 - x - 0.2 * y) / 0.012

    return analytic("wedge", log_odds)


def blob() -> Truth:
    """One disc with 5% of the area, which most of the first runs miss."""
    return analytic("blob", lambda at: (0.13 - np.hypot(*(at - (0.78, 0.27)).T)) / 0.01)


def lost() -> Truth:
    """Runs generalize early everywhere and lose it again beyond the boundary: first passages say nothing about it."""
    rate = analytic("lost", lambda at: (0.6 + 0.15 * np.sin(5 * at[:, 0]) - at[:, 1]) / 0.015)
    return replace(rate, step=lambda at: 60 * np.exp(1.5 * at[:, 0]))


def threshold() -> Truth:
    """One axis: a critical value."""
    return analytic("threshold", lambda at: (at[:, 0] - 0.637) / 0.01, num_axes=1)


def sheet() -> Truth:
    """Three axes: a curved sheet across the cube."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y, z = at.T
        return (z - 0.3 - 0.3 * x - 0.2 * np.sin(3 * y)) / 0.02

    return analytic("sheet", log_odds, num_axes=3)


def analytic(name: str, log_odds: Callable[[np.ndarray], np.ndarray], num_axes: int = 2) -> Truth:
    """A map from its log odds; first passages are early where the odds are high."""
    return Truth(
        name,
        lambda at: expit(log_odds(at)),
        lambda at: 500 * np.exp(-np.clip(log_odds(at), 0, 60) / 15),
        lattice(CELLS[num_axes], num_axes),
    )


def recorded(name: str) -> Truth:
    """A dense grid of real runs: the rate over seeds and the median first passage, interpolated between the cells."""
    runs = pq.read_table(DATA / f"{name}.parquet").to_pandas()
    x, y = (axis.path for axis in MAPS[name][:2])
    runs["positive"] = runs["phase"].isin(POSITIVE)
    runs["step"] = runs["test_step_95"].astype(float)
    cells = runs.groupby([x, y]).agg(rate=("positive", "mean"), step=("step", "median")).sort_index()
    size = runs[x].nunique()
    ticks = np.linspace(0, 1, size)
    rate = RegularGridInterpolator((ticks, ticks), cells["rate"].to_numpy().reshape(size, size))
    step = RegularGridInterpolator((ticks, ticks), cells["step"].fillna(500).to_numpy().reshape(size, size))
    return Truth(name, rate, step, lattice(size, 2, edges=True))


def lattice(size: int, num_axes: int, edges: bool = False) -> np.ndarray:
    """Centres of `size` cells per axis; with `edges` the crossings of `size` lines per axis, the outer on the edges."""
    ticks = np.linspace(0, 1, size) if edges else (np.arange(size) + 0.5) / size
    return np.stack(np.meshgrid(*[ticks] * num_axes, indexing="ij"), -1).reshape(-1, num_axes)
