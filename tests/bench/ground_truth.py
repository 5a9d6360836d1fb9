"""Maps whose boundary is known: two axes in the unit square, a rate of positive runs at each place, and seed noise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
from scipy.interpolate import RegularGridInterpolator
from scipy.special import expit

from tests.bench.maps import DATA, MAPS

POSITIVE = ("grokking", "comprehension")
CELLS = 60
"""Cells per axis on which an analytic map is compared."""


@dataclass(frozen=True)
class Truth:
    """`rate` of positive runs and `step` of their passage at places (M, 2); `cells` are where maps are compared."""

    name: str
    rate: Callable[[np.ndarray], np.ndarray]
    step: Callable[[np.ndarray], np.ndarray]
    cells: np.ndarray

    @property
    def majority(self) -> np.ndarray:
        return self.rate(self.cells) > 0.5

    def error(self, positive: np.ndarray) -> float:
        """Share of the cells whose majority phase is another."""
        return float(np.mean(positive != self.majority))


def all_truths() -> list[Truth]:
    return [slope(), islands(), noisy(), bands(), *map(recorded, MAPS)]


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
    """A wide transition: seeds disagree on a third of the area."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y = at.T
        return (y - 0.5 + 0.2 * np.sin(5 * x)) / 0.05

    return analytic("noisy", log_odds)


def bands() -> Truth:
    """Parallel bands: the boundary is four times as long as the map, which is hard for whoever follows one."""

    def log_odds(at: np.ndarray) -> np.ndarray:
        x, y = at.T
        return np.cos(11 * x + 1.5 * y + 0.4) / 0.15

    return analytic("bands", log_odds)


def analytic(name: str, log_odds: Callable[[np.ndarray], np.ndarray]) -> Truth:
    """A map from its log odds; passages are early where the odds are high."""
    return Truth(
        name,
        lambda at: expit(log_odds(at)),
        lambda at: 500 * np.exp(-np.clip(log_odds(at), 0, 60) / 15),
        lattice(CELLS),
    )


def recorded(name: str) -> Truth:
    """A dense grid of real runs: the rate over seeds and the median passage, linear between the cells."""
    runs = pq.read_table(DATA / f"{name}.parquet").to_pandas()
    x, y = (axis.path for axis in MAPS[name][:2])
    runs["positive"] = runs["phase"].isin(POSITIVE)
    runs["step"] = runs["test_step_95"].astype(float)
    cells = runs.groupby([x, y]).agg(rate=("positive", "mean"), step=("step", "median")).sort_index()
    size = runs[x].nunique()
    ticks = np.linspace(0, 1, size)
    rate = RegularGridInterpolator((ticks, ticks), cells["rate"].to_numpy().reshape(size, size))
    step = RegularGridInterpolator((ticks, ticks), cells["step"].fillna(500).to_numpy().reshape(size, size))
    return Truth(name, rate, step, lattice(size, edges=True))


def lattice(size: int, edges: bool = False) -> np.ndarray:
    """Centres of size x size cells, or with `edges` the crossings of as many lines, the first and last on the edges."""
    ticks = np.linspace(0, 1, size) if edges else (np.arange(size) + 0.5) / size
    return np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(-1, 2)
