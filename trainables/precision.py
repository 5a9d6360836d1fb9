"""What torch keeps for a whole process: the current GPU, and how matrix products of float32 round there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def dtype_of(precision: str) -> torch.dtype:
    """What weights and activations are in while products are computed in this precision."""
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


@contextmanager
def computing(precision: str, device: torch.device) -> Iterator[None]:
    """On CUDA, make this the current device and let products of float32 round as this precision says (to 10 bits in
    `tf32`), while the block lasts. Graphs and streams are of the current device, whatever tensors they work on."""
    if device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    try:
        with torch.cuda.device(device):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
