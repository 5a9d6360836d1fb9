"""The points of a study for the laws of analysis/laws.py: critical values by size, delays by rate and decay."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import bdtrik

from analysis.boundaries import boundary
from analysis.held import holds
from analysis.laws import LAWS, Fit, fit_law
from analysis.scale import ABSENT
from analysis.stored import Study, read_cells, read_study, rows
from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store
    from study.store.definitions import Definition

CRITICAL = {
    "critical_size": (("model.width", "model.layers"), ("task.data_size", "task.train_fraction")),
    "critical_fraction": (("task.p",), ("task.train_fraction",)),
}
"""Laws of critical values: the axes that can set `g`, and the axes that can have the critical value."""
RATES = ("optimizer.learning_rate", "optimizer.weight_decay")


def law(
    store: "Store",
    study: str,
    name: str,
    definition: "str | Definition | None" = None,
    at: dict[str, Any] | None = None,
) -> Fit:
    """A law fitted to a study.

    `critical_size` needs a model size and a data size as axes, `critical_fraction` task.p and task.train_fraction, and
    `delay` the learning rate, the weight decay or both.
    `definition`: a phase definition by name, path or text; None for the study's own.
    `at`: the other axes to hold at a value, {axis: value}.
    Raises SpecError where the study does not have the axes of the law, or too few points.
    """
    if name not in LAWS:
        raise SpecError(f"No law named {name!r}. {closest(name, sorted(LAWS))}")
    facts, at = read_study(store, study, definition), at or {}
    store = store.of(study, definition=facts.definition)
    at = facts.held(at)
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


def _criticals(store: "Store", facts: Study, name: str, across: str, at: dict[str, Any]) -> list[dict[str, Any]]:
    """The critical value at each value of the axis `across`; values without exactly one are left out."""
    points = []
    for value in sorted({cell["point"][across] for cell in read_cells(store, facts)} - {ABSENT}):
        try:
            found = boundary(store, facts.name, definition=facts.definition, at={**at, across: value}).points
        except SpecError:
            continue
        if len(found) == 1:
            g = math.log(value) / value if name == "critical_fraction" else float(value)
            points.append({"g": g, "y": found[0]["value"], "low": found[0]["low"], "high": found[0]["high"]})
    return points


def _delays(store: "Store", facts: Study, at: dict[str, Any]) -> list[dict[str, Any]]:
    """The median delay from fitting to generalizing at each point, against 1 / (learning rate * weight decay).

    A run that fits but does not generalize by the horizon counts as the slowest; one that was pruned or diverged before
    it generalized says nothing of its delay. A point whose median is unknown is left out. Intervals are order
    statistics: with fewer than six runs, the range of all runs.
    """
    found = rows(
        store,
        """select
            point::text as point,
            (1 / (learning_rate * weight_decay))::double as g,
            list((test_step_95 - train_step_95)::double) as delays,
        from study_runs join runs using (run_id) join outcomes using (run_id)
        where study = $study and outcomes.status = 'finished' and train_step_95 is not null
            and (test_step_95 is not null or outcomes.stop_reason = 'horizon')
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
