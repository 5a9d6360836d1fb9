"""How fast calls are, and what a device can do at most. Needs torch alone.

Each rate is the best of several windows, because disturbances only ever slow a measurement down. Operands are random,
because zeros can run faster.
"""

import time
from collections.abc import Callable
from typing import Any

import torch

from trainables.precision import computing, dtype_of

MATRIX_SIZE = {"cpu": 1536, "cuda": 8192}
NUM_WINDOWS = 5
COPY_BYTES = {"cpu": 2**29, "cuda": 2**31}
"""Larger than the last-level cache."""
CALLS = 200


def product_rate(device: torch.device, precision: str, seconds: float = 1.0) -> float:
    """Operations per second of a large square matrix product, counting a multiplication and an addition as two."""
    size = MATRIX_SIZE[device.type]
    left, right = (torch.randn(size, size, device=device).to(dtype_of(precision)) for _ in range(2))
    out = torch.empty_like(left)
    with computing(precision, device):
        return 2 * size**3 * max(rates(lambda: torch.mm(left, right, out=out), seconds, device))


def copy_rate(device: torch.device, seconds: float = 1.0) -> float:
    """Bytes read plus bytes written per second by a copy within the device's memory."""
    num_floats = COPY_BYTES[device.type] // 4
    if device.type == "cuda":
        num_floats = min(num_floats, torch.cuda.mem_get_info(device)[0] // 16)
    source, target = torch.randn(num_floats, device=device), torch.zeros(num_floats, device=device)
    return 8 * num_floats * max(rates(lambda: target.copy_(source), seconds, device))


def call_seconds(device: torch.device, seconds: float = 0.5) -> float:
    """Seconds of one small operation among many that follow each other, on CUDA in a replayed graph."""
    small = torch.randn(256, device=device)

    def calls() -> None:
        for _ in range(CALLS):
            small.mul_(1.0001)

    call: Callable[[], None] = calls
    if device.type == "cuda":
        calls()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device), torch.cuda.graph(graph, stream=torch.cuda.Stream(device)):
            calls()
        call = graph.replay
    return 1 / (CALLS * max(rates(call, seconds, device)))


def rates(call: Callable[[], Any], seconds: float, device: torch.device) -> list[float]:
    """Calls per second in each of several windows, about `seconds` in total, after two calls to warm up."""
    call()
    once = timed(call, 1, device)
    repeats = max(1, int(seconds / NUM_WINDOWS / once))
    return [repeats / timed(call, repeats, device) for _ in range(NUM_WINDOWS)]


def timed(call: Callable[[], Any], repeats: int, device: torch.device) -> float:
    """Seconds until the device has finished `repeats` calls."""
    synchronize(device)
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has finished its work; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
