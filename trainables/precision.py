"""How matrix products of float32 round on CUDA: torch keeps it for a whole process."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def products_in(precision: str, device: torch.device) -> Iterator[None]:
    """On CUDA, let products of float32 round as this precision says while the block lasts: to 10 bits in `tf32`."""
    if device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
