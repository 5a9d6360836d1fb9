"""What a study trains on: this machine, or a cluster that was named, each node of which must see the store.

Knows no Ray: `study/train/ray_tune.py` carries these functions to the nodes.
"""

import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from study.plan.packing import Machine, Share
from study.sources import Sources, install
from study.store.folder import Folder
from study.store.storage import storage_at
from study.train import local_ray
from study.train.machine import machine
from trainables.errors import SpecError

MARKERS = "nodes"
MEND = (
    "Mount one shared folder (NFS, EFS, Filestore, a volume) at the same path on every node and give it as --store, "
    "or give --storage a bucket that every node may write to."
)


@dataclass(frozen=True)
class Marker:
    """A file by which a node knows the storage."""

    place: str
    name: str


@dataclass(frozen=True)
class Target:
    """Where packs train. `marker` is how a node of a cluster knows the storage; None = no cluster."""

    machine: Machine
    share: Share
    marker: Marker | None = None


@dataclass(frozen=True)
class Node:
    """A node of a cluster, as Ray counts it; `memory` in bytes."""

    node_id: str
    name: str
    cpus: float
    gpus: float
    memory: float


@dataclass(frozen=True)
class Report:
    """What a node has to say: what packs are sized for there, and what is wrong with it, '' for nothing."""

    machine: Machine | None
    trouble: str = ""


def is_named(address: str) -> bool:
    """True if `address` may be a running cluster; False only where Ray would surely start one of its own.

    Ray's own answer costs seconds of imports, so this looks where Ray does: at what this process has initialised, at
    RAY_ADDRESS, then at what `ray start` left.
    """
    if (ray := sys.modules.get("ray")) and ray.is_initialized():
        return True
    left = local_ray.folder() / "ray" / "ray_current_cluster"
    return address != "local" and (address != "auto" or bool(os.environ.get("RAY_ADDRESS")) or left.exists())


@contextmanager
def marker_in(place: str) -> Iterator[Marker]:
    """A file with a unique name in a storage, as long as the block lasts."""
    storage = storage_at(place)
    root = storage.root if isinstance(storage, Folder) else None
    made = [path for path in (root, *root.parents) if not path.exists()] if root else []
    marker = Marker(place, f"{MARKERS}/{secrets.token_hex(8)}")
    storage.write(marker.name, socket.gethostname().encode())
    try:
        yield marker
    finally:
        for left in [name for name in storage.names(MARKERS) if name.startswith(marker.name)]:
            storage.delete(left)
        with suppress(OSError):  # they go if they are empty
            for path in (root / MARKERS, *made) if root else ():
                path.rmdir()


def trouble_with(marker: Marker, name: str) -> str:
    """On a node: '' if it sees the storage as the driver does and can write to it, else why not."""
    own = f"{marker.name}.{secrets.token_hex(4)}"
    try:
        storage = storage_at(marker.place)
        storage.read(marker.name)
        storage.write(own, b"")
        storage.delete(own)
        return ""
    except OSError as error:
        return f"store '{marker.place}': node {name} does not share it ({error.strerror or error}). {MEND}"


def report(node: Node, marker: Marker, device: str, share: Share, sources: Sources) -> Report:
    """On a node: what it gives a study, whether it shares the store, and whether it can import a user's own parts."""
    trouble = trouble_with(marker, node.name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            install(sources, Path(folder))
        found = machine(device, share, cores=int(node.cpus), memory=node.memory, place=marker.place)
    except SpecError as error:
        said = str(error)
        return Report(None, trouble or (said if said.startswith("node ") else f"node {node.name}: {said}"))
    # Ray was told how many GPUs to use, torch sees all of them.
    return Report(replace(found, workers=share.packs(device, node.cpus, node.gpus)), trouble)


def smallest(reports: Sequence[Report], workers: int) -> Machine:
    """A machine for whose packs every node is large enough, with `workers` of them at a time; SpecError if one of the
    nodes cannot train."""
    for said in reports:
        if said.trouble:
            raise SpecError(said.trouble)
    machines = [said.machine for said in reports if said.machine]
    return replace(
        min(machines, key=lambda found: found.memory),
        workers=workers,
        compiler=all(found.compiler for found in machines),
    )
