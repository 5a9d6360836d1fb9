"""A study as the store has it: its facts, its cells, and which side of a boundary its runs are on."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.scale import ABSENT
from study.store.definitions import Definition
from trainables.components import closest, near_names
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store


class Study(NamedTuple):
    """What charts print about a study, and what boundaries and laws need of it."""

    name: str
    question: str
    axes: list[str]
    definition: Definition
    first_horizon: int
    horizon: int
    """The shortest and the longest horizon at which a run is judged."""
    seeds: int

    @property
    def horizons(self) -> str:
        """`horizon 1,000 steps`, or the range of them."""
        if self.first_horizon == self.horizon:
            return f"horizon {self.horizon:,} steps"
        return f"horizons {self.first_horizon:,} to {self.horizon:,} steps"

    def subtitle(self, note: str, runs: int) -> str:
        """The subtitle of a chart: what it shows of how many runs, with their horizons and seeds."""
        seeds = f"{self.seeds} seed{'s' * (self.seeds != 1)}"
        return f"{note}; {self.horizons}, {seeds}, {runs:,} run{'s' * (runs != 1)}"

    def whole(self, point: dict[str, Any]) -> dict[str, Any]:
        """The point with a value on every axis: `ABSENT` where an axis does not apply to it."""
        return dict.fromkeys(self.axes, ABSENT) | point

    def axis(self, name: str) -> str:
        """The axis that is called so, by its path or by its last part; SpecError where there is none, or more."""
        if not isinstance(name, str) or not name:
            raise SpecError(f"Study {self.name!r}: {name!r} is no name of an axis. {closest('', self.axes)}")
        if name in self.axes:
            return name
        short = {axis: axis.rpartition(".")[2] for axis in self.axes}
        found = [axis for axis in self.axes if short[axis] == name]
        if len(found) > 1:
            raise SpecError(f"Study {self.name!r} has several axes {name!r}: {', '.join(found)}. Write one in full.")
        if not found:
            near = [axis for axis in self.axes if near_names(name, [axis, short[axis]])]
            said = closest(near[0] if near else name, self.axes) or "The study has no axes."
            raise SpecError(f"Study {self.name!r} has no axis {name!r}. {said}")
        return found[0]

    def held(self, at: Mapping[str, Any]) -> dict[str, Any]:
        """The axes in `at` in full; SpecError for others, for one that is held twice, and for what is no mapping."""
        if not isinstance(at, Mapping):
            raise SpecError(f"Study {self.name!r}: at must be {{axis: value}}, got {at!r}.")
        names = [self.axis(name) for name in at]
        for axis in names:
            if names.count(axis) > 1:
                raise SpecError(f"Study {self.name!r}: axis {axis!r} is held twice; give one value.")
        return dict(zip(names, at.values(), strict=True))


def rows(store: "Store", sql: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries; `params` fill `$name` in it."""
    return store.sql(sql, params).to_arrow_table().to_pylist()


def read_study(store: "Store", study: str, definition: "str | Definition | None" = None) -> Study:
    """The study's facts. `definition` is a phase definition: ours or the store's by name, the path of an SQL file, SQL
    text, or None for the study's own. `store.of(study, definition=...)` has its phases.

    Raises SpecError with the nearest name if the store has no such study or there is no such definition.
    """
    from study.store.stored_json import check_spec
    from study.store.studies import definition_of  # duckdb takes a moment to import

    found = rows(
        store,
        """select
            (select spec from studies where study = $study) as spec,
            coalesce(min(cut) filter (where status = 'finished'), max(cut), 0)::bigint as first_horizon,
            coalesce(max(cut) filter (where status = 'finished'), max(cut), 0)::bigint as horizon,
            count(distinct seed)::integer as seeds
        from observed left join run_specs using (run_id) where study = $study""",
        study=study,
    )
    if found[0]["spec"] is None:
        known = [row["study"] for row in rows(store, "select study from studies order by 1")]
        raise SpecError(f"The store has no study {study!r}. {closest(study, known, '`study status` shows all.')}")
    [planned] = found
    spec = check_spec(study, planned.pop("spec"))
    found = definition_of(store, study, definition)
    return Study(study, spec.get("question") or study, list(spec.get("axes", {})), found, **planned)


def read_cells(store: "Store", study: Study) -> list[dict[str, Any]]:
    """Rows of `cells` in the order of their points.

    `key` is the point as the store has it, `point` the same as a dictionary, `cell` its number from 0, and `start` the
    fraction of the cell's runs that is in the phases before this one. A point that an axis does not apply to has
    `ABSENT` there. Points with values off the study's axes are left out.
    """
    cells: list[dict[str, Any]] = rows(
        store,
        """select point::text as key, phase, runs, total, fraction, low, high,
            sum(fraction) over (partition by point order by phase) - fraction as start
        from cells where study = $study and definition = $definition order by phase""",
        study=study.name,
        definition=study.definition.name,
    )
    cells = [cell | {"point": json.loads(cell["key"])} for cell in cells]
    cells = [cell for cell in cells if set(cell["point"]) <= set(study.axes)]
    cells = [cell | {"point": study.whole(cell["point"])} for cell in cells]
    cells.sort(key=lambda cell: [order(cell["point"][axis]) for axis in study.axes])
    numbers: dict[str, int] = {}
    return [cell | {"cell": numbers.setdefault(cell["key"], len(numbers))} for cell in cells]


def resolved_runs(store: "Store", study: str, definition: Definition) -> list[dict[str, Any]]:
    """The runs of the study with a phase other than `unresolved`: `point`, `phase`, and `step`, the one at which test
    accuracy passes 0.9."""
    found = rows(
        store,
        """select point::text as point, phase, test_step_90::double as step
        from study_runs join phases using (run_id) join outcomes using (run_id)
        where study = $study and definition = $definition and phase <> 'unresolved'
        order by planned_at, run_id""",
        study=study,
        definition=definition.name,
    )
    return [row | {"point": json.loads(row["point"])} for row in found]


def order(value: Any) -> tuple:
    """A sort key for the values of an axis: None, then numbers, then words."""
    return value is not None, isinstance(value, str), value if value is not None else 0
