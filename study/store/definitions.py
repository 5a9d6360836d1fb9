"""Phase definitions: ours, one file `study/phases/<definition>.sql` each, and those that users bring, as text.

A definition is one select statement that gives `run_id` and `phase` from `outcomes`. It begins with the table of its
phases (`with names(phase, generalized, color, words) as (values ...)`), then its parameters (`defaults as (select
0.9::double as threshold, ...)` and `params as (select * from defaults)`). Ours name each column that they read
`outcomes.<column>`. Users may leave out `color` and `words`, and the parameters.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from study.store.levels import without_macro
from study.store.phase_colors import UNRESOLVED, fresh
from study.store.sql_text import ctes, literal, without_end

GENERALIZED = "generalized"
"""Short for every phase of a definition in which the test split is answered in the end."""
NO_PHASE = "unresolved"
UNFINISHED = "unfinished, failed, pruned or without records of what is asked"


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


@dataclass(frozen=True)
class Definition:
    """A phase definition: its name, its text, and what is asked of it."""

    name: str
    sql: str
    """A select statement without a semicolon."""
    unnamed: tuple[str, ...] = ()
    """Phases that come out of it and are not in its table. They have colours, and count as not generalized."""

    @property
    def select(self) -> str:
        """A query for `run_id` and `phase` from `outcomes`; no phase is `unresolved`."""
        return f"select run_id, coalesce(phase, '{NO_PHASE}') as phase from (\n{without_macro(self.sql)}\n)"

    @property
    def digest(self) -> str:
        """A hash of the text: what tells one text of a name from another."""
        return digest_of(self.sql)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Its phases in the order of legends: generalized ones from early to late, `unresolved` last."""
        return _phases(self)

    @property
    def generalized(self) -> tuple[str, ...]:
        """The phases in which the test split is answered in the end, early generalization before late."""
        return tuple(phase.name for phase in self.phases if phase.generalized)

    def legend(self, runs: Mapping[str, int]) -> list[dict[str, Any]]:
        """The phases that have runs, in their order: `name`, `runs`, `color`, and `words`, which say what a run of it
        does. `runs` are counts by phase."""
        return [
            {"name": phase.name, "runs": runs[phase.name], "color": phase.color, "words": phase.words}
            for phase in self.phases
            if phase.name in runs
        ]

    def query_on(self, query: str, *tables: str) -> str:
        """A query on the tables that the text begins with, such as `names` and `params`, and on no others."""
        spans = ctes(self.sql)
        written = [self.sql[slice(*spans[name])] for name in tables if name in spans]
        return f"with {', '.join(written)}\n{query}" if written else query

    def names_select(self) -> str:
        """A query for its phases in their order: position, phase, generalized, color, words."""
        if self.name in definitions():  # ours say all of it
            return self.query_on("select row_number() over ()::integer as position, * from names", "names")
        rows = [
            f"({position}, {literal(phase.name)}, {phase.generalized}, '{phase.color}', {literal(phase.words)})"
            for position, phase in enumerate(self.phases, 1)
        ]
        return f"select * from (values {', '.join(rows)}) as named(position, phase, generalized, color, words)"


def digest_of(sql: str) -> str:
    """A hash of the text of a definition."""
    return hashlib.sha256(sql.encode("utf-8", "replace")).hexdigest()[:16]


def definitions() -> list[str]:
    """Names of our phase definitions, sorted."""
    found = files("study.phases").iterdir()
    return sorted(file.name.removesuffix(".sql") for file in found if file.name.endswith(".sql"))


def ours(name: str) -> Definition:
    """Our definition of this name."""
    text = files("study.phases").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return Definition(name, without_end(text))


def with_ours(own: Iterable[Definition]) -> list[Definition]:
    """Our definitions and these, by name; of two with one name the later one."""
    return sorted({d.name: d for d in [*map(ours, definitions()), *own]}.values(), key=lambda d: d.name)


def named_rows(definition: Definition) -> list[dict[str, Any]]:
    """The table of phases as it is written. SQL does not tell `phase` from `PHASE`."""
    from study.store.query import query  # duckdb takes a moment to import

    rows = query(definition.query_on("from names limit 100", "names"), {}).to_pylist()
    return [{name.lower(): value for name, value in row.items()} for row in rows]


@cache
def _phases(definition: Definition) -> tuple[Phase, ...]:
    rows = named_rows(definition)
    named = {row["phase"]: row for row in rows}
    named |= {name: {"words": "not in its definition's table"} for name in definition.unnamed if name not in named}
    named |= {NO_PHASE: named.pop(NO_PHASE, {"color": UNRESOLVED, "words": UNFINISHED})}
    colors = {name: row.get("color") for name, row in named.items()} | {
        NO_PHASE: named[NO_PHASE].get("color") or UNRESOLVED
    }
    for name, row in named.items():
        colors[name] = colors[name] or fresh(filter(None, colors.values()), bool(row.get("generalized")))
    return tuple(
        Phase(name, bool(row.get("generalized")), str(colors[name]).lower(), row.get("words") or "")
        for name, row in named.items()
    )
