"""Where a pack begins: from the state of its own earlier try, else from what the plan found, else from the beginning.

A file that cannot be used (torn, with other bytes than were written, of another model) is set aside, so that nobody
tries it again, and an older state takes its place.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from study.plan.done import is_done
from study.plan.packing import PackPlan
from study.store import checkpoints
from study.store.parts import last_states
from study.store.storage import Storage, storage_at
from trainables.checkpoint import Checkpoint, CheckpointError, joined

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """What a pack begins with."""

    run_ids: set[str]
    """The runs that are still to train."""
    state: Checkpoint | None = None
    """Of all of these, at one step; None = they begin from the beginning."""
    files: list[str] = field(default_factory=list)
    """Names in the storage that `state` is from."""


def start_of(pack: PackPlan, place: str, pruning: bool, leaving: bool) -> Start:
    """The runs of a pack that are still to train, and the newest state in a storage that holds all of them; `pruning`
    and `leaving` as in `is_done`."""
    storage, known = storage_at(place), last_states(place, pack.pack_id)
    waiting = [run_id for run_id in pack.run_ids if not is_done(known.get(run_id), pack.horizon, pruning, leaving)]
    if not waiting:
        return Start(set())
    in_flight = checkpoints.pack_state(pack.pack_id)
    own = _loaded(storage, in_flight) if storage.exists(in_flight) else None
    if own and pack.start_step <= own.step < pack.horizon and set(waiting) <= set(own.run_ids):
        return Start(set(waiting), own.select(waiting), [in_flight])
    found = {name: state for name in pack.checkpoints if (state := _loaded(storage, name))}
    parts = [s.select([r for r in s.run_ids if r in waiting]) for s in found.values() if s.step == pack.start_step]
    if set(waiting) <= {run_id for part in parts for run_id in part.run_ids}:
        try:
            return Start(set(waiting), joined(parts).select(waiting), list(found))
        except CheckpointError as error:
            set_aside(storage, found, error)
    # Where a state has gone meanwhile they begin from the beginning, all of them: a pack has one step.
    return Start(set(waiting))


def set_aside(storage: Storage, names: Iterable[str], error: CheckpointError) -> None:
    """Keep states that cannot be used under other names."""
    log.warning("study: %s It is kept as .torn, and its runs go on from an older state.", error)
    for name in names:
        checkpoints.set_torn_aside(storage, name)


def _loaded(storage: Storage, name: str) -> Checkpoint | None:
    """A state; None where it cannot be used."""
    try:
        return checkpoints.load(storage, name)
    except CheckpointError as error:
        set_aside(storage, [name], error)
        return None
