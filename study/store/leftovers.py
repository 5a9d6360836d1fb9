"""What earlier drivers left in a storage. Only the driver may remove it, before it hands out a pack."""

from study.store.checkpoints import STOPPED, readable, run_state, states_below
from study.store.storage import Storage


def remove_leftovers(storage: Storage) -> None:
    """Remove stop signs, which would stop their packs for ever, states of packs whose runs have all gone on, and files
    that killed processes were writing."""
    for below in ("parts", "checkpoints"):
        storage.remove_drafts(below)
    for name in [*storage.names(STOPPED), *outdone(storage)]:
        storage.delete(name)


def outdone(storage: Storage) -> list[str]:
    """States of packs each of whose runs has a later state elsewhere: of its own, or of the half in which it came back.

    Whoever looks for the furthest state of a run takes the later one, so nobody reads these again.
    """
    packs = readable(storage, states_below(storage, "packs"))
    own = {run_state(run_id) for held, _ in packs.values() for run_id in held}
    states = packs | readable(storage, [name for name in states_below(storage, "runs") if name in own] if own else [])
    furthest: dict[str, int] = {}
    for held, step in states.values():
        furthest |= {run_id: max(step, furthest.get(run_id, 0)) for run_id in held}
    return [name for name, (held, step) in packs.items() if all(step < furthest[run_id] for run_id in held)]
