"""A study's rate of generalization over all of its axes at once.

The model is that of boundaries on one and two axes, analysis/boundaries.py: first passages and phases place the line on
which half of the seeds generalize, and phases alone say how well it is known (study/search/boundary/width.py).
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.scale import Scale
from analysis.sides import sides
from analysis.stored import read_study
from study.search.boundary.model import Array, BoundaryModel, fit
from study.store.definitions import Definition
from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

MAX_AXES = 6
"""With more axes than this a lattice over all of them has too few places on each."""


@dataclass(frozen=True, eq=False)
class Field:
    """P(a run is in one of the phases) over D axes."""

    phases: tuple[str, ...]
    runs: int
    scales: tuple[Scale, ...]
    levels: tuple[tuple[float, ...], ...]
    """The values of each axis that come back in many points; () for an axis whose values are drawn from a range."""
    model: BoundaryModel
    """Whose mean is zero where half of the seeds are in the phases."""
    band: BoundaryModel
    """The same from phases alone: what is known and what is not."""

    @property
    def axes(self) -> list[str]:
        return [scale.path for scale in self.scales]

    def index(self, axis: str) -> int:
        """The number of an axis; SpecError for one that the field does not have."""
        if axis not in self.axes:
            raise SpecError(f"There is no axis {axis!r} to look along. {closest(axis, self.axes)}")
        return self.axes.index(axis)


def field(
    store: "Store",
    study: str,
    phase: str | Collection[str] = "generalized",
    definition: str | Definition | None = None,
    at: Mapping[str, Any] | None = None,
) -> Field:
    """The field of a study; arguments as for `analysis.boundary`. An axis of a single value is left out.

    Raises SpecError for axes of words that are not held at a value, and where all runs are on one side.
    """
    facts = read_study(store, study, definition)
    found = sides(store.of(study, definition=facts.definition), facts, phase, at or {}, all_axes=False)
    if len(found.scales) > MAX_AXES:
        raise SpecError(
            f"Study {study!r}: {len(found.scales)} axes are too many to look at together, {MAX_AXES} are possible. "
            f"Hold others fixed with at={{axis: value}}."
        )
    arrays = (found.places_ND, found.positive_N.astype(float), found.log_steps_N)
    return _fitted(found.phases, found.scales, *(array.tobytes() for array in arrays))


@lru_cache(maxsize=4)  # a report asks several times, and a fit takes a second
def _fitted(
    phases: tuple[str, ...], scales: tuple[Scale, ...], places: bytes, positive: bytes, log_steps: bytes
) -> Field:
    places_ND = np.frombuffer(places).reshape(-1, len(scales))
    positive_N, log_steps_N = np.frombuffer(positive).astype(bool), np.frombuffer(log_steps)
    points = len(np.unique(places_ND, axis=0))
    levels = tuple(
        tuple(float(f"{scale.value(unit):.12g}") for unit in known) if len(known) <= points / 2 else ()
        for scale, known in zip(scales, (np.unique(units) for units in places_ND.T), strict=True)
    )
    model = fit(places_ND, positive_N, log_steps_N=log_steps_N)
    return Field(phases, len(positive_N), scales, levels, model, fit(places_ND, positive_N))


def lattice(found: Field, most: int) -> tuple[Array, tuple[int, ...]]:
    """At most about `most` places that stand for all axes alike, (M, D), and how many of them there are on each axis.

    On an axis of levels these are its levels, on one of a range the middles of equal parts of its scale. Where this
    comes to more than `most`, only some of the levels are taken, as evenly as possible.
    """
    counts = [len(levels) or most for levels in found.levels]
    left = float(most)
    for turn, axis in enumerate(sorted(range(len(counts)), key=lambda axis: counts[axis])):
        counts[axis] = min(counts[axis], max(2, math.floor(left ** (1 / (len(counts) - turn)) + 1e-9)))
        left /= counts[axis]
    ticks = []
    for scale, levels, count in zip(found.scales, found.levels, counts, strict=True):
        chosen = np.linspace(0, len(levels) - 1, count).round().astype(int)
        ticks.append(scale.unit(levels)[chosen] if levels else (np.arange(count) + 0.5) / count)
    places = np.stack(np.meshgrid(*ticks, indexing="ij"), -1).reshape(-1, len(counts))
    return places, tuple(counts)
