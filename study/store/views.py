"""The views of the store as statements, in the order in which they build on each other.

A view is one file `study/store/sql/views/<number>_<name>.sql` with one select statement; the numbers give the order.
Between 30 and 40 come the phases: the macro `passages`, the view `phases`, which is the union of all definitions, the
view `study_phases`, the same for each study at its horizon, and the view `phase_names`, the tables of their phases.
"""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import PurePath

from study.store.definitions import Definition, with_ours
from study.store.levels import passages_macro
from study.store.sql_text import literal


def view_statements(own: Iterable[Definition] = ()) -> dict[str, str]:
    """The statements that make the views, by source file below study/; `own` are the store's own definitions."""
    views = {
        f"store/sql/views/{file}": f"create or replace view {_name(file)} as\n{text}" for file, text in _files().items()
    }
    before = {file: statement for file, statement in views.items() if PurePath(file).name < "30"}
    return before | {"store/levels.py": passages_macro()} | phase_statements(with_ours(own)) | views


def view_texts() -> dict[str, str]:
    """The select statement of each view that has a file, by the view's name."""
    return {_name(file): text for file, text in _files().items()}


def _files() -> dict[str, str]:
    folder = files("study.store").joinpath("sql", "views")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name: folder.joinpath(name).read_text(encoding="utf-8").strip().removesuffix(";") for name in names}


def _name(file: str) -> str:
    return PurePath(file).stem.partition("_")[2]


def phase_statements(definitions: Iterable[Definition]) -> dict[str, str]:
    """The statements that make the views of these definitions, by name."""
    definitions = list(definitions)
    return {
        "phases": phases_view("phases", "run_id", "main.outcomes", definitions),
        "study_phases": phases_view("study_phases", "run_id.study, run_id.run_id", "keyed_outcomes", definitions),
        "phase_names": names_view(definitions),
    }


def phases_view(name: str, key: str, outcomes: str, definitions: Iterable[Definition]) -> str:
    """The statement that makes a view of the phases of all runs by these definitions. They read `outcomes`, which is
    planned and answered once for all of them; `key` names a run there."""
    selects = [f"select {key}, {literal(d.name)} as definition, phase from (\n{d.select}\n)" for d in definitions]
    once = f"with outcomes as materialized (from {outcomes})"
    return f"create or replace view {name} as\n{once}\n" + "\nunion all\n".join(selects)


def names_view(definitions: Iterable[Definition]) -> str:
    """The statement that makes the view `phase_names` of these definitions."""
    tables = [f"select {literal(d.name)} as definition, * from (\n{d.names_select()}\n)" for d in definitions]
    return "create or replace view phase_names as\n" + "\nunion all\n".join(tables)
