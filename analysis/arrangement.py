"""Which axes of a study a diagram shows, and where: on the plane, as panels, held at a value, or pooled."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.held import away, check_held, check_inside, holds
from analysis.pooled import Cell, counted_together
from analysis.scale import Scale
from analysis.slices import MAX_VALUES, numbers
from trainables.errors import SpecError

if TYPE_CHECKING:
    from analysis.stored import Study

DATA = ("task.ratio", "task.data_size", "task.train_fraction")
"""Axes of how much there is to learn from, which the plane takes first."""
DECAY = "optimizer.weight_decay"
"""What it takes next among axes with equally many values."""
MAX_TICKS = 24
"""An axis with more values than this is continuous; it belongs to the plane before all others."""
MAX_PANELS = 36
"""A second axis gets panels, too, if there are no more of them than this."""


class Arrangement(NamedTuple):
    """The place of every axis of a study. An axis of one value alone needs none."""

    x: str
    y: str
    """The plane; '' where the study has no such axis."""
    panels: tuple[str, ...]
    """Axes with a panel for each value: rows and columns, or columns alone; further ones were asked for."""
    held: dict[str, Any]
    near: dict[str, Any]
    """Axes of a search that are held nearly at a value: `away` says how near."""
    pooled: tuple[str, ...]
    sampled: bool
    """True if an axis has more values than a grid; then there may be slices through a model (model_slices.py)."""

    def of(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells that the diagram draws: at the held values, and the pooled axes counted together."""
        found = [cell for cell in cells if holds(cell["point"], self.held)]
        if self.near:
            scales = {axis: Scale.of(axis, numbers(found, axis)) for axis in self.near}
            found = [cell for cell in found if away(cell["point"], self.near, scales) <= 1]
        return counted_together(found, self.pooled)


def arranged(
    cells: Sequence[Cell],
    facts: "Study",
    x: str | None = None,
    y: str | None = None,
    at: Mapping[str, Any] | None = None,
    pooled: str | Collection[str] = (),
) -> Arrangement:
    """The place of every axis: as asked, and a good one for each of the others.

    Axes are named by their path, or by its last part where only one ends in it. Of those that are not asked for, an
    axis of data and then those with the most values fill the plane, up to two are panels, and the rest is pooled. A
    study of two axes has both on the plane in their order. SpecError for a name or a value that is not known, and for
    an axis with two places.
    """
    x, y = (None if axis is None else facts.axis(axis) for axis in (x, y))
    held = facts.held({} if at is None else at)
    over = [facts.axis(axis) for axis in ([pooled] if isinstance(pooled, str) else pooled)]
    _check_places(facts.name, [axis for axis in (x, y) if axis], held, over)
    sampled = any(len(numbers(cells, axis)) > MAX_TICKS for axis in facts.axes)
    near = {axis: value for axis, value in held.items() if sampled and len(numbers(cells, axis)) > 2}
    held = {axis: value for axis, value in held.items() if axis not in near}
    check_held(facts.name, (cell["point"] for cell in cells), held)
    check_inside(facts.name, (cell["point"] for cell in cells), near)
    cells = [cell for cell in cells if holds(cell["point"], held)]
    values = {axis: len({cell["point"].get(axis) for cell in cells}) for axis in facts.axes}
    rest = [axis for axis in facts.axes if axis not in (x, y, *held, *near, *over)]

    def rank(axis: str) -> tuple[bool, bool, bool, int, bool]:
        many = min(values[axis], MAX_TICKS + 1)
        return many == 1, many <= MAX_TICKS, axis not in DATA, -many, axis != DECAY

    number = (x is None) + (y is None)
    plane = sorted(rest, key=rank)[:number] if len(rest) > number else rest
    rest = [axis for axis in rest if axis not in plane and values[axis] > 1]
    x, y = (axis or (plane.pop(0) if plane else "") for axis in (x, y))
    few = [axis for axis in rest if sampled or values[axis] <= MAX_VALUES]  # many sampled values are cut into slices
    panels = few[:1]
    if len(few) > 1 and values[few[0]] * values[few[1]] <= MAX_PANELS:
        panels = few[:2]
    left = (axis for axis in rest if axis not in panels)
    return Arrangement(x, y, tuple(panels), held, near, (*over, *left), sampled and not over)


def _check_places(study: str, plane: Sequence[str], held: Collection[str], over: Collection[str]) -> None:
    """SpecError for an axis that is to be in two places at once."""
    if len(plane) > len(set(plane)):
        raise SpecError(f"Study {study!r}: x and y are both {plane[0]!r}; name two axes.")
    for axis in (*plane, *over):
        if axis in held:
            where = "shown" if axis in plane else "pooled"
            raise SpecError(f"Study {study!r}: axis {axis!r} cannot be {where} and held at a value; leave one out.")
    for axis in plane:
        if axis in over:
            raise SpecError(f"Study {study!r}: axis {axis!r} cannot be shown and pooled; leave one out.")
