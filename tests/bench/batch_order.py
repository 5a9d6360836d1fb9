"""Milliseconds a step that the order of batches takes, drawn on the host and computed on the device.

python -m tests.bench.batch_order [--device cuda]
"""

import argparse
import time

import torch

from trainables.batches import BatchOrder
from trainables.device import resolve_device
from trainables.engine import BLOCK_STEPS
from trainables.hashed_order import HashedOrder

SIZES = ((8, 2_000, 128), (256, 7_000, 512), (1_024, 4_800, 128))
"""Runs, examples, batch size."""
BLOCKS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    device = resolve_device(parser.parse_args().device)
    print(f"{'runs':>6}{'examples':>10}{'batch':>7}{'drawn ms':>10}{'hashed ms':>11}   on {device}")
    for runs, examples, batch in SIZES:
        counts = [examples] * runs
        drawn = seconds(BatchOrder(range(runs), counts, batch, device), device)
        hashed = seconds(HashedOrder(range(runs), counts, batch, device), device)
        print(f"{runs:6,}{examples:10,}{batch:7}{1000 * drawn:10.2f}{1000 * hashed:11.2f}")


def seconds(order: BatchOrder | HashedOrder, device: torch.device) -> float:
    """A step's share of a block, the best of some."""
    found = []
    for number in range(BLOCKS + 1):  # the first warms up
        started = time.perf_counter()
        order.block(number * BLOCK_STEPS, BLOCK_STEPS)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append((time.perf_counter() - started) / BLOCK_STEPS)
    return min(found[1:])


if __name__ == "__main__":
    main()
