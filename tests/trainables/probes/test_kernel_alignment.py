"""The tangent kernel of a two-layer network, beside gradients taken one by one, and its alignment with labels."""

import dataclasses

import pytest
import torch
from torch.func import functional_call, jacrev

from study.catalog.feature_emergence import STUDY
from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.models import mlp, transformer
from trainables.models.mlp import gromov_weights
from trainables.observation import check_probes
from trainables.probes import kernel_alignment
from trainables.probes.kernel_alignment import alignment, tangent_kernel
from trainables.seeds import generator
from trainables.tasks import modular

TASK = modular.Task(p=7, train_fraction=0.6)


@pytest.mark.parametrize("activation", sorted(mlp.ACTIVATIONS))
def test_the_kernel_is_the_sum_over_outputs_of_products_of_gradients(activation):
    model = mlp.Model(width=5, activation=activation, output_scale=3.0)
    module = model.build(TASK, generator("init", 0)).double()
    inputs_NL = TASK.build(0)["train"].inputs_NL
    params = dict(module.named_parameters())
    gradients = jacrev(lambda params: functional_call(module, params, (inputs_NL,)))(params)
    flat_NCW = torch.cat([part.flatten(2) for part in gradients.values()], dim=2)
    expected_NN = torch.einsum("ncw,mcw->nm", flat_NCW, flat_NCW)
    torch.testing.assert_close(tangent_kernel(module, inputs_NL), expected_NN)


def test_alignment_is_1_with_itself_whatever_the_scale_and_0_with_what_has_nothing_in_common():
    labels_N = torch.arange(12) % 3
    same_NN = (labels_N[:, None] == labels_N).float()
    other_NN = (labels_N.sort().values[:, None] == labels_N.sort().values).float()
    assert float(alignment(5 * same_NN + 2, same_NN)) == pytest.approx(1, abs=1e-6)
    assert float(alignment(same_NN, other_NN)) < 0.3
    vectors_N4 = torch.randn(400, 4, generator=generator("test", 0))
    labels_N = torch.arange(400) % 4
    noise = alignment(vectors_N4 @ vectors_N4.T, (labels_N[:, None] == labels_N).float())
    assert abs(float(noise)) < 0.05


def found(task: modular.Task, weights: dict | None) -> float:
    """The alignment of a network with these weights, or with those that it begins with."""
    module = mlp.Model(width=330).build(task, generator("init", 0))
    if weights:
        module.load_state_dict(weights)
    train = task.build(0)["train"]
    with torch.no_grad():
        [finding] = kernel_alignment.examine(module, Circuit(train.inputs_NL, train.targets_N, (), {}, {}))
    assert finding.metric == "kernel_alignment"
    return finding.value


def test_the_known_solution_is_aligned_with_sums_and_not_with_random_labels_and_no_beginning_is():
    solution = gromov_weights(23, 330, generator("gromov", 0))
    sums = modular.Task(p=23, train_fraction=0.5)
    labels = dataclasses.replace(sums, labels="random", pairs_together=True)
    assert found(sums, solution) > found(sums, None) + 0.1
    assert found(labels, solution) < found(sums, solution) - 0.1


def test_it_refuses_other_models():
    spec = STUDY.base
    check_probes(spec, ("kernel_alignment",))
    with pytest.raises(SpecError, match="needs model 'mlp', got 'transformer'"):
        check_probes(dataclasses.replace(spec, model=transformer.Model()), ("kernel_alignment",))
