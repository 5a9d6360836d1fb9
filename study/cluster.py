"""What a study trains on: this machine, or a cluster that was named, each node of which must see the store.

Knows no Ray: `study/runner.py` carries these functions to the nodes.
"""

import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from study.machine import machine
from study.packing import Machine, Share
from trainables.errors import SpecError

MARKERS = ".nodes"
MEND = "Mount one shared folder (NFS, EFS, Filestore, a volume) at the same path on every node and give it as --store."


@dataclass(frozen=True)
class Target:
    """Where packs train. `marker` is the file by which a node of a cluster knows the store; None = no cluster."""

    machine: Machine
    share: Share
    marker: str | None = None


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

    Ray's own answer costs seconds of imports, so this looks where Ray does: RAY_ADDRESS, then what `ray start` left.
    """
    folder = os.environ.get("RAY_TMPDIR", os.environ.get("TMPDIR", "/tmp"))
    left = Path(folder, "ray", "ray_current_cluster")
    return address != "local" and (address != "auto" or bool(os.environ.get("RAY_ADDRESS")) or left.exists())


@contextmanager
def marker_in(store: Path) -> Iterator[str]:
    """A file in the store with a name that no other store has, while the block lasts."""
    made = [path for path in (store, *store.parents) if not path.exists()]
    folder = store / MARKERS
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / secrets.token_hex(8)
    marker.write_text(socket.gethostname())
    try:
        yield str(marker)
    finally:
        for left in folder.glob(f"{marker.name}*"):
            left.unlink(missing_ok=True)
        with suppress(OSError):  # they go if they are empty
            for path in (folder, *made):
                path.rmdir()


def trouble_with(marker: str, name: str) -> str:
    """On a node: '' if it sees the store as the driver does and can write to it, else why not."""
    try:
        Path(marker).read_text()
        with tempfile.NamedTemporaryFile(dir=Path(marker).parent, prefix=f"{Path(marker).name}."):
            return ""
    except OSError as error:
        store = Path(marker).parents[1]
        return f"store '{store}': node {name} does not share it ({error.strerror}). {MEND}"


def report(node: Node, marker: str, device: str, share: Share) -> Report:
    """On a node: what it gives a study, and whether it shares the store."""
    trouble = trouble_with(marker, node.name)
    try:
        found = machine(device, share, cores=int(node.cpus), memory=node.memory)
    except SpecError as error:
        return Report(None, trouble or f"node {node.name}: {error}")
    # Ray was told how many GPUs to use, torch sees all of them.
    return Report(replace(found, workers=share.packs(device, node.cpus, node.gpus)), trouble)


def smallest(reports: Sequence[Report], workers: int) -> Machine:
    """A machine for whose packs every node is large enough, with `workers` of them at a time; SpecError if one of the
    nodes cannot train."""
    for said in reports:
        if said.trouble:
            raise SpecError(said.trouble)
    machines = [said.machine for said in reports if said.machine]
    return replace(machines[0], workers=workers, memory=min(found.memory for found in machines))
