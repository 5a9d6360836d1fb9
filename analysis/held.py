"""Axes of a study that are held at a value: exactly, or, where a search has drawn many values, nearly."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.scale import ABSENT, Scale
from analysis.stored import order
from trainables.components import FEW_NAMES
from trainables.errors import SpecError

Points = Iterable[Mapping[str, Any]]
REACH = 0.25
"""A point is near a value if it is this much of the axis's range away from it, or less."""


def holds(point: Mapping[str, Any], at: Mapping[str, Any]) -> bool:
    """True if the point has these values. Numbers may differ by rounding, since 0.3 is not 0.1 + 0.2."""
    return all(_equal(point[axis], value) for axis, value in at.items())


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, bool) != isinstance(b, bool):  # 1 is not True here
        return False
    return a == b or (_is_number(a) and _is_number(b) and math.isclose(a, b, rel_tol=1e-9))


def check_held(study: str, points: Points, at: Mapping[str, Any]) -> None:
    """SpecError for the first of the values that no point has, with the values that its axis has."""
    points = list(points)
    for axis, value in at.items():
        known = sorted({point[axis] for point in points}, key=order)
        if points and not any(holds(point, {axis: value}) for point in points):
            if len(known) <= FEW_NAMES:
                near = f"Its values: {', '.join(map(repr, known))}."
            else:
                near = f"It has {len(known)}, from {known[0]!r} to {known[-1]!r}."
            raise SpecError(f"Study {study!r}: no run has {axis!r} at {value!r}. {near}")


def check_inside(study: str, points: Points, at: Mapping[str, Any]) -> None:
    """SpecError for the first of the values that is beyond all that a search has drawn."""
    points = list(points)
    for axis, value in at.items():
        known = sorted({point[axis] for point in points} - {ABSENT})
        if not _is_number(value) or not known[0] <= value <= known[-1]:
            span = f"from {known[0]!r} to {known[-1]!r}"
            raise SpecError(f"Study {study!r}: no run has {axis!r} near {value!r}. Its values are {span}.")


def away(point: Mapping[str, Any], near: Mapping[str, Any], scales: Mapping[str, Scale]) -> float:
    """How far a point is from these values, on the axis on which it is farthest; 1 is REACH."""
    if any(point[axis] == ABSENT for axis in near):
        return math.inf
    parts = [abs(float(scales[axis].unit(point[axis]) - scales[axis].unit(value))) for axis, value in near.items()]
    return max(parts, default=0.0) / REACH


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
