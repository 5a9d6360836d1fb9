"""What is known of devices, and how packs and guesses of time follow from it."""

import dataclasses
import json

import pytest

from trainables.device import CPU, CUDA
from trainables.errors import SpecError
from trainables.limits import SHEETS, Limits, sheet_of

MEASURED = Limits(
    products_per_second={"float32": 5e13, "tf32": 3e14, "bfloat16": 6e14},
    bytes_per_second=3e12,
    call_seconds=2e-6,
    best_packs={"float32": [(1e8, 512), (1e9, 64)]},
)


def test_the_name_of_a_gpu_leads_to_its_data_sheet():
    names = {
        "NVIDIA H100 80GB HBM3": "H100",
        "NVIDIA H100 PCIe": "H100 PCIe",
        "NVIDIA H200": "H200",
        "NVIDIA A100-SXM4-80GB": "A100",
        "NVIDIA A100-PCIE-40GB": "A100",
        "NVIDIA L4": "L4",
        "NVIDIA L40S": "L40S",
    }
    assert {name: sheet_of(name) for name in names} == {name: SHEETS[sheet] for name, sheet in names.items()}
    assert sheet_of("NVIDIA GeForce RTX 4090") is None
    assert sheet_of("NVIDIA H100 80GB HBM3 MIG 1g.10gb") is None, "a part of one"


def test_a_share_of_a_device_has_a_share_of_its_rates():
    half = MEASURED.shared(0.5)
    assert half.products_per_second["tf32"] == 1.5e14
    assert (half.bytes_per_second, half.call_seconds) == (1.5e12, 2e-6)
    assert half.best_packs == {"float32": [(1e8, 256), (1e9, 32)]}
    assert MEASURED.shared(1) == MEASURED


def test_the_best_pack_is_what_was_measured_and_between_sizes_it_is_interpolated():
    assert [MEASURED.best_pack("float32", flops) for flops in (1e6, 1e8, 1e9)] == [512, 512, 64]
    assert MEASURED.best_pack("float32", 10**8.5) == round((512 * 64) ** 0.5)
    assert [MEASURED.best_pack("float32", flops) for flops in (4e9, 1e13)] == [16, 1], "the work of a step stays"
    assert MEASURED.best_pack("bfloat16", 1e9) is None, "not measured"


def test_limits_come_back_from_json_and_nothing_else_does():
    said = json.loads(json.dumps(MEASURED.to_json()))
    assert Limits.from_json(said) == MEASURED
    wrong = (
        None,
        [],
        {},
        said | {"bytes_per_second": 0},
        said | {"call_seconds": "nan"},
        said | {"products_per_second": {"bfloat16": 1e12}},
        said | {"best_packs": {"float32": [[1e9, 64], [1e8, 512]]}},
        said | {"best_packs": {"float32": [[1e9, 0]]}},
        said | {"best_packs": {"float32": [[1e9]]}},
        said | {"best_packs": {"float32": [[1e9, 10**400]]}},
        said | {"best_packs": {"float32": [[5e-324, 4], [1e9, 10]]}},
        said | {"bytes_per_second": 1e-300},
        said | {"products_per_second": {"float32": True}},
    )
    for data in wrong:
        with pytest.raises(SpecError, match="no limits of a device"):
            Limits.from_json(data)


def test_times_scale_with_what_a_device_can_do():
    """One that is twice as fast in everything takes half the time."""
    old = CPU.limits
    rates = {precision: 2 * rate for precision, rate in old.products_per_second.items()}
    faster = CPU.of(
        Limits(products_per_second=rates, bytes_per_second=2 * old.bytes_per_second, call_seconds=old.call_seconds / 2)
    )
    assert CPU.of(old) == CPU
    for name in ("per_call", "per_layer", "per_float", "per_weight"):
        assert getattr(faster.speed, name) == pytest.approx(getattr(CPU.speed, name) / 2)
    assert faster.speed.products_per_second == pytest.approx(2 * CPU.speed.products_per_second)
    assert dataclasses.replace(faster, limits=old, speed=CPU.speed) == CPU, "and nothing else changes"


def test_large_models_in_low_precision_fill_a_gpu_with_more_runs():
    """The step of the paper's GPT-2: 5.2e11 operations. A device of which nothing was measured goes by its rates."""
    runs = {p: CUDA.most_runs(p, 5.2e11) for p in ("float32", "tf32", "bfloat16")}
    assert runs == {"float32": 1, "tf32": 2, "bfloat16": 5}
    assert CUDA.of(SHEETS["L4"]).most_runs("bfloat16", 5.2e11) == 1
    assert CUDA.most_runs("float32", 1e3) == CUDA.most_runs("float32", 0) == CUDA.largest_pack
    assert CUDA.of(MEASURED).most_runs("float32", 1e9) == 64, "what was measured goes first"
    assert CUDA.of(MEASURED).most_runs("bfloat16", 1e9) == CUDA.largest_pack
    assert CPU.most_runs("float32", 1e15) == CPU.largest_pack, "what bounds packs there are the caches"
