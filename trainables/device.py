"""The devices that packs train on: their names, and what was measured of each kind.

Every number that depends on the speed or the memory of a device is in its profile, so that for other hardware one file
is measured again.
"""

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from trainables.errors import SpecError
from trainables.limits import PRECISIONS, SHEETS, Limits


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What one worker needs for its work, for guesses of time: in most cases they are right within a factor of two."""

    products_per_second: float
    """Multiplications and additions of matrix products."""
    per_call: float
    """Seconds of a step or an evaluation, however small it is."""
    per_layer: float
    """Seconds that each layer adds to that."""
    per_float: float
    """Seconds of a step for each activation that it keeps."""
    per_weight: float
    """Seconds of an update for each weight."""
    compiled: float
    """What a compiled step takes of all this, products apart."""
    compile_seconds: float
    """A core's time to compile a step and an evaluation of one shape."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """What the engine and the planner know of one kind of device."""

    one_hot_limit: int
    """Largest vocabulary whose rows a compiled step looks up by a product with a one-hot matrix (lookup.py)."""
    sums_up_to: int
    """Tokens up to which attention is written out as sums, which is faster than products of matrices (attention.py)."""
    alone_from_weights: int
    """Weights from which a run that is alone in its pack is not mapped over: a batch of one product is slower."""
    evaluation_floats: int
    """Activations of one evaluation call, at most."""
    compile_from_flops: Mapping[str, float]
    """Operations from which compiling a step is worth its time, by precision."""
    largest_pack: int
    """Runs of a pack, at most."""
    cache_bytes: float | None
    """Activations of a pack on one core, at most, and half of these with its weights, gradients and optimizer state:
    more do not stay in the caches, and each run trains more slowly again. None = no such limit."""
    busy_seconds: float | None
    """A step that takes so long at the rate of large products keeps the device busy, so that more runs in a pack train
    no sooner. None = no such limit."""
    limits: Limits
    """Of the device on which `speed` was measured or guessed."""
    speed: Speed
    memory_share: float
    """Share of the free memory (a GPU's own, or the machine's) that the packs on it may use together."""
    memory_most: float
    """Bytes that they may use together, at most."""

    def of(self, limits: Limits) -> "Device":
        """The profile of another device of this kind: its times scale with what it can do."""
        own, old = self.speed, self.limits
        products = limits.rate("float32") / old.rate("float32")
        moved, call = old.bytes_per_second / limits.bytes_per_second, limits.call_seconds / old.call_seconds
        speed = replace(
            own,
            products_per_second=own.products_per_second * products,
            per_call=own.per_call * call,
            per_layer=own.per_layer * call,
            per_float=own.per_float * moved,
            per_weight=own.per_weight * moved,
        )
        return replace(self, limits=limits, speed=speed)

    def times_float32(self, precision: str) -> float:
        """How many times as fast large products are as in float32; 1 where that is not known."""
        return self.limits.rate(precision) / self.limits.rate("float32")

    def most_runs(self, precision: str, flops: float) -> int:
        """Runs of a pack, at most, where one run's step takes so many operations: more would train no sooner."""
        best = self.limits.best_pack(precision, flops)
        if best is None and self.busy_seconds is not None:
            best = max(1, int(self.busy_seconds * self.limits.rate(precision) / max(flops, 1)))
        return self.largest_pack if best is None else min(self.largest_pack, best)


CPU = Device(
    one_hot_limit=512,
    # Forward and backward of 64 examples, 4 runs, 4 heads of 8 on a core: with 5 tokens 0.5 ms by sums against 1.7 by
    # products when compiled (2.6 against 3.0 when not); with 16 tokens 4.5 against 3.3 (20 against 3.7).
    sums_up_to=8,
    alone_from_weights=1_000_000,
    evaluation_floats=2**23,  # 32 MB stay in the caches
    # Compiling takes a core 10 to 15 s, and steps are then 2 to 3 times faster.
    compile_from_flops=dict.fromkeys(PRECISIONS, 5e11),
    largest_pack=64,  # tests/bench/engine.py: larger ones do not train faster
    # Both cores of an AMD EPYC busy, runs of one layer and width 32: 64 in a pack train 2,460 run-steps/s, 32 3,770.
    cache_bytes=1.25e7,
    busy_seconds=None,
    # One core of an AMD EPYC, by `study doctor --calibrate`.
    limits=Limits(products_per_second=dict.fromkeys(PRECISIONS, 9.1e10), bytes_per_second=2.5e10, call_seconds=2.5e-6),
    # One core, 1 to 16 runs of 32 and of 512 examples, all models with one to four layers: within a factor of 1.7.
    speed=Speed(
        products_per_second=7e10,
        per_call=5e-4,
        per_layer=1.5e-3,
        per_float=5e-9,
        per_weight=1.2e-8,
        compiled=0.35,
        compile_seconds=24.0,
    ),
    memory_share=0.25,  # the rest is for Ray, torch and other programs
    memory_most=1.5e9,
)
CUDA = Device(
    one_hot_limit=4096,
    sums_up_to=8,  # as on a CPU: not measured here
    alone_from_weights=1_000_000,
    evaluation_floats=2**28,  # 1 GB
    # Seven seconds of small products, as on a CPU: not measured here.
    compile_from_flops={"float32": 3.5e13, "tf32": 2.5e14, "bfloat16": 5e14},
    largest_pack=1024,
    cache_bytes=None,
    busy_seconds=4e-3,  # some ten times what a replayed step of a hundred small operations takes: not measured
    limits=SHEETS["H100"],
    # Guesses for a replayed CUDA graph on an H100. The rate is that of small products.
    speed=Speed(
        products_per_second=5e12,
        per_call=2e-4,
        per_layer=2e-4,
        per_float=2e-11,
        per_weight=1e-10,
        compiled=0.5,
        compile_seconds=40.0,
    ),
    memory_share=0.7,
    memory_most=float("inf"),
)
PROFILES = {"cpu": CPU, "cuda": CUDA}
"""By `torch.device.type`."""
DEVICES = ("auto", *PROFILES)
"""What a user may ask for; `auto` is CUDA where there is one."""


def device_name(device: torch.device) -> str:
    """What its maker calls it; opens a context on a GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name()


def cpu_name() -> str:
    """What the maker of this machine's CPU calls it, or its architecture."""
    return _of_cpu("model name") or platform.processor() or platform.machine()


def cpu_digest() -> str:
    """A short digest of the CPU's name and of what it can do: machines with the same one run the same machine code. ''
    where the system does not say what it can do."""
    if not (able := cpu_abilities()):
        return ""
    said = " ".join((platform.machine(), cpu_name(), able, _of_cpu("CPU implementer"), _of_cpu("CPU part")))
    return hashlib.blake2b(said.encode(), digest_size=4).hexdigest()


def cpu_abilities() -> str:
    """The CPU's sets of instructions, as Linux names them; '' elsewhere."""
    return _of_cpu("flags") or _of_cpu("Features")


def _of_cpu(name: str) -> str:
    """What Linux says of the first core under this name; '' elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def resolve_device(device: str) -> torch.device:
    """The device with this name; `cuda:N` is one of several. SpecError for CUDA where there is none."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device not in PROFILES and not re.fullmatch(r"cuda:\d+", device):
        raise SpecError(f"device {device!r} is not known. Use {', '.join(DEVICES)} or cuda:N.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SpecError(f"device {device!r}: torch sees no CUDA device here. Use --device cpu, or auto.")
    return torch.device(device)
