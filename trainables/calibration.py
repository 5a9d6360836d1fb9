"""Measure the limits of a device, once: rates of products and copies, calls, and the packs that train fastest.

A quarter of a minute on a core of a CPU, two minutes on a GPU. `study doctor --calibrate` keeps them in the storage;
whoever sizes packs for a device of that name takes them. Needs neither Ray nor a store.
"""

from collections.abc import Callable, Iterator, Sequence

import torch

from trainables.compiler import Compiling
from trainables.flops import run_flops
from trainables.limits import PRECISIONS, Limits
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.pack import Pack
from trainables.precision import products_in
from trainables.spec import RunSpec
from trainables.tasks import modular
from trainables.timing import call_seconds, copy_rate, product_rate, timed

WIDTHS = (32, 64, 128, 256)
RUNS = (1, 4, 16, 64, 256, 1024)
BATCH_SIZE = 512
WARMUPS = 5
"""Steps before a graph is captured, and one that is replayed."""
STEPS = 8
"""A timing has so many, and at least SECONDS."""
SECONDS = 0.1
NEARLY = 0.9
"""A pack is among the best from this share of the best one's rate on."""


def calibrate(device: torch.device, say: Callable[[str], None] = lambda text: None) -> Limits:
    """The limits of a device that does nothing else meanwhile; a CPU's are those of one core.

    The best packs are measured on CUDA alone: on a CPU the caches bound them (`Device.cache_bytes`).
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        products = {}
        for precision in PRECISIONS:
            say(f"products in {precision}")
            with products_in(precision, device):
                dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
                products[precision] = product_rate(device, dtype)
        say("copies and calls")
        moved, call = copy_rate(device), call_seconds(device)
        packs = {}
        for precision in PRECISIONS if device.type == "cuda" else ():
            say(f"packs in {precision}")
            packs[precision] = best_packs(device, precision, WIDTHS, RUNS)
    finally:
        torch.set_num_threads(threads)
    return Limits(
        products_per_second=products,
        bytes_per_second=moved,
        call_seconds=call,
        best_packs={precision: sizes for precision, sizes in packs.items() if sizes},
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
    """Run-steps per second of packs of so many runs, as far as memory lasts."""
    for number in runs:
        try:
            yield number, number * step_rate([spec.with_values({"seed": seed}) for seed in range(number)], device)
        except torch.OutOfMemoryError:
            return


def step_rate(specs: Sequence[RunSpec], device: torch.device) -> float:
    """Steps per second of a pack of these runs."""
    pack = Pack(specs, device, Compiling("off"), evaluation_examples=1)
    try:
        with products_in(specs[0].precision, device):
            pack.train(WARMUPS)
            steps = STEPS * max(1, int(SECONDS / timed(lambda: pack.train(STEPS), 1, device)))
            return steps / timed(lambda: pack.train(steps), 1, device)
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
