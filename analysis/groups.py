"""Runs by the values of axes; the many numbers that a search draws are taken together in thirds of the axis."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.scale import ABSENT
from analysis.slices import MAX_VALUES, Slice, part_order, slices_of
from trainables.components import closest
from trainables.errors import SpecError

Points = Sequence[Mapping[str, Any]]
PARTS = 3


def grouped_by(points: Points, by: Sequence[str]) -> dict[tuple[Any, ...], list[int]]:
    """The numbers of the points with the same values on the axes `by`, in the order of these values.

    An axis with more than eight numbers has the text of a third as its value, such as `4 to 5.3`.
    """
    for axis in by:
        if axis not in points[0]:
            raise SpecError(f"The runs have no axis {axis!r}. {closest(axis, list(points[0]))}")
    columns = [_values(points, axis) for axis in by]
    keys = list(zip(*columns, strict=True)) if by else [()] * len(points)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    ordered = sorted(groups, key=lambda key: [part_order(value) for value in key])
    return {tuple(map(_plain, key)): groups[key] for key in ordered}


def _values(points: Points, axis: str) -> list[Any]:
    """The value of each point on an axis, or the part of the axis that holds it."""
    values = [point[axis] for point in points]
    known = set(values) - {ABSENT}
    if len(known) <= MAX_VALUES or not all(isinstance(value, int | float) for value in known):
        return values
    parts = slices_of(axis, sorted(known), PARTS)
    return [parts.get(value, value) for value in values]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Slice) else value
