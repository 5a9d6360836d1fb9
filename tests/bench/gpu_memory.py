"""What packs leave on a device when they end, and what their checkpoints copy.

    python -m tests.bench.gpu_memory [--device cuda]

A process trains packs of different shapes one after the other, as a worker does, without the collector but for what a
capture collects. After each one as many bytes are allocated as after the second. On a CPU nothing can be asked for, and
all are 0.
"""

import argparse
import gc
import json
import sys

import torch

from trainables.device import resolve_device
from trainables.engine import train_pack
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

WIDTHS = (32, 64, 32, 128)
LIMIT = 1 << 20
"""Bytes: less than the weights of the smallest pack with their slots."""
SIZES = {"cuda": (16, 200), "cpu": (2, 10)}
"""Runs of a pack, and steps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    device = resolve_device(parser.parse_args().device)
    (num_runs, steps), rows = SIZES[device.type], []
    gc.disable()
    for width in WIDTHS:
        train_pack(runs(width, num_runs), horizon=steps, record=lambda flush: None, device=str(device), compile="off")
        rows.append({"width": width, **memory(device)})
    # The first packs make workspaces that the process keeps, those of cuBLAS for instance.
    left = max(0, rows[-1]["allocated"] - rows[1]["allocated"])
    says = f"{left:,} bytes more are left by the last pack than by the second; peaks {[row['peak'] for row in rows]}"
    print(json.dumps({"says": says, "packs": rows}))
    sys.exit(left > LIMIT)


def runs(width: int, number: int) -> list[RunSpec]:
    base = RunSpec(task=modular.Task(p=97), model=transformer.Model(width=width), optimizer=adamw.Optimizer())
    return [base.with_values({"batch_size": 512, "batch_order": "hashed", "seed": seed}) for seed in range(number)]


def memory(device: torch.device) -> dict[str, int]:
    """Bytes allocated now, and at most since the last time."""
    if device.type != "cuda":
        return {"allocated": 0, "peak": 0}
    found = {"allocated": torch.cuda.memory_allocated(device), "peak": torch.cuda.max_memory_allocated(device)}
    torch.cuda.reset_peak_memory_stats(device)
    return found


if __name__ == "__main__":
    main()
