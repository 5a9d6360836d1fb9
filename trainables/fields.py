"""The fields of a dataclass as the types that they declare: `coerce` makes one value, and so one id, of 1, 1.0 and a
NumPy number.
"""

import dataclasses
import functools
import sys
import types
import typing
from typing import Any

from trainables.errors import SpecError
from trainables.parts import name_of


def coerce(owner: object) -> None:
    """Turn every field of a frozen dataclass into the type it declares, so that 1 and 1.0 are one value.

    Raises SpecError for a value of another kind (a string or NaN for a number, 1.5 for an int). Fields of containers,
    such as a mapping of axes, stay as they are.
    """
    hints = _hints(type(owner))
    for field in fields_of(type(owner)):
        value, hint = getattr(owner, field.name), hints[field.name]
        if hint is not str or type(value) is not str:
            object.__setattr__(owner, field.name, _coerced(value, hint, owner, field.name))


_hints = functools.cache(typing.get_type_hints)
fields_of = functools.cache(dataclasses.fields)
"""The types of a class's fields, and the fields: a study makes and reads a hundred thousand specs."""


def _coerced(value: Any, hint: Any, owner: object, name: str) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and types.NoneType in options:
        return None
    kind = next(option for option in options if option is not types.NoneType)
    if value is not None and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()  # a numpy number: json cannot write it
    if kind in (int, float):
        if isinstance(value, (int, float)) and not isinstance(value, bool):  # True is an int to Python, not to us
            whole = isinstance(value, int) or value.is_integer()
            if abs(value) <= sys.float_info.max and (whole or kind is float):  # neither NaN nor infinite
                return kind(value) + 0  # -0.0 + 0 is 0.0: one zero, one id
        raise SpecError(f"{_label(owner)}.{name} must be a finite {kind.__name__}, got {value!r}.")
    if kind is Any or typing.get_origin(kind) is not None or isinstance(value, kind):
        return value
    raise SpecError(f"{_label(owner)}.{name} must be {kind.__name__}, got {value!r}.")


def _label(owner: object) -> str:
    """A task, model or optimizer by its name in configs, any other class by its own."""
    kind = type(owner)
    return name_of(owner) if kind.__name__ in ("Task", "Model", "Optimizer") else kind.__name__


def at_least(component: object, **least: int) -> None:
    """SpecError unless each named field of a task, model or optimizer has its least value or a larger one."""
    for name, smallest in least.items():
        if (value := getattr(component, name)) < smallest:
            raise SpecError(f"{name_of(component)}.{name} must be {smallest} or larger, got {value}.")


def plain(value: Any) -> Any:
    """A number or an array of NumPy (or of whatever has `tolist`) as Python's own, which JSON can hold."""
    return value.tolist() if hasattr(value, "tolist") else value
