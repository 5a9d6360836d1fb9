"""What a store says of its studies in JSON, which somebody may have made by hand or with a newer version: it is of the
kinds that we read, or one line says which study and what is wrong."""

import json
import math
from collections.abc import Iterator
from typing import Any

from study.store.errors import StoreError

MEND = "It was made by hand or by another version: upgrade grokking-study, or run the study from its file elsewhere."
MOST_SHOWN = 60
"""Characters of a value that an error line shows."""
Problems = Iterator[tuple[str, Any]]


def check_spec(study: str, text: str) -> dict[str, Any]:
    """The spec of a study, from its JSON; StoreError where it is no object, or what we read of it has another kind.

    A field may be missing: what takes the whole spec checks the rest (`StudySpec.from_json`).
    """
    return _checked(study, "spec", text, _wrong_in_spec)


def check_point(study: str, text: str) -> dict[str, Any]:
    """The point of a run, from its JSON; StoreError where it is no object of plain values."""
    return _checked(study, "point", text, _wrong_in_point)


def _checked(study: str, kind: str, text: str, wrong_in: Any) -> dict[str, Any]:
    said = f"study {study!r}: a {kind} of it in this store"
    try:
        value = json.loads(text)
        problem = next(wrong_in(value), None)
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, lists in lists in lists
        raise StoreError(f"{said} cannot be read ({type(error).__name__}: {text[:MOST_SHOWN]}...). {MEND}") from None
    if problem is not None:
        what, value = problem
        shown = repr(value)
        shown = shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}..."
        raise StoreError(f"{said} {what}, got {shown}. {MEND}")
    return value


def _wrong_in_spec(spec: Any) -> Problems:
    if not isinstance(spec, dict):
        yield "must be an object", spec
        return
    if not isinstance(spec.get("question", ""), str):
        yield "must have text as 'question'", spec["question"]
    if not isinstance(spec.get("base", {}), dict):
        yield "must have an object as 'base'", spec["base"]
    axes = spec.get("axes", {})
    if not isinstance(axes, dict):
        yield "must have an object as 'axes'", axes
        return
    for axis, values in axes.items():
        if isinstance(values, str):
            continue  # the range of a search
        if not isinstance(values, list):
            yield f"must have a list of values for axis {axis!r}", values
        elif not all(map(_is_plain, values)):
            yield f"must have plain values for axis {axis!r}", values


def _wrong_in_point(point: Any) -> Problems:
    if not isinstance(point, dict):
        yield "must be an object", point
        return
    for axis, value in point.items():
        if not _is_plain(value):
            yield f"must have a plain value for axis {axis!r}", value


def _is_plain(value: Any) -> bool:
    """True for text, a finite number, true, false, null, and a list of these."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, int | float):
        try:
            return math.isfinite(value)
        except OverflowError:  # whole numbers may be larger than any float
            return False
    return value is None or isinstance(value, str)
