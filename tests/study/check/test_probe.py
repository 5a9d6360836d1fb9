"""Probes whose numbers a store could not take, or that mix the runs of a pack."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from study.check import probe
from tests.study.check.failing import failing
from trainables.probes import Finding


def total(params: dict[str, torch.Tensor], task: Any) -> torch.Tensor:
    return torch.stack([weight.sum() for weight in params.values()]).sum()


MEASURES = {
    "numbers": (lambda params, task: {"mine": float("nan")}, "mine is float: give a tensor of no dimensions"),
    "vectors": (lambda params, task: {"mine": next(iter(params.values()))}, "mine is a tensor of shape"),
    "infinite": (
        lambda params, task: {"mine": total(params, task) / 0},
        "mine is -?inf of a model at its start|mine is",
    ),
    "a tensor": (total, "measure gives Tensor: give a dictionary of metrics"),
}


@pytest.mark.parametrize("name", MEASURES)
def test_what_is_measured_is_finite_tensors_of_no_dimensions(name):
    measure, detail = MEASURES[name]
    told = failing(probe.checks(SimpleNamespace(measure=measure)))
    assert detail.partition("|")[0].partition(" is -?")[0] in told["numbers"]


def test_a_probe_that_works_passes_and_one_of_nothing_says_so():
    assert failing(probe.checks(SimpleNamespace(measure=lambda params, task: {"mine": total(params, task)}))) == {}
    rows = list(probe.checks(SimpleNamespace(measure=lambda params, task: {})))
    assert failing(rows) == {}
    assert rows[0].detail == "{} for every task tried: nothing is measured"


def test_state_between_calls_and_the_name_of_another_probes_metric_are_told():
    calls: list[int] = []

    def measure(params: dict[str, torch.Tensor], task: Any) -> dict[str, torch.Tensor]:
        calls.append(1)
        return {"weight_norm": total(params, task) + len(calls)}

    told = failing(probe.checks(SimpleNamespace(measure=measure)))
    assert "weight_norm of run 0 is 1 from that alone" in told["runs of a pack"]
    assert "weight_norm is a metric of trainables.probes.weight_norm, too" in told["names"]


def test_findings_have_a_layer_a_position_a_metric_and_a_number():
    def examine(*finding: Any) -> Any:
        return SimpleNamespace(examine=lambda module, circuit: [finding])

    assert failing(probe.checks(examine(*Finding(1, "e", "mine", 0.5)))) == {}
    assert "give Finding(layer, position, metric, value)" in failing(probe.checks(examine(1, "e")))["findings"]
    assert "mine is a tensor of shape ()" in failing(probe.checks(examine(1, "e", "mine", torch.ones(()))))["findings"]
    assert "a layer is a whole number" in failing(probe.checks(examine("1", "e", "mine", 0.5)))["findings"]
