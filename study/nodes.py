"""A Ray of our own, or a cluster: joined, asked what its nodes give a study, and whether they share the store."""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
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

from study.cluster import Node, Report, Target, marker_in, report, smallest
from study.packing import Share
from trainables.errors import SpecError

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0
"""A node that has just come up imports torch from a cold disk."""
OBJECT_STORE_BYTES = 150_000_000
"""We pass specs through Ray, not data: its shared memory stays small."""
MOST_PLACES = 10_000
"""What stands for `as many as you like` in an autoscaler's limits."""


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


def join(address: str, found: str) -> None:
    """Join the cluster that was found at `address`; SpecError when none answers."""
    host, _, port = found.rpartition(":")
    try:
        # Ray itself would try for minutes.
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
        _init(address=found)
    except (OSError, RuntimeError) as error:  # ray's AuthenticationError is a RuntimeError
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise SpecError(f"no Ray answers at --address {address!r} ({found}: {reason}). Use local, or auto.") from None


@contextmanager
def joined(
    address: str, found: str, store: Path, device: str, share: Share, say: Callable[[str], None]
) -> Iterator[Target]:
    """The Target of a cluster, while the block lasts: packs fit its smallest node, all nodes share the store.

    Where it has no node that could train, but its autoscaler may start one, the first is waited for.
    """
    with marker_in(store) as marker:
        try:
            join(address, found)
            most = ray_state.state.get_max_resources_from_cluster_config() or {}
            if device == "auto":
                device = "cuda" if any(node.gpus for node in nodes()) or most.get("GPU") else "cpu"
            needs = resources_of(device, share)
            most_packs = share.packs(device, min(most.get("CPU", 0), MOST_PLACES), min(most.get("GPU", 0), MOST_PLACES))
            if not _able(device, share):
                if not most_packs:
                    raise SpecError(
                        f"--device {device}: no node of the Ray at {found} has {_words(needs)} for a pack. "
                        f"Start nodes that have, or give packs less with --gpus-per-pack or --cpus-per-pack."
                    )
                say(f"waiting for the cluster to start a node with {_words(needs)}")
                ray.get(ray.remote(os.getpid).options(num_cpus=needs["cpu"], num_gpus=needs.get("gpu", 0)).remote())
            able = _able(device, share)
            places = sum(share.packs(device, node.cpus, node.gpus) for node in able)
            reports = ask(able, marker, device, share)
            yield Target(smallest(reports, max(places, most_packs)), share, marker)
        finally:
            ray.shutdown()


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


def ask(asked: Sequence[Node], marker: str, device: str, share: Share) -> list[Report]:
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
    ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True, **options)


def _able(device: str, share: Share) -> list[Node]:
    """The nodes that have room for a pack."""
    return [node for node in nodes() if share.packs(device, node.cpus, node.gpus)]


def _words(needs: dict[str, float]) -> str:
    """{"cpu": 1, "gpu": 0.5} as `1 CPU, 0.5 GPU`."""
    return ", ".join(f"{number:g} {name.upper()}" for name, number in needs.items())
