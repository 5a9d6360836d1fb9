"""Zero losses are counted in each precision, of logits whose losses are known."""

import math

import pytest
import torch
from torch import nn

from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.examine import examine
from trainables.layout import Layout
from trainables.models import mlp, transformer
from trainables.observation import check_probes
from trainables.optimizers import adamw
from trainables.probes import softmax_collapse
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import linear_regression, modular


class Fixed(nn.Module):
    """Gives the logits that it was made with, whatever comes in."""

    def __init__(self, logits_NC: torch.Tensor) -> None:
        super().__init__()
        self.logits_NC = logits_NC

    def forward(self, tokens_NL: torch.Tensor) -> torch.Tensor:
        return self.logits_NC


def test_a_loss_is_zero_in_fewer_bits_first():
    """By how much the right class leads: 1 bit, 12, 25 and 54 bits; and one that is wrong."""
    leads_N = torch.tensor([1.0, 12.0, 25.0, 54.0, -54.0]) * math.log(2)
    circuit = Circuit(torch.zeros(5, 3, dtype=torch.long), torch.zeros(5, dtype=torch.long), (), {}, {})
    found = softmax_collapse.examine(Fixed(torch.stack([leads_N, torch.zeros(5)], dim=1)), circuit)
    values = {finding.metric: finding.value for finding in found}
    assert values == pytest.approx({"zero_loss_16": 3 / 5, "zero_loss_32": 2 / 5, "zero_loss_64": 1 / 5})


@pytest.mark.parametrize("model", [mlp.Model(width=16), transformer.Model(width=16)])
def test_no_loss_of_an_untrained_network_is_zero(model):
    spec = RunSpec(task=modular.Task(p=13), model=model, optimizer=adamw.Optimizer())
    module = model.build(spec.task, generator("init", 0))
    found = examine(spec, Layout(module).flatten(module), ("softmax_collapse",))["softmax_collapse"]
    assert [finding.value for finding in found] == [0, 0, 0]


def test_numbers_have_no_softmax():
    spec = RunSpec(task=linear_regression.Task(), model=transformer.Model(), optimizer=adamw.Optimizer(), loss="mse")
    with pytest.raises(SpecError, match="needs a task with classes, and 'linear_regression' has numbers"):
        check_probes(spec, ("softmax_collapse",))
