"""A Ray of our own, or a cluster: joined, asked what its nodes give a study, and whether they share the store."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Read when ray is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_DEDUP_LOGS", "0")

import ray
import ray._private.state as ray_state
import ray._private.worker as ray_worker
from ray._private.services import canonicalize_bootstrap_address  # ray 2.60: there is no public way to ask
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.cluster import Marker, Node, Report, Target, marker_in, report, smallest
from study.packing import Share
from trainables.errors import SpecError

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0
"""A node that has just come up imports torch from a cold disk."""
OBJECT_STORE_BYTES = 150_000_000
"""We pass specs through Ray, not data: its shared memory stays small."""
MOST_PLACES = 10_000
"""An autoscaler may say `as many as you like`."""


def start(workers: int) -> None:
    """Start a Ray on this machine for so many packs at a time."""
    _init(address="local", num_cpus=workers, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)


def find(address: str) -> str | None:
    """HOST:PORT of the cluster at `address`; None if there is none and one is to be started here.

    `auto` is the cluster of RAY_ADDRESS or of `ray start`, where there is one. It is never the Ray that another program
    has started for itself, as in ray.init(address="auto"): that one ends when the other program does.
    """
    asked: Any = None if address == "auto" else address
    return canonicalize_bootstrap_address(asked)


@contextmanager
def connected(address: str) -> Iterator[None]:
    """The cluster at `address`, while the block lasts; SpecError when none answers."""
    found = find(address)
    try:
        if found is None:
            raise ConnectionError("no cluster was started")
        host, _, port = found.rpartition(":")
        # Ray itself would try for minutes.
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
        _init(address=found)
    except (OSError, RuntimeError) as error:  # ray's AuthenticationError is a RuntimeError
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        at = f"{found}: " if found else ""
        raise SpecError(f"no Ray answers at --address {address!r} ({at}{reason}). Use local, or auto.") from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def joined(address: str, place: str, device: str, share: Share, say: Callable[[str], None]) -> Iterator[Target]:
    """The Target of a cluster, while the block lasts: packs fit its smallest node, all nodes share the store.

    Where it has no node that could train, but its autoscaler may start one, the first is waited for.
    """
    with marker_in(place) as marker, connected(address):
        most = ray_state.state.get_max_resources_from_cluster_config() or {}
        if device == "auto":
            device = "cuda" if any(node.gpus for node in nodes()) or most.get("GPU") else "cpu"
        able, most_packs = _able(device, share), share.packs(device, most.get("CPU", 0), most.get("GPU", 0))
        if not able:
            needs = resources_of(device, share)
            words = ", ".join(f"{number:g} {name.upper()}" for name, number in needs.items())
            if not most_packs:
                raise SpecError(
                    f"--device {device}: no node of the Ray at {address} has {words} for a pack. "
                    f"Start nodes that have, or give packs less with --gpus-per-pack or --cpus-per-pack."
                )
            say(f"waiting for the cluster to start a node with {words}")
            ray.get(ray.remote(os.getpid).options(num_cpus=needs["cpu"], num_gpus=needs.get("gpu", 0)).remote())
            able = _able(device, share)
        places = sum(share.packs(device, node.cpus, node.gpus) for node in able)
        reports = ask(able, marker, device, share)
        yield Target(smallest(reports, min(max(places, most_packs), MOST_PLACES)), share, marker)


def nodes() -> list[Node]:
    """The nodes of the cluster that are alive."""
    return [
        Node(
            node["NodeID"],
            node["NodeManagerAddress"],
            *(node["Resources"].get(name, 0.0) for name in ("CPU", "GPU", "memory")),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


def ask(asked: Sequence[Node], marker: Marker, device: str, share: Share) -> list[Report]:
    """What each of these nodes says of itself and of the store; a node that cannot say it has that as its trouble."""
    # A process that has looked at a GPU keeps some of its memory until it ends.
    task = ray.remote(num_cpus=0, max_calls=1 if device == "cuda" else 0, max_retries=0)(report)
    answers = [
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.node_id, soft=False)).remote(
            node, marker, device, share
        )
        for node in asked
    ]
    reports = []
    for node, answer in zip(asked, answers, strict=True):
        try:
            reports.append(ray.get(answer, timeout=ANSWER_SECONDS))
        except RayError as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].rstrip(".")
            mend = "Every node needs the same grokking-study, Python and Ray."
            reports.append(Report(None, f"node {node.name} cannot train ({reason}). {mend}"))
    return reports


def resources_of(device: str, share: Share) -> dict[str, float]:
    """What Ray sets aside for a pack."""
    return {"cpu": 1, "gpu": share.gpu} if device == "cuda" else {"cpu": share.cores}


def _init(**options: Any) -> None:
    """ray.init, quietly."""
    # The store has the error of a pack that failed. Ray 2.60 prints deaths of workers on stdout whatever it is told.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    ray_worker._worker_logs_enabled = False
    asked_to_end = signal.getsignal(signal.SIGTERM)
    ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True, **options)
    if threading.current_thread() is threading.main_thread():  # Ray takes a SIGTERM for a crash
        signal.signal(signal.SIGTERM, asked_to_end)


def _able(device: str, share: Share) -> list[Node]:
    """The nodes that have room for a pack."""
    return [node for node in nodes() if share.packs(device, node.cpus, node.gpus)]
