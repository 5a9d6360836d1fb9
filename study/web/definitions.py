"""The phase definitions that an address may name: those of the package, of the store and of a study."""

from study.store.database import Store
from study.store.definitions import Definition, with_ours
from study.store.own_definitions import NEWEST
from study.store.studies import own_definitions
from trainables.components import closest
from trainables.errors import SpecError


def check_definition(store: Store, study: str | None, name: str | None) -> None:
    """SpecError unless the definition is one of the package, of the store or of the study. A path or a text would be
    one elsewhere; an address must neither name a file nor bring SQL."""
    known = definition_names(store, study)
    if name is not None and name not in known:
        raise SpecError(f"definition {name!r} is not known. {closest(name, known)}")


def definition_names(store: Store, study: str | None) -> list[str]:
    """Names of the definitions that the runs of a study, or of all, can be judged by."""
    known = {*known_definitions(store)}
    if study is not None:
        known |= {definition.name for definition in own_definitions(store, study).values()}
    return sorted(known)


def known_definitions(store: Store) -> dict[str, Definition]:
    """Our phase definitions and the newest of each of the store's own, by name."""
    stored = [Definition(name, sql) for name, sql in store.sql(NEWEST).fetchall()]
    return {definition.name: definition for definition in with_ours(stored)}
