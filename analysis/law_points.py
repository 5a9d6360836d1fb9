"""What a study has for the published laws of analysis/laws.py: critical values by size, delays by rate and decay."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import bdtrik

from analysis.laws import LAWS, Fit, fit_law
from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from analysis.charts import Study
    from study.store import Store

CRITICAL = {
    "critical_size": (("model.width", "model.layers"), ("task.data_size", "task.train_fraction")),
    "critical_fraction": (("task.p",), ("task.train_fraction",)),
}
"""Laws of critical values: the axes of which one sets `g`, and those of which one has the critical value."""
RATES = ("optimizer.learning_rate", "optimizer.weight_decay")


def law(store: "Store", study: str, name: str, definition: str | None = None, at: dict[str, Any] | None = None) -> Fit:
    """A law against a study: `critical_size` over sizes of the model and of the data, `critical_fraction` over task.p
    and task.train_fraction, `delay` over learning rates, weight decays or both.

    `definition`: of the phases, None for the study's own. `at`: values of other axes to hold. SpecError where the
    study's axes are not those of the law, or its points are too few.
    """
    from analysis.charts import read_study

    if name not in LAWS:
        raise SpecError(f"No law named {name!r}. {closest(name, sorted(LAWS))}")
    facts, at = read_study(store, study, definition), at or {}
    for axis in at:
        if axis not in facts.axes:
            raise SpecError(f"Study {study!r} has no axis {axis!r}. {closest(axis, facts.axes)}")
    axes = [axis for axis in facts.axes if axis not in at]
    if name == "delay":
        if not set(axes) <= set(RATES):
            raise SpecError(_other_axes(study, name, f"{RATES[0]}, {RATES[1]} or both", axes))
        return fit_law(name, _delays(store, facts, at))
    across, along = CRITICAL[name]
    sizes, data = ([axis for axis in axes if axis in known] for known in (across, along))
    if len(axes) != 2 or not sizes or not data:
        raise SpecError(_other_axes(study, name, f"{' or '.join(across)} and {' or '.join(along)}", axes))
    return fit_law(name, _criticals(store, facts, name, sizes[0], at))


def _other_axes(study: str, name: str, needed: str, axes: list[str]) -> str:
    return (
        f"Study {study!r}: law {name!r} needs the axes {needed}, it has {', '.join(axes) or 'none'}. "
        f"Hold others fixed with at={{axis: value}}."
    )


def _criticals(store: "Store", facts: "Study", name: str, across: str, at: dict[str, Any]) -> list[dict[str, Any]]:
    """The critical value at each value of the axis `across`; values at which all runs are on one side are left out."""
    from analysis.boundaries import boundary
    from analysis.charts import read_cells

    points = []
    for value in sorted({cell["point"][across] for cell in read_cells(store, facts)}):
        try:
            found = boundary(store, facts.name, definition=facts.definition, at={**at, across: value}).points
        except SpecError:
            continue
        if len(found) == 1:
            g = math.log(value) / value if name == "critical_fraction" else float(value)
            points.append({"g": g, "y": found[0]["value"], "low": found[0]["low"], "high": found[0]["high"]})
    return points


def _delays(store: "Store", facts: "Study", at: dict[str, Any]) -> list[dict[str, Any]]:
    """Median steps from memorizing to generalizing at each point, by learning rate times weight decay.

    A run that fits and had not generalized at the horizon takes longer than all others; a point whose median run is one
    is left out, for its delay is not known. Intervals are order statistics: all runs, where they are fewer than six.
    """
    from analysis.boundaries import holds
    from analysis.charts import rows

    found = rows(
        store,
        """select
            point::text as point,
            (1 / (learning_rate * weight_decay))::double as g,
            list((test_step_95 - train_step_95)::double) as delays,
        from study_runs join runs using (run_id) join outcomes using (run_id)
        where study = $study and outcomes.status = 'finished' and train_step_95 is not null
            and learning_rate * weight_decay > 0
        group by all order by g, point""",
        study=facts.name,
    )
    points = []
    for row in found:
        place = json.loads(row["point"])
        delays = sorted(math.inf if delay is None else delay for delay in row["delays"])
        middle = delays[(len(delays) - 1) // 2 : len(delays) // 2 + 1]
        if set(place) != set(facts.axes) or not holds(place, at) or not 0 < sum(middle) < math.inf:
            continue
        rank = max(1, math.ceil(np.nan_to_num(bdtrik(0.025, len(delays), 0.5))))
        low, high = delays[rank - 1], delays[-rank]
        ends = {"low": low if low > 0 else None, "high": high if high < math.inf else None}
        points.append({"g": row["g"], "y": sum(middle) / len(middle), **ends, "runs": len(delays)})
    return points
