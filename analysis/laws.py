"""Published laws fitted to what a study measured: the constant, the exponent, their intervals, and the residuals.

Every law here is y = constant * g ** exponent, a line in logarithms. `exponent` is fitted; `constant` and the residuals
of ln y are those with the published exponent, or with the fitted one where no exponent is published. Intervals are 95%
t intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from trainables.components import closest
from trainables.errors import SpecError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """What a paper says about `y` as a function of `g`."""

    source: str
    g: str
    """The quantity on the x axis of a chart, in words."""
    y: str
    """The quantity on the y axis of a chart, in words."""
    exponent: float | None
    """None where only the sign is published."""
    constant: float | None
    """None where none is published."""


LAWS = {
    "critical_size": Law(
        "Huang et al. 2024, arXiv 2402.15175, assumption 3.1",
        "size of the model",
        "critical size of the data",
        None,
        None,
    ),
    "critical_fraction": Law(
        "Tian 2025, arXiv 2509.21519, theorem 4",
        "ln(M) / M",
        "critical training fraction",
        1.0,
        2.7482,  # from the released code
    ),
    "delay": Law(
        "arXiv 2603.13331",
        "1 / (learning rate x weight decay)",
        "delay, in steps",
        1.0,
        None,
    ),
}


@dataclass(frozen=True)
class Fit:
    """A law fitted to points: dictionaries with `g` and `y`.

    Points of a study also have `low` and `high`, the 95% interval of `y`; None where no end was seen.
    """

    law: str
    points: list[dict[str, Any]]
    constant: float
    constant_interval: tuple[float, float]
    exponent: float
    """The fitted one, to compare with the published one."""
    exponent_interval: tuple[float, float]
    residuals: list[float]

    def line(self, g: Sequence[float]) -> tuple[Array, Array, Array]:
        """The line with the fitted exponent at each `g`: y, and the two ends of its 95% interval."""
        at, (known, y) = np.log(g), (np.log([point[name] for point in self.points]) for name in "gy")
        offset = known - known.mean()
        free = y - y.mean() - self.exponent * offset
        centre = y.mean() + self.exponent * (at - known.mean())
        leverage = 1 / len(y) + (at - known.mean()) ** 2 / float(offset @ offset)
        half = _half(free, len(y) - 2) * np.sqrt(leverage)
        return np.exp(centre), np.exp(centre - half), np.exp(centre + half)


def fit_law(law: str, points: list[dict[str, Any]]) -> Fit:
    """One of `LAWS` fitted to points; SpecError for fewer than three different `g` and for an unknown law."""
    if law not in LAWS:
        raise SpecError(f"No law named {law!r}. {closest(law, sorted(LAWS))}")
    if len({point["g"] for point in points}) < 3:
        raise SpecError(f"Law {law!r}: {len(points)} usable points are too few; 3 different ones are needed.")
    g, y = (np.log([point[name] for point in points]) for name in "gy")
    offset = g - g.mean()
    slope = float(offset @ y / (offset @ offset))
    free = y - y.mean() - slope * offset
    half = _half(free, len(y) - 2) / math.sqrt(float(offset @ offset))
    held = LAWS[law].exponent
    level = y - (slope if held is None else held) * g
    residuals = level - level.mean()
    margin = _half(residuals, len(y) - (2 if held is None else 1)) / math.sqrt(len(y))
    centre = float(level.mean())
    return Fit(
        law,
        points,
        math.exp(centre),
        (math.exp(centre - margin), math.exp(centre + margin)),
        slope,
        (slope - half, slope + half),
        residuals.tolist(),
    )


def _half(residuals: np.ndarray, freedom: int) -> float:
    """The 97.5% quantile of t times the standard deviation of the residuals, with this many degrees of freedom."""
    return float(stdtrit(freedom, 0.975)) * math.sqrt(float(residuals @ residuals) / freedom)
