"""What this machine gives a study: device, workers, memory. Each node of a cluster is asked the same."""

import functools
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from study.plan.packing import Machine, Share
from study.store.storage import storage_at
from study.train import calibrations
from trainables.compiler import find_compiler
from trainables.device import CPU, CUDA, cpu_name, resolve_device
from trainables.errors import SpecError
from trainables.limits import Limits, sheet_of

ASK = (
    "import json, torch; c = torch.cuda; gpus = range(c.device_count()); "
    "print(json.dumps([[c.get_device_name(i), *c.mem_get_info(i)] for i in gpus]))"
)

ASK_SECONDS = 120


def machine(
    device: str,
    share: Share | None = None,
    *,
    cores: int | None = None,
    memory: float | None = None,
    place: str | None = None,
) -> Machine:
    """As many workers as packs with this share fit; by default one per core on a CPU (runs pack better than threads
    do), one per device on CUDA.

    `cores` and `memory` (bytes) limit what may be used of this machine; None = all that it has. In the storage at
    `place` is what was measured of devices like these; a GPU of which nothing was measured has the limits of its data
    sheet, or those of an H100 where we have none. SpecError where a pack asks for more cores than there are.
    """
    share = share or Share()
    if resolve_device(device).type == "cuda":
        gpus = gpus_here()
        memory = min(CUDA.memory_most, CUDA.memory_share * min(free for _, free, _ in gpus))
        name, *_ = min(gpus, key=lambda gpu: gpu[2])  # of different kinds the one that has the least memory
        limits = _measured(place, name) or sheet_of(name) or CUDA.limits
        workers = len(gpus) * share.packs_per_gpu
        return Machine("cuda", workers, memory * share.gpu, find_compiler("cuda") is not None, limits.shared(share.gpu))
    cores = cores or num_cores()
    if share.cores > cores:
        raise SpecError(
            f"--cpus-per-pack {share.cores}: there are {cores} cores here, a pack would wait for ever. "
            f"Give {cores} or fewer."
        )
    workers = cores // share.cores
    free = min(memory or float("inf"), free_memory())
    memory = min(CPU.memory_most, CPU.memory_share * free) / workers
    return Machine("cpu", workers, memory, find_compiler("cpu") is not None, _measured(place, cpu_name()))


def _measured(place: str | None, device_name: str) -> Limits | None:
    return calibrations.kept(storage_at(place), device_name) if place else None


@functools.cache
def gpus_here() -> list[tuple[str, int, int]]:
    """Name, free and all bytes of each GPU. A process of its own asks: whoever does opens a context, which takes
    hundreds of megabytes for as long as it lives, and in exclusive mode keeps the workers out."""
    found, said = [], f"no answer in {ASK_SECONDS} s"
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            [sys.executable, "-P", "-c", ASK], capture_output=True, text=True, check=False, timeout=ASK_SECONDS
        )
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        with suppress(ValueError):
            found = [(str(name), int(free), int(total)) for name, free, total in json.loads(done.stdout)]
    if not found:
        raise SpecError(f"--device cuda: the GPUs cannot be asked what they are ({said}). Use --device cpu.")
    return found


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> float:
    """Bytes that can be had without swapping; 4 GB where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 4e9
