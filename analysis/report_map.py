"""The phase diagram of a report: its picture, and which cells of the study stand behind each of its cells."""

from typing import TYPE_CHECKING, Any

from analysis.arrangement import arranged
from analysis.charts import NotApplicable
from analysis.charts.learning_curves import example
from analysis.charts.phase_diagram import READ, TITLE, content, picture, said
from analysis.menus import READ as MENUS_READ
from analysis.menus import menus
from analysis.stored import Study

if TYPE_CHECKING:
    from study.store.database import Store

PICK = "Click a cell, or press Enter on it, for the curves of its runs."
TEXTS = {"name": "phase_diagram", "title": TITLE}


def map_of(store: "Store", facts: Study, cells: list[dict[str, Any]], plane: dict[str, Any]) -> dict[str, Any]:
    """The diagram of `cells`, as `read_cells` gives them, without its title: `spec`, `subtitle` and `read`.

    `cells` in it is, by the number of a cell of the picture, the numbers of the study's cells that it counts together;
    `first` is the picture's cell to begin with; `menus` what the menus need, None for a study without them. `plane`:
    `x`, `y` and `at` as for the phase diagram. NotApplicable without cells.
    """
    if not cells or not facts.axes:
        raise NotApplicable(f"Study {facts.name!r} has no runs on its axes.")
    found = menus(facts, cells, plane)
    if found is not None:
        spec, chosen = found
        subtitle = facts.subtitle(f"phases by {facts.definition.name}", sum(cell["runs"] for cell in cells))
        read = f"{MENUS_READ} {PICK}"
        return TEXTS | {"spec": spec, "menus": chosen, "cells": {}, "first": None, "read": read, "subtitle": subtitle}
    places = arranged(cells, facts, **plane)
    scoped = store.of(facts.name, definition=facts.definition)
    shown, slices = content(scoped, facts, cells, places)
    numbers = {cell["key"]: cell["cell"] for cell in cells}
    return TEXTS | {
        "spec": picture(scoped, facts, shown, places, slices).to_dict(),
        "menus": None,
        "cells": {cell["cell"]: [numbers[key] for key in cell["keys"]] for cell in shown},
        "first": example(shown, facts.definition)["cell"] if shown else None,
        "read": f"{READ} {PICK}",
        "subtitle": facts.subtitle(said(places, facts, slices), sum(cell["runs"] for cell in shown)),
    }
