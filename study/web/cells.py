"""The points of a study and the cells that a reader chooses of them: which runs are in each."""

import json
from typing import Any

from study.store.database import Store
from study.web.asked import Asked
from study.web.kept import Kept
from trainables.errors import SpecError

POINTS = """
    select point::text, list(run_id order by run_id) from study_runs where study = ? group by point::text
    order by point::text"""


def points_of(kept: Kept, study: str) -> list[tuple[dict[str, Any], list[str]]]:
    """The points of a study, with a value on every axis, and the runs at each."""
    return kept.get(("points", study), lambda: _points(kept.store, study))


def groups_of(kept: Kept, asked: Asked) -> dict[str, tuple[str, ...]]:
    """The runs in each chosen cell of a study, by the cell in words."""
    from analysis.charts import label
    from analysis.held import holds

    points = points_of(kept, asked.study)
    axes = {axis for point, _ in points for axis in point}
    found = {}
    for cell in asked.points:
        if unknown := set(cell) - axes:
            raise SpecError(f"cell {json.dumps(cell)} has no axis of study {asked.study!r}: {', '.join(unknown)}.")
        at = asked.held | cell
        name = label(cell, axes)  # values are shown with four digits, so two cells may look alike
        runs = sorted(run_id for point, run_ids in points if holds(point, at) for run_id in run_ids)
        found[json.dumps(cell) if name in found else name] = tuple(runs)
    return found


def _points(store: Store, study: str) -> list[tuple[dict[str, Any], list[str]]]:
    from analysis.stored import read_study

    with store.together():
        facts = read_study(store, study)
        found = store.sql(POINTS, [study]).fetchall()
    return [(facts.whole(json.loads(point)), runs) for point, runs in found]
