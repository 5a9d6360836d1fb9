"""Published laws against what a study measured: the constant, the exponent, their intervals, and the residuals.

Every law here is y = c * g ** exponent, a line in logarithms: the published exponent is held for `constant`, and set
free for `exponent`. Intervals are 95% t intervals; residuals are of ln y with the published exponent, where it has one.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store


@dataclass(frozen=True)
class Law:
    source: str
    exponent: float | None
    """None where only its sign is published."""
    note: str


LAWS = {
    "critical_size": Law("Huang et al. 2024, arXiv 2402.15175, assumption 3.1", None, "D_crit falls with model size"),
    "critical_fraction": Law("Tian 2025, arXiv 2509.21519, theorem 4", 1.0, "2.7482 * ln(M)/M in the released code"),
    "delay": Law("arXiv 2603.13331", 1.0, "delay = constant / (learning rate * weight decay)"),
}
SIZES, DATA = ("model.width", "model.layers"), ("task.data_size", "task.train_fraction")


@dataclass(frozen=True)
class Fit:
    """A law fitted to points (`g`, `y`, and for boundaries `low` and `high`)."""

    law: str
    points: list[dict[str, float]]
    constant: float
    constant_interval: tuple[float, float]
    exponent: float
    """The free one, to compare with the published one."""
    exponent_interval: tuple[float, float]
    residuals: list[float]


def fit_law(law: str, points: list[dict[str, float]]) -> Fit:
    """Fit one of `LAWS` to at least three points; SpecError for fewer and for an unknown law."""
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
    """t times the residuals' standard deviation."""
    return float(stdtrit(freedom, 0.975)) * math.sqrt(float(residuals @ residuals) / freedom)


def law(store: "Store", study: str, name: str, definition: str | None = None) -> Fit:
    """A law against a study: `critical_size` over sizes of the model and of the data, `critical_fraction` over task.p
    and task.train_fraction, `delay` over learning rates, weight decays or both."""
    if name not in LAWS:
        raise SpecError(f"No law named {name!r}. {closest(name, sorted(LAWS))}")
    if name == "delay":
        return fit_law(name, _delays(store, study))
    if name == "critical_fraction":
        return fit_law(name, _criticals(store, study, name, ("task.p",), ("task.train_fraction",), definition))
    return fit_law(name, _criticals(store, study, name, SIZES, DATA, definition))


def _criticals(
    store: "Store", study: str, name: str, across: tuple[str, ...], along: tuple[str, ...], definition: str | None
) -> list[dict[str, float]]:
    """The critical value at each value of the first axis; values at which all runs are on one side are left out."""
    from analysis.boundaries import boundary
    from analysis.charts import read_cells, read_study

    facts = read_study(store, study, definition)
    sizes, data = ([axis for axis in facts.axes if axis in known] for known in (across, along))
    if len(facts.axes) != 2 or not sizes or not data:
        raise SpecError(
            f"Study {study!r}: law {name!r} needs the axes {' or '.join(across)} and {' or '.join(along)}, "
            f"it has {', '.join(facts.axes)}."
        )
    points = []
    for value in sorted({cell["point"][sizes[0]] for cell in read_cells(store, facts)}):
        try:
            found = boundary(store, study, definition=definition, at={sizes[0]: value}).points
        except SpecError:
            continue
        if len(found) == 1:
            g = math.log(value) / value if name == "critical_fraction" else float(value)
            points.append({"g": g, "y": found[0]["value"], "low": found[0]["low"], "high": found[0]["high"]})
    return points


def _delays(store: "Store", study: str) -> list[dict[str, Any]]:
    """Median delay of the runs that generalized after they memorized, by learning rate times weight decay.

    Points where fewer than half of the runs did are left out: the slow ones are not seen there.
    """
    from analysis.charts import read_study, rows

    read_study(store, study)
    return rows(
        store,
        """select
            (1 / (learning_rate * weight_decay))::double as g,
            median(test_step_95 - train_step_95)::double as y,
        from study_runs join runs using (run_id) join outcomes using (run_id)
        where study = $study and learning_rate * weight_decay > 0
        group by learning_rate * weight_decay, study_runs.point
        having count(*) filter (where test_step_95 > train_step_95) >= count(*) / 2 and y > 0
        order by g""",
        study=study,
    )
