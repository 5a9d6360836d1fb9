"""Stand-in for the search space while the samplers are written elsewhere: replaced by the other branch's file."""

import math
from dataclasses import dataclass
from typing import Any

from study.spec import Point


@dataclass(frozen=True)
class Axis:
    path: str
    values: tuple | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False


@dataclass(frozen=True)
class Space:
    axes: tuple[Axis, ...]

    def to_unit(self, point: Point) -> list[float]:
        return [_to_unit(axis, point[axis.path]) for axis in self.axes]

    def from_unit(self, vector) -> Point:
        return {axis.path: _from_unit(axis, float(u)) for axis, u in zip(self.axes, vector, strict=True)}


@dataclass(frozen=True)
class Seen:
    point: Point
    finished: bool
    value: float | None
    positive: bool | None
    step: float | None


def _to_unit(axis: Axis, value: Any) -> float:
    if axis.values is not None:
        return axis.values.index(value) / max(1, len(axis.values) - 1)
    assert axis.low is not None
    assert axis.high is not None
    low, high = (math.log(axis.low), math.log(axis.high)) if axis.log else (axis.low, axis.high)
    return ((math.log(value) if axis.log else value) - low) / (high - low)


def _from_unit(axis: Axis, u: float) -> Any:
    u = min(1.0, max(0.0, u))
    if axis.values is not None:
        return axis.values[round(u * (len(axis.values) - 1))]
    assert axis.low is not None
    assert axis.high is not None
    low, high = (math.log(axis.low), math.log(axis.high)) if axis.log else (axis.low, axis.high)
    value = low + u * (high - low)
    value = math.exp(value) if axis.log else value
    return round(value) if axis.integer else min(axis.high, max(axis.low, value))
