"""The runs of a store or of a study as one Arrow table, which pages filter, sort and cut."""

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from study.store.database import Store
from study.store.definitions import Definition
from study.store.own_definitions import DEFAULT
from study.store.studies import definition_of
from study.web.definitions import check_definition, known_definitions
from study.web.kept import Kept

FACTS = """
        seed,
        phase,
        outcomes.status,
        outcomes.stop_reason,
        runs.steps,
        outcomes.train_step_95,
        outcomes.test_step_95,
        outcomes.final_train_accuracy,
        outcomes.final_test_accuracy,
        runs.wall_seconds,
        runs.layers,
        runs.width,
        runs.ratio,
        runs.weight_decay,
        runs.learning_rate,
        runs.data_size,
        runs.task,
        runs.model,
        runs.optimizer,
        outcomes.* exclude (run_id, status, stop_reason, train_step_95, test_step_95, final_train_accuracy,
            final_test_accuracy, label_corruption, chance_accuracy),
        runs.train_fraction,
        runs.label_corruption,
        runs.chance_accuracy,
        runs.num_params,
        runs.data_seed,
        runs.error,
    from runs
    join outcomes using (run_id)
    join (select run_id, string_agg(study, ', ' order by study) as studies from study_runs group by run_id) as held
        using (run_id)
    left join (from phases where definition = $definition) as judged using (run_id)"""
OF_ALL = f"select run_id, studies, {FACTS} order by studies, task, model, width, seed, run_id"
OF_STUDY = f"""
    select run_id, studies, planned.point::text as point, {FACTS}
    join (from study_runs where study = $study) as planned using (run_id)"""
KNOWN = "select distinct definition from phase_names order by 1"


@dataclass(frozen=True)
class Runs:
    """Runs with their facts, one row each."""

    table: pa.Table
    definition: Definition
    """What `phase` is under."""
    axes: tuple[str, ...] = ()
    """Columns with the values of a study's axes, by dotted path."""

    @property
    def nbytes(self) -> int:
        return self.table.nbytes


def runs_of(kept: Kept, study: str | None, definition: str | None = None) -> Runs:
    """The runs of a study, judged as the study has it, or of all studies (None), each at the longest horizon that it
    has finished. `definition` is one by name; None is the study's own, or `unified`.

    Made once for every state of the store. SpecError for a study or a definition that the store does not know.
    """
    return kept.get(("runs", study, definition), lambda: _made(kept.store, study, definition))


def _made(store: Store, study: str | None, asked: str | None) -> Runs:
    if study is not None:
        store.check_known(study)
    check_definition(store, study, asked)
    if study is None:
        found = known_definitions(store)[asked or DEFAULT]
        return Runs(store.sql(OF_ALL, {"definition": found.name}).to_arrow_table(), found)
    found = definition_of(store, study, asked)
    scoped = store.of(study, definition=found)
    table = scoped.sql(OF_STUDY, {"definition": found.name, "study": study}).to_arrow_table()
    return Runs(*_with_axes(table, found))


def _with_axes(table: pa.Table, definition: Definition) -> tuple[pa.Table, Definition, tuple[str, ...]]:
    """The rows by point and seed, `point` in words, and behind all others a column for each axis."""
    from analysis.charts import show
    from analysis.words import words

    texts = table["point"].combine_chunks().dictionary_encode()
    points = [json.loads(text) for text in texts.dictionary.to_pylist()]
    paths = sorted({path for point in points for path in point})
    named = {path: words(path, paths) for path in paths}
    said = [", ".join(f"{named[path]} {show(value)}" for path, value in point.items()) for point in points]
    told = pa.array(said, pa.string()).take(texts.indices)
    table = table.set_column(table.column_names.index("point"), "point", told)
    taken = {name.lower() for name in table.column_names}  # SQL does not tell `seed` from `Seed`
    axes = []
    for path in paths:
        if path.lower() not in taken:
            taken.add(path.lower())
            axes.append(path)
            table = table.append_column(path, _column([point.get(path) for point in points]).take(texts.indices))
    table = table.sort_by([(name, "ascending") for name in (*axes, "seed", "run_id")])
    return table, definition, tuple(axes)


def _column(values: list[Any]) -> pa.Array:
    """The values of an axis as numbers or as truth values where all are; else as text."""
    kinds = {bool if isinstance(value, bool) else type(value) for value in values if value is not None}
    try:
        if kinds in ({bool}, {int}):
            return pa.array(values)
        if kinds and kinds <= {int, float}:
            return pa.array(values, pa.float64())
    except (pa.ArrowInvalid, OverflowError):  # whole numbers may be larger than any column
        pass
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string())
