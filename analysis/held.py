"""Axes of a study that are held at a value."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.stored import order
from trainables.components import FEW_NAMES
from trainables.errors import SpecError

Points = Iterable[Mapping[str, Any]]


def holds(point: Mapping[str, Any], at: Mapping[str, Any]) -> bool:
    """True if the point has these values. Numbers may differ by rounding, since 0.3 is not 0.1 + 0.2."""
    pairs = [(point[axis], value) for axis, value in at.items()]
    return all(a == b or (_is_number(a) and _is_number(b) and math.isclose(a, b, rel_tol=1e-9)) for a, b in pairs)


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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
