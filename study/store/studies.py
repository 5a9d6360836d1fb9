"""The studies of a store by name, without what trains them: reading commands answer before torch would be imported."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from study.store.database import FILE, Store
from study.store.definition_source import given_definition
from study.store.definitions import Definition, definitions, ours, with_ours
from study.store.own_definitions import DEFAULT, NEWEST, OF_STUDIES, chosen
from study.store.stored_json import check_spec
from trainables.components import closest
from trainables.errors import SpecError


def stored_names(folder: str | Path) -> list[str]:
    """Names of the studies in the store in `folder`; none where there is no store."""
    if not (Path(folder) / FILE).exists():
        return []
    return [name for (name,) in Store.open(folder).sql("select study from studies order by 1").fetchall()]


def stored_spec(store: Store, study: str) -> dict[str, Any] | None:
    """What the store keeps of a study, as its `to_json`; None if it has none of this name. StoreError for JSON of
    another kind."""
    found = store.sql("select spec from studies where study = ?", [study]).fetchall()
    return check_spec(study, found[0][0]) if found else None


SOURCES = """
    with latest as (
        select run_id, [task, model, optimizer] as parts, source, updated_at
        from attempts join run_specs using (run_id)
        qualify attempt = max(attempt) over (partition by run_id)
    ),
    used as (
        select study, source as digest, parts, count(*)::integer as runs, max(updated_at) as heard_at
        from latest join study_runs using (run_id) where ?::varchar is null or study = ?
        group by all
    )
    select study, digest, parts, runs, list(module order by module) as modules, list(text order by module) as texts
    from used join sources using (digest)
    group by study, digest, parts, runs, heard_at order by study, heard_at desc, digest, parts"""


def stored_sources(store: Store, study: str | None) -> list[dict[str, Any]]:
    """The sources of a study's own parts, the newest first: one row per digest and names of the parts, with its
    modules, their texts, and how many runs were trained by it last. None: of all studies, by name."""
    return store.sql(SOURCES, [study, study]).to_arrow_table().to_pylist()


def source_notes(store: Store, study: str | None = None) -> list[str]:
    """A line for each study with runs of an older source, as `source_note` has it; None: of all studies."""
    found = groupby(stored_sources(store, study), key=itemgetter("study"))
    return [note for name, rows in found if (note := _source_note(name, list(rows), None))]


def source_note(store: Store, study: str, current: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """A line where runs of a study were trained by another source than the newest of the same parts, or than any of
    `current` (digest -> module -> text); else ''."""
    return _source_note(study, stored_sources(store, study), current)


def _source_note(study: str, found: list[dict[str, Any]], current: Mapping[str, Mapping[str, str]] | None) -> str:
    newest = dict[tuple[str, ...], str]()
    texts = {row["digest"]: dict(zip(row["modules"], row["texts"], strict=True)) for row in found}
    for row in found:
        newest.setdefault(tuple(row["parts"]), row["digest"])
    older = [row for row in found if row["digest"] not in (current or (newest[tuple(row["parts"])],))]
    if not older:
        return ""
    changed = dict[str, None]()
    for row in older:
        now = ChainMap(*map(dict, current.values())) if current else texts[newest[tuple(row["parts"])]]
        changed |= dict.fromkeys(module for module, text in texts[row["digest"]].items() if now.get(module) != text)
    runs, total = sum(row["runs"] for row in older), sum(row["runs"] for row in found)
    return (
        f"{runs:,} of {total:,} runs of {study} are of an older source of {' and '.join(changed)}: raise the `version` "
        f"of the part that has changed, which makes new runs of all, or train these again with `study run {study}.py "
        f"--retrain`."
    )


def own_definitions(store: Store, study: str | None = None) -> dict[str, Definition]:
    """The phase definitions of the studies of a store, by study; None: of all."""
    rows = store.sql(f"from ({OF_STUDIES}) where ?::varchar is null or study = ?", [study, study]).fetchall()
    return {name: chosen(name, *found) for *found, name in rows}


def definition_of(store: Store, study: str, asked: str | Definition | None = None) -> Definition:
    """The phase definition `asked`: ours or the store's by name, a path or SQL text; None for the study's own.

    In a study its own text of a name goes before others. Phases that come out of it there and are not in its table are
    in `unnamed`. SpecError for a name that neither this package nor the store has, and for a text that does not work.
    """
    found = asked if isinstance(asked, Definition) else _found(store, study, asked)
    if found.name in definitions() and found.sql == ours(found.name).sql:
        return found
    text = "select distinct phase from phases where definition = ? order by 1"
    phases = [phase for (phase,) in store.of(study, definition=found).sql(text, [found.name]).fetchall()]
    known = {phase.name for phase in replace(found, unnamed=()).phases}
    return replace(found, unnamed=tuple(phase for phase in phases if phase not in known))


def _found(store: Store, study: str, asked: str | None) -> Definition:
    own = own_definitions(store, study).get(study, ours(DEFAULT))
    if asked is None:
        return own
    given = given_definition(str(asked), None)
    if given is not None:
        return given
    stored = [Definition(name, sql) for name, sql in store.sql(NEWEST).fetchall()]
    known = {definition.name: definition for definition in with_ours([*stored, own])}
    if asked not in known:
        raise SpecError(f"No phase definition named {asked!r}. {closest(asked, sorted(known))}")
    return known[asked]


def judged(store: Store, study: str, horizon: int | None) -> Store:
    """The store as the study has it, with its runs judged at `horizon` steps (None: see `Store.of`); SpecError for a
    study that this store has no plan of, and where no run was observed so far."""
    store.check_known(study)
    scoped = store.of(study, horizon)
    if horizon is not None:
        text = """select max(steps), count(*) filter (where steps >= ?)
            from runs semi join (from study_runs where study = ?) using (run_id)"""
        [(longest, reached)] = scoped.sql(text, [horizon, study]).fetchall()
        if not reached:
            raise SpecError(
                f"horizon {horizon}: no run of study {study!r} was observed so far; "
                f"the longest has {longest or 0} steps."
            )
    return scoped
