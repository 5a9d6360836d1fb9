"""The cells of a study over one or two of its axes, as rows for a table: those that its phase diagram draws."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from analysis.arrangement import arranged
from analysis.held import holds
from analysis.pooled import counted_together
from analysis.stored import read_cells, read_study
from study.store.studies import definition_of
from study.store.thresholds import with_params

if TYPE_CHECKING:
    from study.store.database import Store


def cell_rows(
    store: "Store",
    study: str,
    definition: str | None = None,
    params: Mapping[str, float] = MappingProxyType({}),
    x: str | None = None,
    y: str | None = None,
    at: Mapping[str, Any] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """One row per cell and phase: `point` as JSON, `phase`, `runs`, `total`, `fraction`, `low` and `high`.

    The cells are those over `x` and `y` at the values `at`, with the runs of all other axes' values; without `x` and
    `y` over all axes that are not held. `params` are other thresholds of the definition.
    """
    facts = read_study(store, study, with_params(definition_of(store, study, definition), params))
    cells = read_cells(store.of(study, definition=facts.definition), facts)
    named = {facts.axis(axis) for axis in (x, y, *at) if axis is not None}
    over = [axis for axis in facts.axes if axis not in named] if (x, y) != (None, None) else []
    held = arranged(cells, facts, x, y, at, over).held
    found = counted_together([cell for cell in cells if holds(cell["point"], held)], over)
    kept = ("phase", "runs", "total", "fraction", "low", "high")
    return [{"point": json.dumps(cell["point"])} | {name: cell[name] for name in kept} for cell in found]
