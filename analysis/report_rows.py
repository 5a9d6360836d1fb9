"""The rows that a report has of a study with three or more axes: critical values, and steps to generalize."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.answers import leading, records
from analysis.charts import NotApplicable, show
from analysis.charts.influence import field_of
from analysis.criticals import INSIDE, criticals
from analysis.stored import Study
from analysis.survivals import median_steps
from analysis.words import words

if TYPE_CHECKING:
    from study.store.database import Store


class Table(NamedTuple):
    """A table of texts."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def tables(store: "Store", facts: Study) -> list[Table]:
    """Critical values of the axis that decides most, by the others; median steps by the values of each axis. None for a
    study without `analysis.charts.influence`."""
    study = facts.name
    try:
        found = field_of(store.of(study), study, facts.definition.name, len(facts.axes))
    except NotApplicable:
        return []
    axis, others = leading(found)
    crossings = [
        [show(row[other]) for other in others] + [_crossing(row), _ends(row)] for row in records(criticals(found, axis))
    ]
    medians = [
        [
            words(by),
            show(row[by]),
            f"{row['reached']} of {row['runs']}",
            _step(row["median"]),
            _ends(row, "beyond the horizon"),
        ]
        for by in found.axes
        for row in records(median_steps(store, study, by))
    ]
    return [
        Table(f"Critical {words(axis)}", [*map(words, others), f"critical {words(axis)}", "95% interval"], crossings),
        Table("Median steps to test accuracy 0.9, by the value of one axis",
              ["axis", "value", "runs that reach it", "median step of all", "95% interval"], medians),
    ]  # fmt: skip


def _crossing(row: dict[str, Any]) -> str:
    return f"{row['value']:.3g}" if row["where"] == INSIDE else row["where"]


def _step(step: float) -> str:
    return "not by the horizon" if math.isnan(step) else f"{step:,.0f}"


def _ends(row: dict[str, Any], unknown: str = "unknown") -> str:
    """The interval; an end that was not reached, or lies beyond what was studied, is open."""
    low, high = (f"{row[end]:,.4g}" if math.isfinite(row[end]) else "" for end in ("low", "high"))
    if low and high:
        return f"{low} to {high}"
    return f"above {low}" if low else f"below {high}" if high else unknown
