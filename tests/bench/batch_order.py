"""Milliseconds a step that the order of batches takes, drawn on the host and computed on the device.

python -m tests.bench.batch_order [--device cuda] [--json]
"""

import argparse
import time

import torch

from tests.bench import ceilings
from trainables.batches import BatchOrder
from trainables.device import resolve_device
from trainables.engine import BLOCK_STEPS
from trainables.hashed_order import HashedOrder

SIZES = {
    "cpu": ((8, 2_000, 128), (64, 7_000, 128)),
    "cuda": ((8, 2_000, 128), (256, 7_000, 512), (1_024, 4_800, 128)),
}
"""Runs, examples, batch size."""
BLOCKS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    device, rows = resolve_device(options.device), []
    for runs, examples, batch in SIZES[device.type]:
        times = {"runs": runs, "examples": examples, "batch": batch}
        for name, kind in (("drawn ms", BatchOrder), ("hashed ms", HashedOrder)):
            times[name] = round(1000 * seconds(kind(range(runs), [examples] * runs, batch, device), device), 3)
        rows.append(times)
        ceilings.tell(times, options.json)
    if not options.json:
        ceilings.show(rows, as_json=False)


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
