"""A Ray of our own, or a cluster: joined, asked what its nodes give a study, and whether they share the store."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import study.train.ray_environment  # noqa: F401 (what Ray reads when it is imported)

# isort: split
import ray
import ray._private.ray_constants as constants
import ray._private.state as ray_state
import ray._private.worker as ray_worker
from ray._private.services import canonicalize_bootstrap_address  # ray 2.60: there is no public way to ask
from ray.exceptions import RayError
from ray.util import client as ray_client
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.plan.packing import Share
from study.sources import Sources
from study.train import local_ray
from study.train.address import check_environment
from study.train.cluster import Marker, Node, Report, Target, marker_in, report, smallest
from trainables.errors import SpecError

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0
"""A node that has just come up imports torch from a cold disk."""
OBJECT_STORE_BYTES = 150_000_000
"""Specs go through Ray, data does not: its shared memory stays small."""
MOST_PLACES = 10_000
"""An autoscaler may say `as many as you like`."""


NO_SOURCES = Sources()
STARTS = 2
"""Times that a Ray is started here: where others keep the cores busy, it may not come up in the half minute that it
gives itself."""


def start(packs: int, device: str, share: Share) -> None:
    """Start a Ray on this machine with what so many packs at a time ask for; SpecError where it does not come up."""
    cpus, gpus = packs, -(-packs // share.packs_per_gpu)
    if device == "cpu":
        cpus, gpus = packs * share.cores, 0
    for tries in range(1, STARTS + 1):
        try:
            local_ray.make_token()
            return _on_loopback(
                address="local",
                num_cpus=cpus,
                num_gpus=gpus,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
            )
        except Exception as error:  # Ray has no class of its own for it
            if tries == STARTS:
                reason = _reason(error)
                raise SpecError(
                    f"Ray did not start on this machine ({reason}). If other programs keep it busy, call the same "
                    f"command again when they are done; `study doctor` tells what Ray needs."
                ) from error


def find(address: str) -> str | None:
    """HOST:PORT of the cluster at `address`; None if there is none and one is to be started here.

    `auto` is the Ray that this process has initialised, else the cluster of RAY_ADDRESS or of `ray start`, if there is
    one. Unlike in ray.init(address="auto"), it is never the Ray that another program has started for itself: that one
    ends when the other program does.
    """
    if ray.is_initialized():
        return _own(address)
    if address == "auto":
        check_environment()
    asked: Any = None if address == "auto" else address
    try:
        return canonicalize_bootstrap_address(asked)
    except (ConnectionError, ValueError) as error:
        reason = _reason(error)
        raise SpecError(f"no Ray is found at --address {address!r} ({reason}). Use local.") from None


def _own(address: str) -> str:
    """HOST:PORT of the Ray that this process has initialised; SpecError where `address` asks for another one."""
    mend = "Call ray.shutdown() first, or leave the address out to train there."
    if ray_client.ray.is_connected():
        raise SpecError(f"this process is a client of a Ray (ray.init('ray://...')), which trains no study. {mend}")
    found = str(ray.get_runtime_context().gcs_address)
    if address != "auto" and (address == "local" or canonicalize_bootstrap_address(address) != found):
        raise SpecError(f"--address {address!r}: this process has initialised the Ray at {found}. {mend}")
    return found


@contextmanager
def connected(address: str) -> Iterator[None]:
    """The cluster at `address`, while the block lasts; SpecError when none answers.

    A Ray that this process has initialised is used as it is, and left running.
    """
    found = find(address)
    if ray.is_initialized():
        yield
        return
    try:
        if found is None:
            raise ConnectionError("no cluster was started")
        host, _, port = found.rpartition(":")
        # Ray itself would try for minutes.
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
        _init(address=found)
    except (OSError, RuntimeError) as error:  # ray's AuthenticationError is a RuntimeError
        reason = _reason(error)
        at = f"{found}: " if found else ""
        raise SpecError(f"no Ray answers at --address {address!r} ({at}{reason}). Use local, or auto.") from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def joined(
    address: str, place: str, device: str, share: Share, sources: Sources, say: Callable[[str], None]
) -> Iterator[Target]:
    """The Target of a cluster, while the block lasts: packs fit its smallest node, all nodes share the store.

    If it has no node that can train, but its autoscaler may start one, this waits for the first.
    """
    with marker_in(place) as marker, connected(address):
        more = _to_come()
        if device == "auto":
            device = "cuda" if any(node.gpus for node in [*nodes(), *more]) else "cpu"
        able, most_packs = _able(device, share), sum(share.packs(device, node.cpus, node.gpus) for node in more)
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
        reports = ask(able, marker, device, share, sources)
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


def ask(
    asked: Sequence[Node], marker: Marker, device: str, share: Share, sources: Sources = NO_SOURCES
) -> list[Report]:
    """What each of these nodes says of itself and of the store, and whether it can import a user's own parts. A node
    that cannot answer has that as its trouble."""
    # Until it ends, a process that has looked at a GPU keeps memory there, and one that has imported keeps modules.
    calls = 1 if device == "cuda" or sources.modules else 0
    task = ray.remote(num_cpus=0, max_calls=calls, max_retries=0)(report)
    answers = [
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.node_id, soft=False)).remote(
            node, marker, device, share, sources
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


def _to_come() -> list[Node]:
    """The nodes that the cluster's autoscaler may have at most, where it has one; -1 is `as many as you like` to it."""
    config = ray_state.state.get_cluster_config()
    kinds = [(kind.resources, kind.max_count) for kind in config.node_group_configs] if config else []
    return [
        Node("", "", *(MOST_PLACES if (has := there.get(name, 0)) < 0 else has for name in ("CPU", "GPU", "memory")))
        for there, number in kinds
        for _ in range(MOST_PLACES if number < 0 else min(number, MOST_PLACES))
    ]


def _init(**options: Any) -> None:
    """ray.init, quietly."""
    # Ray 2.60 prints deaths of workers on stdout whatever it is told.
    ray_worker._worker_logs_enabled = False
    logging.getLogger("ray.widgets.util").setLevel(logging.WARNING)  # it recommends packages to notebooks
    asked_to_end = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True, **options)
    finally:
        if threading.current_thread() is threading.main_thread():  # Ray takes a SIGTERM for a crash
            signal.signal(signal.SIGTERM, asked_to_end)


def _on_loopback(**options: Any) -> None:
    """`_init` of a Ray that other machines do not reach. Ray 2.60 takes 127.0.0.1 as an address for another one of this
    machine, and then listens to all networks; only where it is told that there are no clusters it listens to none."""
    before, constants.ENABLE_RAY_CLUSTER = constants.ENABLE_RAY_CLUSTER, False
    try:
        _init(**options)
    finally:
        constants.ENABLE_RAY_CLUSTER = before


def _reason(error: Exception) -> str:
    """What Ray says, without what it explains at length."""
    return str(error).strip().partition("\n")[0].rstrip(".")


def _able(device: str, share: Share) -> list[Node]:
    """The nodes that have room for a pack."""
    return [node for node in nodes() if share.packs(device, node.cpus, node.gpus)]
