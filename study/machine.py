"""What this machine gives a study: device, workers, memory. Each node of a cluster is asked the same."""

import os
from pathlib import Path

import torch

from study.packing import Machine, Share
from trainables.engine import resolve_device

CPU_MEMORY_SHARE = 0.25
"""Of the memory that is free, for all workers' packs together: the rest is Ray's, torch's and other people's."""
CPU_MEMORY_MOST = 1.5e9
CUDA_MEMORY_SHARE = 0.7


def machine(
    device: str, share: Share | None = None, *, cores: int | None = None, memory: float | None = None
) -> Machine:
    """As many workers as packs with this share fit; by default one per core on a CPU (runs pack better than threads
    do), one per device on CUDA.

    `cores` and `memory` (bytes) are what may be used of this machine, where that is not all that it has.
    """
    share = share or Share()
    if resolve_device(device).type == "cuda":
        free = min(torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count()))
        return Machine("cuda", torch.cuda.device_count() * int(1 / share.gpu), CUDA_MEMORY_SHARE * free * share.gpu)
    workers = max(1, (cores or num_cores()) // share.cores)
    free = min(memory or float("inf"), free_memory())
    return Machine("cpu", workers, min(CPU_MEMORY_MOST, CPU_MEMORY_SHARE * free) / workers)


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
