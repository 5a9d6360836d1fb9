"""The store as one study has it: its runs, each judged at the study's horizon or at an earlier one.

Views of a connection's own stand before those of the file, so that a query reads `outcomes`, `phases`, `curves`,
`metrics`, `probes` and `cells` as ever and sees those of the study.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from study.store.definitions import Definition, with_ours
from study.store.derived import select_of
from study.store.levels import passages_macro, sql_of
from study.store.own_definitions import newest, of_study
from study.store.query import quoted
from study.store.views import names_view, phase_statements, phases_view, view_texts

READS_PHASES = re.compile("phases|cells|phase_names|query", re.IGNORECASE)
"""In a query that may read them: their names, and the functions `query` and `query_table`, which take any name."""


@dataclass(frozen=True)
class Scope:
    """A study, and the horizon at which its runs are judged: None is the longest that each has finished."""

    study: str
    horizon: int | None = None
    definition: Definition | None = None
    """A definition to have beside the store's; before one of the same name."""

    def install(self, connection: duckdb.DuckDBPyConnection, text: str, without: Collection[str] = ()) -> None:
        """Make the study's views that the query `text` may read in a connection; its file stays as it is. Definitions
        `without` are left out of those of phases."""
        connection.begin()
        [(file,)] = connection.execute("select current_database()").fetchall()
        main, study, texts = f"{quoted(file)}.main", "'" + self.study.replace("'", "''") + "'", view_texts()
        horizon = self.horizon
        if horizon is not None and _is_the_only_one(horizon, connection, study):
            horizon = None  # the views of the file will do
        if horizon is not None:
            _judge_again(horizon, connection, main, study, texts)
        for statement in (
            f"create view outcomes as select * exclude (study) from study_outcomes where study = {study}",
            passages_macro(),
            *(
                f"create view {name} as select rows.* from {main}.{name} as rows join outcomes using (run_id)"
                " where step <= outcomes.horizon"
                for name in ("curves", "metrics", "probes")
            ),
        ):
            connection.execute(_temporary(statement))
        if READS_PHASES.search(text):  # they take longer to make than most queries to answer
            stored, known = newest(connection), self.definitions(connection, without)
            connection.execute(_temporary(phases_view("phases", "run_id", "temp.main.outcomes", known)))
            if horizon is not None or known != with_ours(stored):
                connection.execute(f"create temp view study_phases as select {study} as study, * from phases")
                connection.execute(f"create temp view cells as\n{texts['cells']}")
                connection.execute(_temporary(names_view(known)))
        connection.commit()

    def definitions(self, connection: duckdb.DuckDBPyConnection, without: Collection[str] = ()) -> list[Definition]:
        """Ours, those of the store, the study's own text before another of its name, and the one that was asked for."""
        asked = [self.definition] if self.definition else []
        own = [*newest(connection), of_study(connection, self.study), *asked]
        return with_ours(definition for definition in own if definition.name not in without)


def install_phases_without(connection: duckdb.DuckDBPyConnection, without: Collection[str]) -> None:
    """Make the views of phases of all studies in a connection, without these definitions; its file stays as it is."""
    [(file,)] = connection.execute("select current_database()").fetchall()
    known = with_ours(definition for definition in newest(connection) if definition.name not in without)
    connection.execute(_temporary(passages_macro()))
    for statement in phase_statements(known, f"{quoted(file)}.main.outcomes").values():
        connection.execute(_temporary(statement))
    connection.execute(f"create temp view cells as\n{view_texts()['cells']}")


def _is_the_only_one(horizon: int, connection: duckdb.DuckDBPyConnection, study: str) -> bool:
    """True where the study's runs were never planned for another horizon."""
    text = f"select bool_and(horizons = [{horizon}::bigint]) from study_runs where study = {study}"
    return bool(connection.execute(text).fetchall()[0][0])


def _judge_again(
    horizon: int, connection: duckdb.DuckDBPyConnection, main: str, study: str, texts: Mapping[str, str]
) -> None:
    """Outcomes of the study with this horizon as the only one that was planned. What the store has no measures of is
    measured now."""
    planned = f"* replace ({horizon}::bigint as horizon, [{horizon}]::bigint[] as horizons)"
    connection.execute(f"create temp view study_runs as select {planned} from {main}.study_runs where study = {study}")
    connection.execute(f"""
        create temp view past as
        from study_runs join recorded using (run_id) where step > {horizon}
            and run_id not in (select run_id from {main}.measures where cut = {horizon})""")
    connection.execute(f"""
        create temp view evaluated as
        select {horizon}::bigint as cut, *
        from {main}.curves where step <= {horizon} and run_id in (select run_id from past)""")
    connection.execute(f"create temp view earlier as from {main}.measures limit 0")
    connection.execute(f"create temp table measured as\n{sql_of('measures')}")
    connection.execute(f"create temp view measures as from {main}.measures union all by name from measured")
    for name in ("observed", "observations"):
        connection.execute(f"create temp view {name} as\n{select_of(name)}")
    connection.execute(f"create temp view study_outcomes as\n{texts['study_outcomes']}")


def _temporary(statement: str) -> str:
    """A statement that makes a view or a macro, for a connection's own."""
    return statement.replace("create or replace ", "create ", 1).replace("create ", "create temp ", 1)
