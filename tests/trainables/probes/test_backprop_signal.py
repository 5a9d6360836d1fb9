"""The signal that comes back to hidden units, where theory gives it (Tian 2025, arXiv 2509.21519, Lemma 1)."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from study.catalog.feature_emergence import STUDY
from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.examine import examine
from trainables.layout import Layout
from trainables.models import mlp, transformer
from trainables.observation import check_probes
from trainables.probes import backprop_signal
from trainables.probes.backprop_signal import centred, measures
from trainables.seeds import generator
from trainables.tasks import group

TASK = group.Task(group="Z7", train_fraction=0.6)


def fitted(decay: float) -> dict[str, float]:
    """What is found where the output layer is the ridge regression of many random features on the targets."""
    train = TASK.build(0)["train"]
    units = centred(torch.randn(len(train.targets_N), 20_000, generator=generator("test", 0), dtype=torch.float64))
    targets = centred(F.one_hot(train.targets_N, 7).double())
    kernel = units @ units.T + decay * torch.eye(len(units), dtype=torch.float64)
    output = units.T @ torch.linalg.solve(kernel, targets)
    return measures((targets - units @ output) @ output.T, units, targets)


def test_of_fitted_random_features_decay_makes_the_signal_that_the_lemma_says():
    weak, strong = fitted(1.0), fitted(10.0)
    assert weak["signal_alignment"] > 0.95
    assert strong["signal_norm"] == pytest.approx(10 * weak["signal_norm"], rel=0.02), "in proportion to the decay"
    assert fitted(1e-9)["signal_norm"] < 1e-6 * weak["signal_norm"]


def test_features_overlap_unless_they_are_orthogonal():
    units = torch.linalg.qr(torch.randn(10, 4, generator=generator("test", 1))).Q
    targets, signal = torch.eye(10), torch.ones(10, 4)
    assert measures(signal, units, targets)["feature_overlap"] == pytest.approx(0, abs=1e-6)
    assert measures(signal, units[:, :1].repeat(1, 4), targets)["feature_overlap"] == pytest.approx(0.75)


def test_the_signal_is_the_gradient_of_half_the_squared_error():
    module = mlp.Model(width=16).build(TASK, generator("init", 0))
    train = TASK.build(0)["train"]
    units = module.units(train.inputs_NL).detach().requires_grad_()
    loss = 0.5 * (F.one_hot(train.targets_N, 7) - units @ module.unembedding).square().sum()
    (gradient,) = torch.autograd.grad(loss, units)
    with torch.no_grad():
        found = backprop_signal.examine(module, Circuit(train.inputs_NL, train.targets_N, (), {}, {}))
        norm = {finding.metric: finding.value for finding in found}["signal_norm"]
    assert norm == pytest.approx(float(gradient.square().sum(1).mean().sqrt()), rel=1e-5)


def test_it_looks_at_training_examples_of_a_study_and_refuses_other_models():
    spec = STUDY.base
    module = spec.model.build(spec.task, generator("init", 0))
    found = examine(spec, Layout(module).flatten(module), ("backprop_signal",))["backprop_signal"]
    assert [finding.metric for finding in found] == ["signal_norm", "signal_alignment", "feature_overlap"]
    with pytest.raises(SpecError, match="needs model 'mlp' and loss 'mse' or 'sse', got 'mlp' and 'cross_entropy'"):
        check_probes(dataclasses.replace(spec, loss="cross_entropy"), ("backprop_signal",))
    with pytest.raises(SpecError, match="got 'transformer' and 'mse'"):
        check_probes(dataclasses.replace(spec, model=transformer.Model()), ("backprop_signal",))
