"""Progress measures (Nanda et al. 2023, arXiv 2301.05217) of networks whose answers are known in closed form."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.examine import examine
from trainables.layout import Layout
from trainables.models import mlp, transformer
from trainables.models.mlp import gromov_weights
from trainables.observation import check_probes
from trainables.optimizers import adamw
from trainables.probes import progress_measures
from trainables.probes.progress_measures import gini, wave_norms
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import modular

P = 31
TASK = modular.Task(p=P, train_fraction=0.5)
ANGLE = 2 * math.pi / P


class Known(nn.Module):
    """Gives the logits of a table (P, P, P), and has an embedding."""

    def __init__(self, logits_PPC: Tensor, embedding_PD: Tensor) -> None:
        super().__init__()
        self.logits_PPC = logits_PPC
        self.embedding = nn.Parameter(embedding_PD)
        self.unembedding = nn.Parameter(torch.zeros(1, P))

    def forward(self, tokens_NL: Tensor) -> Tensor:
        return self.logits_PPC[tokens_NL[:, 0], tokens_NL[:, 1]]


def circle(frequency: int) -> Tensor:
    """Cosine and sine of a frequency at each residue, (P, 2)."""
    angle_P = ANGLE * frequency * torch.arange(P)
    return torch.stack([angle_P.cos(), angle_P.sin()], dim=1)


def waves(size: float, *frequencies: int) -> Tensor:
    """Logits that are the sum of size * cos(2 pi k (a + b - c) / P) over frequencies k, (P, P, P)."""
    a, b, c = torch.meshgrid(*[torch.arange(P)] * 3, indexing="ij")
    return sum((size * torch.cos(ANGLE * k * (a + b - c)) for k in frequencies), torch.zeros(P, P, P))


def found(module: nn.Module) -> dict[str, float]:
    """The progress measures of a network that trains on half of the pairs."""
    train = TASK.build(0)["train"]
    with torch.no_grad():
        findings = progress_measures.examine(module, Circuit(train.inputs_NL, train.targets_N, (), {}, {}))
        return {finding.metric: finding.value for finding in findings}


def loss_on(module: nn.Module, split: str) -> float:
    data = TASK.build(0)[split]
    return float(F.cross_entropy(module(data.inputs_NL), data.targets_N))


def memorizer(size: float) -> Known:
    """Right by so much on every training pair, and without an opinion on all others."""
    train = TASK.build(0)["train"]
    logits_PPC = torch.zeros(P, P, P)
    logits_PPC[train.inputs_NL[:, 0], train.inputs_NL[:, 1], train.targets_N] = size
    return Known(logits_PPC, torch.randn(P + 1, 16, generator=generator("test", 0)))


def test_one_wave_is_one_key_frequency_and_nothing_is_left_without_it():
    module = Known(waves(7.0, 4), circle(4))
    values = found(module)
    assert values["key_frequencies"] == 1
    assert values["restricted_loss"] == pytest.approx(loss_on(module, "train"), rel=1e-4)
    assert values["excluded_loss"] == pytest.approx(math.log(P), rel=1e-4)
    assert values["gini"] == pytest.approx(1 - 2 / (P - 1), rel=1e-3), "a sine and a cosine of 30"


def test_five_waves_are_five_key_frequencies_beside_noise_and_a_constant():
    noise = torch.randn(P, P, P, generator=generator("test", 1)) + torch.arange(P) / P
    values = found(Known(waves(4.0, 1, 3, 8, 9, 14) + noise, circle(1)))
    assert values["key_frequencies"] == 5
    assert values["restricted_loss"] < 0.05
    assert values["excluded_loss"] > math.log(P)


def test_who_knows_the_training_pairs_by_rote_has_no_key_frequency():
    module = memorizer(20.0)
    values = found(module)
    assert loss_on(module, "train") < 1e-6
    assert values["key_frequencies"] == 0
    assert values["restricted_loss"] == pytest.approx(math.log(P), rel=0.02)
    assert values["excluded_loss"] == pytest.approx(loss_on(module, "train"), abs=1e-6)
    assert values["gini"] < 0.2


def test_a_wave_beside_what_is_known_by_rote_is_all_that_generalizes():
    rote, wave = memorizer(20.0), waves(7.0, 4)
    values = found(Known(rote.logits_PPC + wave, circle(4)))
    assert values["key_frequencies"] == 1
    assert values["restricted_loss"] < 0.75 * math.log(P)
    assert values["excluded_loss"] < 0.01, "rote alone fits"


def test_two_frequencies_of_the_known_solution_are_found_in_a_quadratic_network():
    solution = gromov_weights(P, 15 * 400, generator("gromov", 0))
    chosen = torch.isin(torch.arange(15 * 400) % 15 + 1, torch.tensor([2, 7]))
    module = mlp.Model(width=int(chosen.sum())).build(TASK, generator("init", 0))
    weights = {"hidden": solution["hidden"][:, chosen], "unembedding": 100 * solution["unembedding"][chosen]}
    module.load_state_dict(weights)
    values = found(module)
    assert values["key_frequencies"] == 2
    assert values["restricted_loss"] < 0.1
    assert values["excluded_loss"] > 0.5 * math.log(P)


def test_an_untrained_transformer_has_neither_an_answer_nor_an_uneven_embedding():
    values = found(transformer.Model(layers=1, width=32, heads=4).build(TASK, generator("init", 0)))
    assert values["restricted_loss"] > 0.95 * math.log(P)
    assert values["gini"] < 0.15


def test_gini_is_0_for_equal_sizes_and_1_but_for_one_part_where_one_has_it_all():
    assert float(gini(torch.full((10,), 3.0))) == pytest.approx(0, abs=1e-6)
    assert float(gini(torch.eye(10)[4])) == pytest.approx(0.9)
    assert float(gini(torch.tensor([1.0, 3.0]))) == pytest.approx(0.25)
    assert float(gini(torch.zeros(10))) == 0


def test_norms_are_those_of_the_sine_and_the_cosine_of_each_frequency():
    norms = wave_norms(torch.stack([3 * circle(5)[:, 0], 4 * circle(5)[:, 0], circle(2)[:, 1]], dim=1) + 10)
    assert norms.nonzero().numel() >= 2
    assert norms.argsort(descending=True)[:2].tolist() == [4, 15 + 1]
    assert float(norms[4] / norms[16]) == pytest.approx(5, rel=1e-4)


def test_it_looks_at_runs_of_addition_and_refuses_other_tasks():
    spec = RunSpec(task=TASK, model=transformer.Model(width=8, heads=2), optimizer=adamw.Optimizer())
    weights_W = Layout(spec.model.build(TASK, generator("init", 0))).flatten(
        spec.model.build(TASK, generator("init", 0))
    )
    metrics = [finding.metric for finding in examine(spec, weights_W, ("progress_measures",))["progress_measures"]]
    assert metrics == ["key_frequencies", "restricted_loss", "excluded_loss", "gini"]
    for other in (modular.Task(p=P, operation="mul"), modular.Task(p=30)):
        with pytest.raises(SpecError, match="needs task 'modular' with operation 'add' and odd p"):
            check_probes(dataclasses.replace(spec, task=other), ("progress_measures",))
