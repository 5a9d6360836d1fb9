"""Phase definitions: one file `study/phases/<definition>.sql` each, with the table of its phases and its parameters.

A file is one select statement that gives `run_id` and `phase` from `outcomes`. It begins with the table of its phases
(`with names(phase, generalized, color, words) as (values ...)`), then its parameters (`defaults as (select 0.9::double
as threshold, ...)` and `params as (select * from defaults)`). It names each column that it reads `outcomes.<column>`.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

GENERALIZED = "generalized"
"""Short for every phase of a definition in which the test split is answered in the end."""
PARAMS = "params as (select * from defaults)"


@dataclass(frozen=True)
class Phase:
    """A phase of a definition."""

    name: str
    generalized: bool
    """True where the test split is answered in the end."""
    color: str
    """On charts, as `#rrggbb`. Phases of one definition stay apart for readers with deuteranopia or protanopia."""
    words: str
    """What a run of this phase does."""


def definitions() -> list[str]:
    """Names of the phase definitions, sorted."""
    found = files("study.phases").iterdir()
    return sorted(file.name.removesuffix(".sql") for file in found if file.name.endswith(".sql"))


def select_of(definition: str) -> str:
    """The select statement of a definition."""
    text = files("study.phases").joinpath(f"{definition}.sql").read_text(encoding="utf-8")
    return text.strip().removesuffix(";")


def defaults_query(definition: str) -> str:
    """A query for the parameters of a definition: one row."""
    return f"{_head(definition)}\nselect * from defaults"


def names_query(definition: str) -> str:
    """A query for the phases of a definition in their order: position, phase, generalized, color, words."""
    return f"{_head(definition)}\nselect row_number() over ()::integer as position, * from names"


@cache
def phases_of(definition: str) -> tuple[Phase, ...]:
    """The phases of a definition in the order of legends: generalized ones from early to late, `unresolved` last."""
    from study.store.query import query  # duckdb takes a moment to import

    rows = query(f"{names_query(definition)} order by position", {}).to_pylist()
    return tuple(Phase(row["phase"], row["generalized"], row["color"], row["words"]) for row in rows)


def generalized_phases(definition: str) -> tuple[str, ...]:
    """The phases of a definition in which the test split is answered in the end, early generalization before late."""
    return tuple(phase.name for phase in phases_of(definition) if phase.generalized)


def _head(definition: str) -> str:
    """A definition up to its parameters."""
    return select_of(definition).partition(f",\n{PARAMS}")[0]
