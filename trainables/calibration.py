"""Measure the limits of a device, once: rates of products and copies, calls, and the packs that train fastest.

Eight seconds on a core of a CPU; on a GPU perhaps two minutes. `study doctor --calibrate` keeps them in the storage;
whoever sizes packs for a device of that name takes them. Needs neither Ray nor a store.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from trainables.compiler import Compiling
from trainables.engine import BLOCK_STEPS
from trainables.errors import SpecError
from trainables.flops import run_flops
from trainables.limits import PRECISIONS, Limits
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.pack import Pack
from trainables.precision import computing
from trainables.spec import RunSpec
from trainables.tasks import modular
from trainables.timing import call_seconds, copy_rate, product_rate, rates

WIDTHS = (32, 64, 128, 256)
RUNS = (1, 4, 16, 64, 256, 1024)
BATCH_SIZE = 512
WARMUPS = 5
"""Steps before a graph is captured, and one that is replayed."""
SECONDS = 0.5
"""Of the timings of a pack."""
LEAST_FREE = 0.9
NEARLY = 0.9
"""A pack is among the best from this share of the best one's rate on."""
NO_GAIN = 1.05
"""Packs are not made larger any more once one trains less than this many times as fast as the one before: the largest
would take minutes, and the memory of the host."""


def calibrate(device: torch.device, found: Callable[[str, Any], None] = lambda what, number: None) -> Limits:
    """The limits of a device that does nothing else meanwhile; a CPU's are those of one core. `found` gets each number
    as soon as it is there.

    The best packs are measured on CUDA alone: on a CPU the caches bound them (`Device.cache_bytes`). SpecError where
    others have taken memory of a GPU: packs would end where it does.
    """
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        if free < LEAST_FREE * total:
            raise SpecError(
                f"{device}: {1 - free / total:.0%} of its memory is taken. Measure it while nobody uses it."
            )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        products, packs = {}, {}
        for precision in PRECISIONS:
            if precision == "tf32" and device.type == "cpu":
                products[precision] = products["float32"]  # it is the same there
                continue
            products[precision] = product_rate(device, precision)
            found(f"products in {precision}", products[precision])
        moved, call = copy_rate(device), call_seconds(device)
        found("copies", moved)
        found("a call", call)
        for precision in PRECISIONS if device.type == "cuda" else ():
            if sizes := best_packs(device, precision, WIDTHS, RUNS):
                packs[precision] = sizes
            found(f"packs in {precision}", sizes)
    finally:
        torch.set_num_threads(threads)
    return Limits(
        products_per_second=products,
        bytes_per_second=moved,
        call_seconds=call,
        best_packs=packs,
    )


def best_packs(
    device: torch.device, precision: str, widths: Sequence[int], runs: Sequence[int]
) -> list[tuple[float, int]]:
    """For each width the operations of one run's step, and the smallest pack that trains nearly as fast as the best.

    Steps are eager, or replayed on CUDA: compiling each size takes longer than the measurement.
    """
    found = []
    for width in widths:
        spec = example(width, precision)
        measured = dict(run_rates(spec, device, runs))
        if measured:
            best = max(measured.values())
            found.append((run_flops(spec, 1), min(n for n, rate in measured.items() if rate >= NEARLY * best)))
    return found


def run_rates(spec: RunSpec, device: torch.device, runs: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Run-steps per second of packs of so many runs, as long as larger ones gain and memory lasts."""
    before = 0.0
    for number in runs:
        try:
            rate = number * step_rate([spec.with_values({"seed": seed}) for seed in range(number)], device)
        except torch.OutOfMemoryError:
            return
        yield number, rate
        if rate < NO_GAIN * before:
            return
        before = rate


def step_rate(specs: Sequence[RunSpec], device: torch.device) -> float:
    """Steps per second of a pack of these runs."""
    with computing(specs[0].precision, device):
        pack = Pack(specs, device, Compiling("off"), evaluation_examples=1)
        try:
            pack.train(WARMUPS)
            return BLOCK_STEPS * max(rates(lambda: pack.train(BLOCK_STEPS), SECONDS, device))
        finally:
            pack.close()


def example(width: int, precision: str) -> RunSpec:
    """A run of one layer on addition modulo 97."""
    return RunSpec(
        task=modular.Task(p=97),
        model=transformer.Model(width=width),
        optimizer=adamw.Optimizer(weight_decay=1.0),
        batch_size=BATCH_SIZE,
        batch_order="hashed",
        precision=precision,
    )
