"""The intra-inter cosine gap against states that are known, and against all pairs one by one."""

import itertools

import pytest
import torch
from torch.nn.functional import cosine_similarity

from trainables.circuit import Circuit
from trainables.models import transformer
from trainables.probes import iicg
from trainables.seeds import generator
from trainables.tasks import hops

BRIDGE = torch.tensor([0, 0, 1, 1, 2, 0])


class Known:
    """A model of one block whose states are tables: layer 0 is the token's one-hot, layer 1 the bridge's."""

    depth = 1

    def embed(self, tokens_NL):
        return torch.eye(6)[tokens_NL]

    def layer(self, layer, x_NLD, tokens_NL):
        return 3 * torch.eye(6)[BRIDGE][:, None].expand(-1, tokens_NL.shape[1], -1)

    def read(self, x_D):
        return x_D


def gaps(module, circuit):
    return {(f.layer, f.position, f.metric): f.value for f in iicg.examine(module, circuit)}


def circuit_of(number_N, **options):
    inputs_NL = torch.arange(6)[:, None]
    return Circuit(inputs_NL, inputs_NL[:, 0], ("x1",), {"bridge": number_N}, {}, **options)


def test_states_that_are_the_bridge_have_gap_one_and_those_that_are_the_example_none():
    found = gaps(Known(), circuit_of(BRIDGE))
    assert found[1, "x1", "iicg_bridge"] == pytest.approx(1)
    assert found[0, "x1", "iicg_bridge"] == pytest.approx(0)


def test_a_task_can_name_further_groups():
    found = gaps(Known(), circuit_of(BRIDGE, groups={"other": torch.tensor([0, 1, 1, 0, 0, 1])}))
    # Of the pairs with one number, (0, 3), (0, 4), (3, 4), (1, 2), (1, 5), (2, 5), one has one bridge: 1/6. Of the nine
    # others (0, 1), (0, 5) and (2, 3) have: 3/9.
    assert found[1, "x1", "iicg_other"] == pytest.approx(1 / 6 - 3 / 9, abs=1e-6)


@pytest.mark.parametrize("number", [torch.arange(6), torch.zeros(6, dtype=torch.int64)])
def test_without_pairs_to_compare_nothing_is_found(number):
    assert gaps(Known(), circuit_of(number)) == {}


def test_it_is_the_mean_over_all_pairs_of_examples():
    task = hops.Task(structure="non_tree", n=7, data_size=100)
    circuit = task.circuit(0, 40)
    module = transformer.Model(layers=2, width=16, heads=2, norm="rms").build(task, generator("init", 0))
    with torch.no_grad():
        found = gaps(module, circuit)
        state_NLD = module.layer(1, module.embed(circuit.inputs_NL), circuit.inputs_NL)
    assert {metric for *_, metric in found} == {"iicg_bridge", "iicg_answer", "iicg_bridge_x2"}
    number_N = circuit.groups["bridge_x2"].tolist()
    cosines = {True: [], False: []}
    for i, j in itertools.combinations(range(len(number_N)), 2):
        cosine = cosine_similarity(state_NLD[i, 1], state_NLD[j, 1], dim=0).item()
        cosines[number_N[i] == number_N[j]].append(cosine)
    mean = {same: sum(values) / len(values) for same, values in cosines.items()}
    assert found[1, "x2", "iicg_bridge_x2"] == pytest.approx(mean[True] - mean[False], abs=1e-5)
