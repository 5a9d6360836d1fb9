"""Other thresholds than a definition's own, and the accuracies at which it asks for first passages."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from study.store.definitions import Definition
from study.store.levels import LEVELS
from study.store.sql_text import calls, ctes
from trainables.components import closest
from trainables.errors import SpecError


def defaults_of(definition: Definition) -> dict[str, Any]:
    """The parameters of a definition with their values; none where it has none."""
    from study.store.query import query  # duckdb takes a moment to import

    if "defaults" not in ctes(definition.sql):
        return {}
    return query(definition.query_on("from defaults", "defaults"), {}).to_pylist()[0]


def with_params(definition: Definition, params: Mapping[str, Any]) -> Definition:
    """The definition with other values of some of its parameters. SpecError for one that it does not have, for a value
    that is no number, and for an accuracy at which no first passages are stored."""
    if not params:
        return definition
    defaults, said = defaults_of(definition), f"Phase definition {definition.name!r}"
    for name in params:
        if name not in defaults:
            hint = closest(name, list(defaults)) if defaults else "It has none."
            raise SpecError(f"{said} has no parameter {name!r}. {hint}")
    values = ", ".join(f"'{_number(said, name, value)}'::double as {name}" for name, value in params.items())
    begin, end = ctes(definition.sql)["params"]
    changed = f"params as (select * replace ({values}) from defaults)"
    found = replace(definition, sql=f"{definition.sql[:begin]}{changed}{definition.sql[end:]}")
    check_thresholds(found, said)
    return found


def check_thresholds(definition: Definition, said: str) -> None:
    """SpecError where it asks for first passages at an accuracy at which none are stored: all would be NULL."""
    for threshold in thresholds_of(definition):
        if threshold not in LEVELS:
            raise SpecError(
                f"{said}: threshold is {threshold}, and first passages are stored "
                f"at {', '.join(map(str, LEVELS))}. Choose one of these."
            )


def thresholds_of(definition: Definition) -> list[float]:
    """The accuracies for which it calls `passages`."""
    from study.store.query import query

    asked = [argument for _, _, argument in calls(definition.sql, "passages")]
    texts = [
        definition.query_on(f"select ({argument})::double as threshold", "defaults", "params") for argument in asked
    ]
    return [query(text, {}).to_pylist()[0]["threshold"] for text in texts]


def _number(said: str, name: str, value: Any) -> float:
    """A parameter as a number, NumPy's too; SpecError for anything else, NaN and infinity."""
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpecError(f"{said}: {name} must be a finite number, got {value!r}.")
    return float(value)
