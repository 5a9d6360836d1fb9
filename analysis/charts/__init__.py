"""One file per chart: `chart(store, study, ...) -> alt.Chart`, its `TITLE`, and `READ`, how to read it in a sentence.

A chart that needs runs which a study does not have raises NotApplicable; a report leaves it out.
"""

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from scipy.special import stdtrit

from analysis.classify import definitions
from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store

WIDTH = "model.width"
DATA_SIZES = ("task.data_size", "task.train_fraction")
"""Axes that set how many training examples a run has."""


class NotApplicable(SpecError):
    """The study lacks the runs that a chart shows."""


class Study(NamedTuple):
    """What charts print about a study."""

    name: str
    question: str
    axes: list[str]
    definition: str
    horizon: int
    seeds: int

    def subtitle(self, note: str, runs: int) -> str:
        """What a chart of `runs` runs is about: the definition or the cell, the horizon, seeds and runs."""
        seeds = f"{self.seeds} seed{'s' * (self.seeds != 1)}"
        return f"{note}; horizon {self.horizon:,} steps, {seeds}, {runs:,} run{'s' * (runs != 1)}"


def rows(store: "Store", sql: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries; `params` fill `$name` in it."""
    return store.sql(sql, params).to_arrow_table().to_pylist()


def read_study(store: "Store", study: str, definition: str | None = None) -> Study:
    """The study's facts; without a `definition`, the phases are by the study's own.

    Raises SpecError with the nearest name if there is no such study in the store or no such definition.
    """
    specs = {row["study"]: json.loads(row["spec"]) for row in rows(store, "select study, spec from studies")}
    if study not in specs:
        raise SpecError(f"The store has no study {study!r}. {closest(study, sorted(specs))}")
    spec = specs[study]
    definition = str(definition or spec.get("definition", "unified"))
    if definition not in definitions():
        raise SpecError(f"No phase definition named {definition!r}. {closest(definition, definitions())}")
    planned = rows(
        store,
        """select coalesce(max(study_runs.horizon), 0)::bigint as horizon, count(distinct seed)::integer as seeds
        from study_runs left join run_specs using (run_id) where study = $study""",
        study=study,
    )[0]
    return Study(study, spec.get("question") or study, list(spec.get("axes", {})), definition, **planned)


def read_cells(store: "Store", study: Study) -> list[dict[str, Any]]:
    """Rows of `cells` in the order of their points: `key` is the point as stored, `point` the same as a dictionary,
    `cell` its number from 0, and `start` the fraction of the cell's runs in the phases before this one.

    Points that do not lie on the study's axes are left out.
    """
    cells = rows(
        store,
        """select point::text as key, phase, runs, total, fraction, low, high,
            sum(fraction) over (partition by point order by phase) - fraction as start
        from cells where study = $study and definition = $definition order by phase""",
        study=study.name,
        definition=study.definition,
    )
    cells = [cell | {"point": json.loads(cell["key"])} for cell in cells]
    cells = [cell for cell in cells if set(cell["point"]) == set(study.axes)]
    cells.sort(key=lambda cell: [order(cell["point"][axis]) for axis in study.axes])
    numbers: dict[str, int] = {}
    return [cell | {"cell": numbers.setdefault(cell["key"], len(numbers))} for cell in cells]


def order(value: Any) -> tuple:
    """A sort key for the values of an axis: None, then numbers, then words."""
    return value is not None, isinstance(value, str), value if value is not None else 0


def label(point: dict[str, Any]) -> str:
    """A point in words: `width 32, weight_decay 0.1`."""
    return ", ".join(f"{path.rsplit('.', 1)[-1]} {show(value)}" for path, value in point.items())


def show(value: Any) -> str:
    """A value of an axis, as short as it can be told."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def t_interval(mean: float, sd: float | None, runs: int) -> dict[str, float]:
    """`low` and `high`, the 95% t interval of a mean over runs; nothing for a single run, whose spread is unknown."""
    if sd is None:
        return {}
    half = float(stdtrit(runs - 1, 0.975)) * sd / math.sqrt(runs)
    return {"low": mean - half, "high": mean + half}
