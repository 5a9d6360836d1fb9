"""What this machine gives a study: device, workers, memory. Each node of a cluster is asked the same."""

import functools
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from study.plan.packing import Machine, Share
from trainables.compiler import find_compiler
from trainables.device import CPU, CUDA, resolve_device
from trainables.errors import SpecError

ASK = "import torch; print([torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())])"

ASK_SECONDS = 120


def machine(
    device: str, share: Share | None = None, *, cores: int | None = None, memory: float | None = None
) -> Machine:
    """As many workers as packs with this share fit; by default one per core on a CPU (runs pack better than threads
    do), one per device on CUDA.

    `cores` and `memory` (bytes) limit what may be used of this machine; None = all that it has. SpecError where a pack
    asks for more cores than that.
    """
    share = share or Share()
    if resolve_device(device).type == "cuda":
        free = free_memory_of_gpus()
        memory = min(CUDA.memory_most, CUDA.memory_share * min(free))
        workers = len(free) * share.packs_per_gpu
        return Machine("cuda", workers, memory * share.gpu, find_compiler("cuda") is not None)
    cores = cores or num_cores()
    if share.cores > cores:
        raise SpecError(
            f"--cpus-per-pack {share.cores}: there are {cores} cores here, a pack would wait for ever. "
            f"Give {cores} or fewer."
        )
    workers = cores // share.cores
    free = min(memory or float("inf"), free_memory())
    memory = min(CPU.memory_most, CPU.memory_share * free) / workers
    return Machine("cpu", workers, memory, find_compiler("cpu") is not None)


@functools.cache
def free_memory_of_gpus() -> list[int]:
    """Bytes that are free on each GPU. A process of its own asks: whoever does opens a context, which takes hundreds of
    megabytes for as long as it lives, and in exclusive mode keeps the workers out."""
    free, said = [], f"no answer in {ASK_SECONDS} s"
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            [sys.executable, "-P", "-c", ASK], capture_output=True, text=True, check=False, timeout=ASK_SECONDS
        )
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        with suppress(ValueError):
            free = json.loads(done.stdout)
    if not free:
        raise SpecError(f"--device cuda: the memory of the GPUs cannot be asked for ({said}). Use --device cpu.")
    return free


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
