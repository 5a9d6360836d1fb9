"""Slices through the model of a search with three or more axes: its boundary on two of them, at values of the rest.

Every point of a search has values of its own, so no two runs lie in one slice. A slice shows the model of all runs
there, and the runs near it.
"""

# M places, D axes

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.all_axes import Field, field
from analysis.arrangement import Arrangement
from analysis.boundaries import Boundary
from analysis.criticals import THIRDS
from analysis.curve import Surface, curve
from analysis.held import away, holds
from analysis.pooled import Cell
from analysis.scale import Scale
from analysis.slices import numbers
from analysis.stored import Study, order
from study.search.boundary.model import Array
from study.search.boundary.width import width_of
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

FEW = 4
"""An axis with so many values or fewer is cut at each of them."""


@dataclass(frozen=True)
class Slice:
    """A model over some of its axes, the others held at the place `at_D`."""

    model: Surface
    free: tuple[int, ...]
    at_D: Array

    def mean_and_sd(self, at_MD: Array) -> tuple[Array, Array]:
        """As the model has them, at places on the free axes."""
        whole_MD = np.tile(self.at_D, (len(at_MD), 1))
        whole_MD[:, list(self.free)] = at_MD
        return self.model.mean_and_sd(whole_MD)


class Cut(NamedTuple):
    """One slice."""

    held: dict[str, Any]
    """Axes at a value exactly: words, and numbers of which there are but two."""
    near: dict[str, Any]
    varied: str
    """The axis of `near` that differs between slices; '' where none does."""
    scales: dict[str, Scale]
    found: Boundary | None
    """The boundary there; None where the runs at `held` are on one side."""

    def distances(self, cells: Sequence[Cell]) -> dict[int, float]:
        """How far the cells near the slice are from it, by their number: 0 to 1."""
        at = {cell["cell"]: cell["point"] for cell in cells if holds(cell["point"], self.held)}
        far = {number: away(point, self.near, self.scales) for number, point in at.items()}
        return {number: distance for number, distance in far.items() if distance <= 1}


def cuts(store: "Store", facts: Study, cells: Sequence[Cell], places: Arrangement) -> list[list[Cut]]:
    """Rows of slices over the plane of `places`, one for each value of an axis of words; none where there is no model.

    Axes are at the values that were asked for. Of the others, the one that matters most, with the shortest length in
    the model, is cut at three levels, and each of the rest is at its middle.
    """
    modelled = [axis for axis in facts.axes if axis not in places.held and len(numbers(cells, axis)) > 2]
    exact = [axis for axis in facts.axes if axis not in (*modelled, *places.held)]
    if not (places.sampled and {places.x, places.y} <= {*modelled} and len(modelled) > 2 and len(exact) < 2):
        return []
    values = sorted({cell["point"][axis] for axis in exact for cell in cells}, key=order)
    held = [{**places.held, **dict.fromkeys(exact, value)} for value in values or [None]][: FEW + 1]
    models = [_model(store, facts, at) for at in held]
    known = [model for model in models if model is not None]
    if not known or len(held) > FEW:
        return []
    rest = [axis for axis in modelled if axis not in (places.x, places.y, *places.near)]
    varied = min(rest, key=lambda axis: known[0].model.lengths_D[known[0].index(axis)], default="")
    levels = _levels(cells, rest, varied, places.near)
    scales = {axis: Scale.of(axis, numbers(cells, axis)) for axis in modelled}
    return [
        [Cut(at, near, varied, scales, model and _boundary(facts, model, places, near)) for near in levels]
        for at, model in zip(held, models, strict=True)
    ]


def _model(store: "Store", facts: Study, at: Mapping[str, Any]) -> Field | None:
    try:
        return field(store, facts.name, definition=facts.definition, at=at)
    except SpecError:  # all runs on one side, or axes that do not apply to all points
        return None


def _levels(cells: Sequence[Cell], rest: Sequence[str], varied: str, near: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The held values of each slice, in few digits; of whole numbers the nearest ones."""

    def at(axis: str, place: float) -> float:
        known = numbers(cells, axis)
        value = Scale.of(axis, known).value(place)
        return round(value) if all(isinstance(other, int) for other in known) else float(f"{value:.2g}")

    middle = {**near, **{axis: at(axis, 0.5) for axis in rest}}
    if not varied:
        return [middle]
    known = numbers(cells, varied)
    return [middle | {varied: v} for v in (known if len(known) <= FEW else [at(varied, place) for place in THIRDS])]


def _boundary(facts: Study, model: Field, places: Arrangement, near: Mapping[str, Any]) -> Boundary:
    """The model's boundary on the plane, the other axes at the values `near`."""
    free = model.index(places.x), model.index(places.y)
    at_D = np.array([float(scale.unit(near.get(scale.path, scale.low))) for scale in model.scales])
    line, band = Slice(model.model, free, at_D), Slice(model.band, free, at_D)
    plane = tuple(model.scales[axis] for axis in free)
    width = width_of(band, 2)  # pyright: ignore[reportArgumentType] (it reads mean and sd alone)
    pieces = curve(line, band, plane)
    return Boundary(facts.name, facts.definition, model.phases, plane, pieces, width, None, model.runs, line, band)
