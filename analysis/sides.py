"""The runs of a study on either side of a boundary, as places on its axes: what boundaries are fitted to."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.held import check_held, holds
from analysis.scale import Scale
from analysis.stored import Study, resolved_runs
from study.search.boundary.model import Array
from study.search.boundary.passages import log_steps
from study.search.space import Seen
from study.store.definitions import GENERALIZED
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store


class Sides(NamedTuple):
    """Resolved runs of a study, N of them, on D axes."""

    phases: tuple[str, ...]
    """The phases of the positive side."""
    scales: tuple[Scale, ...]
    places_ND: Array
    positive_N: np.ndarray
    log_steps_N: Array
    """Logarithms of the first passages of positive runs, nan for all others."""


def sides(
    store: "Store", facts: Study, phase: str | Collection[str], at: Mapping[str, Any], all_axes: bool = True
) -> Sides:
    """The runs in `phase` and all other resolved runs, at the values `at`, on the axes that are free.

    `store` is the study's own, `store.of(study)`. With `all_axes` an axis of a single value is a mistake; otherwise it
    is left out. SpecError for words, and where all runs are on one side.
    """
    study, at = facts.name, facts.held(at)
    axes = [axis for axis in facts.axes if axis not in at]
    if phase == GENERALIZED:
        phases = facts.definition.generalized
    else:
        phases = (phase,) if isinstance(phase, str) else tuple(phase)
    found = resolved_runs(store, study, facts.definition)
    runs = [Seen(row["point"], True, positive=row["phase"] in phases, step=row["step"]) for row in found]
    runs = [run for run in runs if set(run.point) == set(facts.axes)]
    check_held(study, (run.point for run in runs), at)
    runs = [run for run in runs if holds(run.point, at)]
    if len({run.positive for run in runs}) < 2:
        known = sorted({row["phase"] for row in found})
        raise SpecError(
            f"Study {study!r}: there is no boundary of phase {phase!r}, its {len(runs)} resolved runs are on one side. "
            f"Phases by {facts.definition.name}: {', '.join(known) or 'none yet'}."
        )
    values = {axis: [run.point[axis] for run in runs] for axis in axes}
    if not all_axes:
        values = {axis: of for axis, of in values.items() if len(set(of)) > 1}
    if not values:
        raise SpecError(f"Study {study!r}: no axis has more than one value; hold fewer of them with at.")
    scales = tuple(_scale(study, axis, of) for axis, of in values.items())
    places_ND = np.stack([scale.unit(values[scale.path]) for scale in scales], -1)
    return Sides(phases, scales, places_ND, np.array([run.positive for run in runs]), log_steps(runs))


def _scale(study: str, axis: str, values: Sequence[Any]) -> Scale:
    """The scale of an axis with these values; SpecError for words and for a single value."""
    if not all(isinstance(value, int | float) for value in values):
        raise SpecError(f"Study {study!r}: axis {axis!r} is not numeric. Hold it fixed with at={{{axis!r}: value}}.")
    if len(set(values)) < 2:
        raise SpecError(f"Study {study!r}: axis {axis!r} has only one value; no boundary can cross it.")
    return Scale.of(axis, values)
