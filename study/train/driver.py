"""The one process that drives a storage: no second one beside it, and what its packs are sized for and trained on."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from study.sources import Sources
from study.store.database import Store
from study.store.errors import StoreBusy
from study.store.lease import Lease, held
from study.store.leftovers import remove_leftovers
from study.store.storage import storage_at
from study.study_file import check_names
from study.train import cluster, local_ray
from study.train.cluster import Target
from study.train.machine import machine
from study.train.options import Options
from study.train.standing import Standing
from study.train.timings import CallTimer
from trainables.compiler import INSTALL
from trainables.errors import SpecError

MPS = "CUDA_MPS_PIPE_DIRECTORY"
"""In the environment: where the processes of a GPU meet its MPS daemon."""
Say = Callable[[Standing | str], None]
"""Gets how far a study is, again and again, and notes in words, each once."""


@dataclass(frozen=True)
class Driving:
    """What a driver works with as long as it is the only one on its storage."""

    store: Store
    options: Options
    sources: Sources
    target: Target
    lease: Lease
    say: Say
    timer: CallTimer


@contextmanager
def driving(
    store: Store, options: Options, sources: Sources, say: Say, timer: CallTimer | None = None
) -> Iterator[Driving]:
    """Drive the store's storage, as in `only_driver`, on what the options name, as in `target_of`."""
    timer = timer or CallTimer()
    timer.enter("plan")
    with only_driver(store, say) as lease, target_of(store, options, sources, say, timer) as target:
        yield Driving(store, options, sources, target, lease, say, timer)


@contextmanager
def only_driver(store: Store, say: Say) -> Iterator[Lease]:
    """Keep other drivers away from the store's storage until the block ends or this process dies, however it dies.

    Before and after all work the storage is tidied: what earlier drivers left is removed, and small parts become few
    files.
    """
    storage = storage_at(store.place)
    storage.check_writing()  # before any work
    with held(storage, say) as lease:
        remove_leftovers(storage)
        _compact(store, lease, say)
        yield lease
        _compact(store, lease, say)


def _compact(store: Store, lease: Lease, say: Say) -> None:
    try:
        store.compact(lease.check)
    except (OSError, StoreBusy) as error:  # nothing is lost, and the next driver tries again
        say(f"storage '{store.place}': its parts stay as many files as they are ({error})")


@contextmanager
def target_of(store: Store, options: Options, sources: Sources, say: Say, timer: CallTimer) -> Iterator[Target]:
    """What packs are sized for and trained on. A cluster is joined before anything is planned, and left at the end; its
    nodes are asked whether they can import the `sources`."""
    check_names(Path.cwd(), "Rename it, or start from another folder.")  # a worker looks there first
    if cluster.is_named(options.address):
        from study.train import nodes  # ray takes seconds to import

        if nodes.find(options.address):
            timer.enter("ray")
            with nodes.joined(options.address, store.place, options.device, options.share, sources, say) as target:
                timer.enter("plan")
                look_around(target, options.compile, say)
                yield target
            return
    if trouble := local_ray.trouble():
        raise SpecError(trouble)
    target = Target(machine(options.device, options.share, place=store.place), options.share)
    look_around(target, options.compile, say)
    yield target


def look_around(target: Target, choice: str, say: Say) -> None:
    """Say what makes packs slower here. Without a compiler `--compile on` is refused, and `auto` says that nothing is
    compiled; packs on one GPU take turns where NVIDIA's MPS does not let them run at the same time."""
    on = target.machine
    if on.device == "cuda" and target.share.gpu < 1 and not Path(os.environ.get(MPS, "/tmp/nvidia-mps")).exists():
        say("packs that share a GPU take turns on it: start NVIDIA's MPS there (nvidia-cuda-mps-control -d), or leave "
            "--gpus-per-pack out")  # fmt: skip
    if on.compiler:
        return
    if choice == "on":
        raise SpecError(f"--compile on: no C++ compiler was found; {INSTALL}, or take --compile off.")
    if choice == "auto":
        say(f"no C++ compiler was found, packs train eagerly, some times slower; {INSTALL}")
