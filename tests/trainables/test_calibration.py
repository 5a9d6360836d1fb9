"""A device is measured: rates above zero, and packs among those that were tried."""

import pytest
import torch

from trainables import calibration, timing
from trainables.limits import PRECISIONS, Limits

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(timing.MATRIX_SIZE, "cpu", 64)
    monkeypatch.setitem(timing.COPY_BYTES, "cpu", 2**16)
    monkeypatch.setattr(calibration, "SECONDS", 1e-3)


def test_a_cpu_is_measured_on_one_core_and_said_in_json():
    said, threads = dict[str, float](), torch.get_num_threads()
    found = calibration.calibrate(CPU, said.__setitem__)
    assert set(found.products_per_second) == set(PRECISIONS)
    assert min(*found.products_per_second.values(), found.bytes_per_second, found.call_seconds) > 0
    assert found.best_packs == {}, "caches bound packs there"
    assert Limits.from_json(found.to_json()) == found
    assert torch.get_num_threads() == threads
    assert said["products in float32"] == found.products_per_second["float32"]


def test_the_best_packs_are_of_those_that_were_tried():
    found = calibration.best_packs(CPU, "float32", (8, 16), (1, 2, 4))
    flops, runs = zip(*found, strict=True)
    assert list(flops) == sorted(flops)
    assert set(runs) <= {1, 2, 4}
    # Both are products of matrices at all times: eight times the weights are not eight times the work, embeddings grow.
    assert 1.5 < flops[1] / flops[0] < 4


def test_packs_are_not_made_larger_where_that_gains_nothing(monkeypatch):
    rates, tried = {1: 10.0, 4: 8.0, 16: 2.05, 64: 0.5, 256: 9e9}, list[int]()

    def rate(specs, device):
        tried.append(len(specs))
        return rates[len(specs)]

    monkeypatch.setattr(calibration, "step_rate", rate)
    [(_, runs)] = calibration.best_packs(CPU, "float32", (32,), tuple(rates))
    assert tried == [1, 4, 16], "16 train 32.8 run-steps a second, 4 train 32"
    assert runs == 4


def test_where_memory_ends_smaller_packs_count(monkeypatch):
    def rate(specs, device):
        if len(specs) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return {1: 10.0, 2: 9.0, 4: 4.6}[len(specs)]

    monkeypatch.setattr(calibration, "step_rate", rate)
    [(_, runs)] = calibration.best_packs(CPU, "float32", (32,), (1, 2, 4, 8, 16))
    assert runs == 2, "1 trains 10 run-steps a second, 2 train 18, 4 train 18.4"
    monkeypatch.setattr(calibration, "step_rate", lambda specs, device: rate([0] * 9, device))
    assert calibration.best_packs(CPU, "float32", (32,), (1, 2)) == []
