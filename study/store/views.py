"""The views of the store as statements, in the order in which they build on each other.

A view is one file `study/store/sql/views/<number>_<name>.sql` with one select statement; the numbers give the order.
Between 30 and 40 come the phases: the macro `passages`, the view `phases`, which is the union of all definitions, the
view `study_phases`, the same for each study at its horizon, and the view `phase_names`, the tables of their phases.
"""

from importlib.resources import files
from pathlib import PurePath

from study.store.definitions import definitions, names_query, select_of
from study.store.levels import passages_macro, without_macro


def view_statements() -> dict[str, str]:
    """The statements that make the views, by source file below study/."""
    views = {
        f"store/sql/views/{file}": f"create or replace view {_name(file)} as\n{text}" for file, text in _files().items()
    }
    before = {file: statement for file, statement in views.items() if PurePath(file).name < "30"}
    return before | {"store/levels.py": passages_macro()} | _phases() | views


def view_texts() -> dict[str, str]:
    """The select statement of each view that has a file, by the view's name."""
    return {_name(file): text for file, text in _files().items()}


def _files() -> dict[str, str]:
    folder = files("study.store").joinpath("sql", "views")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name: folder.joinpath(name).read_text(encoding="utf-8").strip().removesuffix(";") for name in names}


def _name(file: str) -> str:
    return PurePath(file).stem.partition("_")[2]


def _phases() -> dict[str, str]:
    names = [f"select '{name}' as definition, * from (\n{names_query(name)}\n)" for name in definitions()]
    return {
        "phases": phases_view("phases", "run_id", "main.outcomes"),
        "study_phases": phases_view("study_phases", "run_id.study, run_id.run_id", "keyed_outcomes"),
        "phase_names": "create or replace view phase_names as\n" + "\nunion all\n".join(names),
    }


def phases_view(name: str, key: str, outcomes: str) -> str:
    """The statement that makes a view of the phases of all runs by all definitions. They read `outcomes`, which is
    planned and answered once for all of them; `key` names a run there."""
    selects = [
        f"select {key}, '{definition}' as definition, phase from (\n{without_macro(select_of(definition))}\n)"
        for definition in definitions()
    ]
    once = f"with outcomes as materialized (from {outcomes})"
    return f"create or replace view {name} as\n{once}\n" + "\nunion all\n".join(selects)
