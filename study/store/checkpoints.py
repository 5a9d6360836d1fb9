"""Checkpoints of a store by name: of packs in flight, of runs that have left their pack, and kept weights."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from study.store.errors import StorageError
from study.store.storage import Storage
from trainables import checkpoint
from trainables.checkpoint import Checkpoint, CheckpointError

THREADS = 16
"""Headers read at the same time: a bucket takes tens of milliseconds for each."""
STOPPED = "stopped"
"""Folder of the stop signs."""


def pack_state(pack_id: str) -> str:
    """Where the state of a pack in flight is."""
    return f"checkpoints/packs/{pack_id}.safetensors"


def run_state(run_id: str) -> str:
    """Where the last state of a run that has left its pack is."""
    return f"checkpoints/runs/{run_id}.safetensors"


def snapshot(run_id: str, step: int) -> str:
    """Where the weights of a run at a step are kept."""
    return f"checkpoints/snapshots/{run_id}/{step:010d}.safetensors"


def stop_sign(pack_id: str) -> str:
    """A file that stops a pack at its next flush, as long as it exists; a driver removes those that others left."""
    return f"{STOPPED}/{pack_id}"


def save(storage: Storage, name: str, state: Checkpoint) -> None:
    """Write a state, or replace it at once; OSError if it cannot be written."""
    with storage.drafted(name) as path:
        checkpoint.save(path, state)


def load(storage: Storage, name: str) -> Checkpoint:
    """A whole state on the CPU; CheckpointError if it cannot be read."""
    with storage.fetched(name) as path:
        return checkpoint.load(path)


def set_torn_aside(storage: Storage, name: str) -> None:
    """Keep a state that cannot be used under another name, so that nobody tries it again."""
    with suppress(FileNotFoundError):  # another pack had it, too, and was first
        storage.rename(name, name.replace(".safetensors", ".torn"))


def set_older_aside(storage: Storage, run_ids: Iterable[str]) -> None:
    """Keep the states of runs that begin anew under other names, so that nothing goes on from them."""
    asked = set(run_ids)
    packs = readable(storage, states_below(storage, "packs")) if asked else {}
    own = set(states_below(storage, "runs")) & {run_state(run_id) for run_id in asked} if asked else set()
    for name in (*own, *(name for name, (held, _) in packs.items() if asked & set(held))):
        storage.rename(name, name.replace(".safetensors", ".older"))


def states_below(storage: Storage, folder: str) -> list[str]:
    """Names of all states below a folder of `checkpoints`, sorted."""
    return sorted(name for name in storage.names(f"checkpoints/{folder}") if name.endswith(".safetensors"))


def readable(storage: Storage, names: Iterable[str]) -> dict[str, tuple[list[str], int]]:
    """The run ids and the step of each state, from its header, in the given order. Torn ones are left out: an older
    state, or the beginning, takes their place."""
    names = list(names)

    def header(name: str) -> tuple[list[str], int] | None:
        try:
            with storage.open(name) as file:
                return checkpoint.about(file)
        except StorageError:  # no answer: the state may well be there, so its runs must not be trained again
            raise
        except (CheckpointError, OSError):  # an OSError: it has gone with its pack, or the disk failed
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        return {name: about for name, about in zip(names, pool.map(header, names), strict=True) if about is not None}
