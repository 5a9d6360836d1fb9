"""The most that a device can do: of a data sheet, or measured by `study doctor --calibrate`.

How many runs keep a device busy and how long its steps take scale with these few numbers, so that another device needs
no file of its own. Sizes that were measured of a kind of device (what is compiled, what fits a cache) do not.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trainables.errors import SpecError

PRECISIONS = ("float32", "tf32", "bfloat16")
"""Of products and activations: `tf32` is float32 whose products round to 10 bits on the tensor cores of a GPU; on a CPU
it is float32."""

LEAST, MOST, MOST_RUNS = 1e6, 1e20, 1 << 20
"""No device does less or more in a second, and nobody trains larger packs: numbers from a file are looked at."""
ACHIEVED = 0.75
"""Share of a data sheet's rates that large products and copies reach; a guess, until a device is measured."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one device: a GPU, or one core of a CPU."""

    products_per_second: Mapping[str, float]
    """Operations of large matrix products, by precision; a multiplication with an addition counts as two."""
    bytes_per_second: float
    """Read plus written by a copy within the device's memory."""
    call_seconds: float
    """Of one small operation among many that follow each other; on CUDA replayed in a graph."""
    best_packs: Mapping[str, Sequence[tuple[float, int]]] = field(default_factory=dict)
    """By precision: operations of one run's step, and the runs of a pack from which a larger one trains no faster, by
    ascending operations. Empty where it was not measured."""

    def rate(self, precision: str) -> float:
        """Operations of products per second; those of float32 where no others are known."""
        return self.products_per_second.get(precision, self.products_per_second["float32"])

    def best_pack(self, precision: str, flops: float) -> int | None:
        """Runs from which a pack trains no faster, where one run's step takes so many operations; None where it was not
        measured. Between sizes that were measured it is interpolated; beyond the largest one the work of a step stays
        what it is there."""
        measured, flops = self.best_packs.get(precision), max(flops, 1)
        if not measured:
            return None
        for (low, runs), (high, fewer) in itertools.pairwise(measured):
            if low <= flops < high:
                along = math.log(flops / low) / math.log(high / low)
                return max(1, round(runs * (fewer / runs) ** along))
        (smallest, most), (largest, fewest) = measured[0], measured[-1]
        return most if flops < smallest else max(1, round(fewest * largest / flops))

    def shared(self, share: float) -> "Limits":
        """Of one of several packs that lie beside each other on a device, each with this share of it."""
        return replace(
            self,
            products_per_second={name: share * rate for name, rate in self.products_per_second.items()},
            bytes_per_second=share * self.bytes_per_second,
            best_packs={
                name: [(flops, max(1, int(share * runs))) for flops, runs in sizes]
                for name, sizes in self.best_packs.items()
            },
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> "Limits":
        """What `to_json` wrote; SpecError for anything else."""
        try:
            packs = {p: [(float(f), int(n)) for f, n in sizes] for p, sizes in data["best_packs"].items()}
            found = cls(
                products_per_second={p: float(rate) for p, rate in data["products_per_second"].items()},
                bytes_per_second=float(data["bytes_per_second"]),
                call_seconds=float(data["call_seconds"]),
                best_packs=packs,
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            raise SpecError("no limits of a device: fields are missing, or of another kind.") from None
        sizes = [pair for measured in packs.values() for pair in measured]
        bounded = [
            *((rate, LEAST, MOST) for rate in (*found.products_per_second.values(), found.bytes_per_second)),
            (found.call_seconds, 1e-9, 0.1),
            *((flops, 1, MOST) for flops, _ in sizes),
            *((runs, 1, MOST_RUNS) for _, runs in sizes),
        ]
        ascending = all(a < b for measured in packs.values() for (a, _), (b, _) in itertools.pairwise(measured))
        sane = ascending and all(low <= number <= high for number, low, high in bounded)
        if not sane or "float32" not in found.products_per_second:
            raise SpecError("no limits of a device: numbers are out of bounds, or there is none of float32.")
        return found


def sheet(float32: float, tf32: float, bfloat16: float, terabytes: float) -> Limits:
    """What can be had of the numbers in a GPU's data sheet: TFLOP/s of dense products, TB/s of its memory. The time of
    a call is that of a graph's node, which no sheet says."""
    rates = {"float32": float32, "tf32": tf32, "bfloat16": bfloat16}
    products = {precision: ACHIEVED * 1e12 * rate for precision, rate in rates.items()}
    return Limits(products_per_second=products, bytes_per_second=ACHIEVED * 1e12 * terabytes, call_seconds=1.5e-6)


SHEETS = {
    "H200": sheet(67, 495, 989, 4.8),
    "H100 PCIe": sheet(51, 378, 756, 2.0),
    "H100": sheet(67, 495, 989, 3.35),
    "A100": sheet(19.5, 156, 312, 2.0),
    "L40S": sheet(91.6, 183, 362, 0.86),
    "L4": sheet(30.3, 60, 121, 0.3),
}
"""By what the name of a GPU has in it; the first that fits. From NVIDIA's data sheets, without sparsity."""


def sheet_of(name: str) -> Limits | None:
    """What the data sheet says of the GPU with this name; None for one that we do not know, or for a part of one."""
    words = f" {name.replace('-', ' ')} "
    if " MIG " in words:
        return None
    return next((limits for known, limits in SHEETS.items() if f" {known} " in words), None)
