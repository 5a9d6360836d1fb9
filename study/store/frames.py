"""A study's runs and curves as data frames, with a column for each axis."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
RUNS = """
    select run_id, study_runs.point::text as point, seed, phase, outcomes.* exclude (run_id),
        runs.* exclude (run_id, seed, spec, status, stop_reason, horizon, label_corruption, chance_accuracy,
            heard_at)
    from study_runs
    join runs using (run_id)
    join outcomes using (run_id)
    left join (from phases where definition = $definition) as phases using (run_id)
    where study = $study
    order by point, seed, run_id"""

CURVES = """
    select run_id, study_runs.point::text as point, seed, curves.* exclude (run_id)
    from study_runs
    join run_specs using (run_id)
    join curves using (run_id)
    where study = $study
    order by point, seed, run_id, step"""


def with_axes(found: "pd.DataFrame") -> "pd.DataFrame":
    """The rows with a column for each axis, after `run_id`, in place of the column `point`, which is JSON. None or NaN
    stands where an axis does not apply to a point."""
    texts = found.pop("point").astype("category")
    points = {text: json.loads(text) for text in texts.cat.categories}
    axes = dict.fromkeys(path for point in points.values() for path in point)
    for place, axis in enumerate(axes, 1):
        found.insert(place, axis, texts.map({text: point.get(axis) for text, point in points.items()}).tolist())
    return found
