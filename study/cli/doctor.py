"""What works on this machine, one row per check; a failing row says how to fix it."""

import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study.plan.packing import Share
from study.store.place import FILE, checked_folder, place_of
from study.store.storage import storage_at
from trainables.errors import SpecError

LEAST_FREE_BYTES = 2e9


def checks(store: Path, address: str | None = None) -> list[dict[str, Any]]:
    """Every check as {check, ok: yes|no|note, found}; none of them starts a cluster.

    With an address, the nodes of the cluster that is there are asked, too, and whether each shares the store.
    """
    rows = []
    for name, check in CHECKS.items():
        try:
            ok, found = check(store)
        except Exception as error:  # a broken installation raises anything at all
            ok, found = "no", f"{type(error).__name__}: {error}"
        rows.append({"check": name, "ok": ok, "found": found})
    return rows + (_nodes(store.absolute(), address) if address else [])


def _nodes(store: Path, address: str) -> list[dict[str, Any]]:
    """A row for each node of a cluster, or one that says that there is none."""
    from study.train import cluster, nodes

    try:
        with cluster.marker_in(place_of(store)) as marker, nodes.connected(address):
            asked = nodes.nodes()
            answers = nodes.ask(asked, marker, "cpu", Share())
    except SpecError as error:
        return [{"check": "cluster", "ok": "no", "found": str(error)}]
    rows = []
    for node, said in zip(asked, answers, strict=True):
        fits = f"{node.cpus:g} CPU, {node.gpus:g} GPU, {node.memory / 1e9:.0f} GB; shares {store}"
        rows.append(
            {"check": f"node {node.name}", "ok": "no" if said.trouble else "yes", "found": said.trouble or fits}
        )
    return rows


def _device(store: Path) -> tuple[str, str]:
    import torch

    if torch.cuda.is_available():
        return "yes", f"torch {torch.__version__}, {torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return "yes", f"torch {torch.__version__}, CPU only, {len(os.sched_getaffinity(0))} cores"


def calibrated(store: Path, say: Callable[[str], None]) -> None:
    """Measure each kind of device that this machine has and keep it in the store's storage."""
    import torch

    from study.train import calibrations
    from trainables.calibration import calibrate

    storage = storage_at(place_of(checked_folder(store)))
    storage.check_writing()
    for name, device in _devices().items():
        say(name)
        try:
            limits = calibrate(device, lambda what, number: say(what))
        except torch.AcceleratorError as error:  # in exclusive mode, another process has it
            raise SpecError(f"{name} cannot be measured ({str(error).splitlines()[0]}).") from error
        calibrations.keep(storage, name, limits)


def _devices() -> dict[str, Any]:
    """One device of each kind, by name."""
    import torch

    from trainables.device import device_name, resolve_device

    first = resolve_device("auto")
    every = [torch.device("cuda", i) for i in range(torch.cuda.device_count())] if first.type == "cuda" else [first]
    return {device_name(device): device for device in reversed(every)}


def _calibration(store: Path) -> tuple[str, str]:
    from study.train import calibrations

    said, all_known = [], True
    for name in _devices():
        limits = calibrations.kept(storage_at(place_of(store)), name)
        all_known = all_known and limits is not None
        said.append(f"{name}: {_in_words(limits)}" if limits else f"{name} is not measured, packs go by guesses")
    return (
        ("yes", "; ".join(said))
        if all_known
        else ("note", f"{'; '.join(said)}: `study doctor --calibrate` measures it.")
    )


def _in_words(limits: Any) -> str:
    products = ", ".join(f"{rate / 1e12:.3g} in {name}" for name, rate in limits.products_per_second.items())
    packs = ", ".join(str(number) for _, number in limits.best_packs.get("float32", ()))
    return (
        f"{products} TFLOP/s, copies {limits.bytes_per_second / 1e9:.3g} GB/s, a call "
        f"{limits.call_seconds * 1e6:.2g} us" + (f", best packs {packs}" if packs else "")
    )


def _compiler(store: Path) -> tuple[str, str]:
    import torch

    from trainables.compiler import INSTALL, find_compiler

    found = find_compiler("cuda" if torch.cuda.is_available() else "cpu")
    if found:
        return "yes", f"torch.compile can use {found}"
    return "note", f"no C++ compiler: packs train eagerly, some times slower, and --compile on is refused; {INSTALL}."


def _ray(store: Path) -> tuple[str, str]:
    from study.train import local_ray

    if trouble := local_ray.trouble() or local_ray.others_in_folder():
        return "no", trouble
    return "yes", f"ray {importlib.metadata.version('ray')}, its files in {local_ray.folder()}"


def _authentication(store: Path) -> tuple[str, str]:
    from study.train import local_ray

    mode, token = os.environ.get("RAY_AUTH_MODE"), local_ray.token_file()
    if readers := local_ray.readers_of_token():
        return "no", readers
    if mode == "token" and not token.exists():
        return "no", f"RAY_AUTH_MODE=token but {token} does not exist: copy it from the head node."
    if mode is None and token.exists():
        return "note", f"{token} exists and RAY_AUTH_MODE is not set: set RAY_AUTH_MODE=token to join a remote cluster."
    return "yes", f"RAY_AUTH_MODE={mode or 'unset (a local Ray sets it itself)'}"


def _storage(store: Path) -> tuple[str, str]:
    if (store / FILE).exists():
        storage = storage_at(place_of(store))
        storage.check()
        storage.check_writing()
        return "yes", f"{store} keeps its parts in {storage}, which can be written from here"
    folder = next(path for path in (store.absolute(), *store.absolute().parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        return "no", f"{store} cannot be written to ({error.strerror}); it can be read. Train with another --store."
    shared = _file_system(folder) in ("nfs", "nfs4", "cifs", "fuse.s3fs", "lustre", "gpfs", "ceph", "fuse.glusterfs")
    return "yes", f"{store} can be written; " + ("shared storage" if shared else "on this machine only: one node")


def _disk(store: Path) -> tuple[str, str]:
    folder = next(path for path in (store.absolute(), *store.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        return "no", f"{free / 1e9:.1f} GB free at {folder}: free some, or choose another --store."
    return "yes", f"{free / 1e9:.0f} GB free"


def _database(store: Path) -> tuple[str, str]:
    from study.store.database import Store

    if not (store / "study.duckdb").exists():
        return "yes", f"duckdb {importlib.metadata.version('duckdb')}; no store at {store} yet"
    [(runs,)] = Store.open(store).sql("select count(*)::integer from runs").fetchall()
    return "yes", f"duckdb {importlib.metadata.version('duckdb')}; {runs:,} runs in {store}"


def _file_system(folder: Path) -> str:
    """Type of the mount that holds a folder; empty where the system does not say."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    within = [(point, kind) for point, kind in mounts if folder == Path(point) or Path(point) in folder.parents]
    return max(within, key=lambda mount: len(mount[0]), default=("", ""))[1]


CHECKS: dict[str, Callable[[Path], tuple[str, str]]] = {
    "torch device": _device,
    "calibration": _calibration,
    "compiler": _compiler,
    "ray": _ray,
    "authentication": _authentication,
    "storage": _storage,
    "free disk": _disk,
    "store": _database,
}
