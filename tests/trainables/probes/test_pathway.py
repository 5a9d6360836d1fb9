"""Pathways through experts: Levenshtein's distance, and a model whose routers are written by hand."""

import itertools
import math
from functools import cache

import numpy as np
import pytest
import torch

from tests.support.runs import trained
from trainables.circuit import Circuit
from trainables.edits import edit_distances
from trainables.errors import SpecError
from trainables.examine import examine
from trainables.layout import Layout
from trainables.models import mlp, transformer
from trainables.observation import check_probes
from trainables.optimizers import adamw
from trainables.probes import pathway
from trainables.seeds import generator
from trainables.spec import RunSpec
from trainables.tasks import arithmetic, composition, modular


def padded(sequences) -> np.ndarray:
    longest = max(map(len, sequences))
    return np.array([[*sequence, *[-1] * (longest - len(sequence))] for sequence in sequences])


def word(text: str) -> list[int]:
    return [ord(letter) for letter in text]


@cache
def by_definition(a: tuple, b: tuple) -> int:
    if not a or not b:
        return len(a) + len(b)
    replaced = by_definition(a[1:], b[1:]) + (a[0] != b[0])
    return min(replaced, by_definition(a[1:], b) + 1, by_definition(a, b[1:]) + 1)


def test_distances_of_known_pairs():
    known = {("kitten", "sitting"): 3, ("flaw", "lawn"): 2, ("abc", "abc"): 0, ("a", "bcd"): 3, ("abcd", "bcde"): 2}
    first, second = (padded([word(pair[i]) for pair in known]) for i in (0, 1))
    assert edit_distances(first, second).tolist() == list(known.values())
    assert edit_distances(second, first).tolist() == list(known.values())


def test_distances_are_those_of_the_definition_for_every_length():
    draw = np.random.default_rng(0)
    sequences = [tuple(draw.integers(0, 3, size=size).tolist()) for size in (0, 1, 1, 2, 3, 4, 5, 6, 6)]
    pairs = list(itertools.product(sequences, sequences))
    found = edit_distances(padded([a for a, _ in pairs]), padded([b for _, b in pairs]))
    assert found.tolist() == [by_definition(a, b) for a, b in pairs]


MODEL = transformer.Model(layers=3, width=4, heads=1, experts=4)
TASK = modular.Task(p=3)


def hand_made():
    """Token t has expert t to itself: states are one-hot tokens in every layer, and the routers 50 times the identity.

    The answer is always 0, with a logit of 10.
    """
    module = MODEL.build(TASK, generator("init", 0))
    for parameter in module.parameters():
        parameter.data.zero_()
    module.get_parameter("embedding").data.copy_(torch.eye(4))
    module.get_parameter("unembedding").data[3, 0] = 10  # read at '='
    for layer in range(3):
        module.get_parameter(f"blocks.{layer}.router.weight").data.copy_(50 * torch.eye(4))
    return module


def found(examples: list[tuple[int, int, int]]) -> dict:
    inputs_NL = torch.tensor([(a, b, 3) for a, b, _ in examples])
    circuit = Circuit(inputs_NL, torch.tensor([answer for *_, answer in examples]), (), {}, {})
    with torch.no_grad():
        findings = list(pathway.examine(hand_made(), circuit))
    assert {finding.position for finding in findings} == {"all"}
    values = {(finding.layer, finding.metric): finding.value for finding in findings}
    assert len(values) == len(findings)
    return values


def test_pathways_of_a_router_written_by_hand():
    shares = [torch.tensor([[0.5, 0.3, 0.1, 0.1], [0.1, 0.2, 0.1, 0.6], [0.05, 0.9, 0.03, 0.02]])] * 2
    layers = [pathway.chosen_experts(share_NK) for share_NK in shares]
    assert pathway.pathways(layers).tolist() == [
        [0, 1, 0, 1, -1, -1, -1, -1],
        [3, 1, 3, 1, -1, -1, -1, -1],
        [1, 1, -1, -1, -1, -1, -1, -1],
    ]


def test_distances_of_memorized_examples_alone_by_class_and_over_the_longer_length():
    # [0 1 3][0 1 3][3] twice, [0 2 3][0 2 3][3], [0 3][0 3][3]; the last is answered wrongly.
    values = found([(0, 1, 0), (1, 0, 0), (0, 2, 0), (0, 0, 0), (2, 2, 1)])
    assert values[3, "memorized"] == pytest.approx(0.8)
    edits = [0, 2, 2, 2, 2, 2]
    assert values[3, "pathway_edits"] == pytest.approx(np.mean(edits))
    assert values[3, "pathway_distance"] == pytest.approx(np.mean(edits) / 7)
    assert values[3, "pathway_length"] == pytest.approx((7 + 7 + 7 + 5) / 4)
    assert values[3, "pathway_distance_same"] == values[3, "pathway_distance"]
    assert (3, "pathway_distance_different") not in values
    # [2 3][2 3][3] is two edits from [0 3][0 3][3], and two insertions and two replacements from [0 1 3][0 1 3][3].
    of_panel = [edit / 7 for edit in edits] + [4 / 7, 4 / 7, 2 / 7, 2 / 5]
    assert values[3, "panel_distance"] == pytest.approx(np.mean(of_panel))
    assert values[1, "layer_distance"] == pytest.approx(np.mean(edits) / 2 / 3)
    assert values[3, "layer_distance"] == 0  # the last layer sees '=' alone


def test_smoothness_is_the_mean_cosine_over_the_largest_and_what_is_erratic_is_the_rest():
    values = found([(0, 1, 0), (1, 2, 0)])
    cosines = [1, 1 / math.sqrt(3)]  # (1 1 0 1) and itself, (1 1 0 1) and (0 0 0 1)
    assert values[3, "routing_cosine"] == pytest.approx(np.mean(cosines))
    assert values[3, "pathway_smoothness"] == pytest.approx(np.mean(cosines))
    assert values[3, "pathway_erratic"] == pytest.approx(1 - np.mean(cosines))
    assert values[1, "routing_entropy"] == pytest.approx(math.log(3) / math.log(4))
    assert values[3, "routing_entropy"] == pytest.approx(0)


def test_padding_has_no_part_in_a_pathway():
    task = composition.Task(entities=6, relations=3, out_degree=2, ratio=0.5, ood_fraction=0.0, test_fraction=0.1)
    module = MODEL.build(task, generator("init", 0))
    atoms_NL = torch.tensor([[task.pad, 1, 7], [task.pad, 2, 8]])
    _, shares = pathway.routing(module, atoms_NL)
    alone = module.blocks[0].router(module.embed(atoms_NL)[:, 1:])  # no attention output: it is the same state
    for block in module.blocks:
        block.output.data.zero_()
    assert not shares[0].allclose(alone.mean(1))
    torch.testing.assert_close(pathway.routing(module, atoms_NL)[1][0], alone.mean(1))


def test_without_anything_memorized_only_the_panel_is_measured():
    values = found([(0, 1, 1), (1, 2, 1)])
    assert values == {(3, "memorized"): 0, (3, "panel_distance"): pytest.approx(4 / 7), (3, "top_edits"): 2}


def run(**changes) -> RunSpec:
    parts = {"task": TASK, "model": MODEL, "optimizer": adamw.Optimizer(learning_rate=0.01)}
    return RunSpec(**parts | changes)


def test_it_looks_at_training_examples_of_tasks_with_and_without_a_circuit():
    chains = composition.Task(entities=6, relations=3, out_degree=2, ratio=0.5, ood_fraction=0.0, test_fraction=0.1)
    for task in (modular.Task(p=11), chains):
        spec = run(task=task)
        module = spec.model.build(task, generator("init", 0))
        (findings,) = examine(spec, Layout(module).flatten(module), ("pathway",)).values()
        values = {finding.metric: finding.value for finding in findings if finding.layer == 3}
        assert 0 < values["panel_distance"] <= 1


def test_a_run_is_looked_into_while_it_trains():
    record = trained([run()], horizon=120, probes=("pathway",), probes_per_decade=4)
    steps = {step for flush in record.flushes for step in flush.findings.get("step", [])}
    assert steps == {100, 120}


def test_what_has_no_pathways_is_refused(subtests):
    for changes, message in [
        ({"model": mlp.Model(width=8)}, r"needs experts, got Model\(.*Use 'transformer' with experts=4"),
        ({"model": transformer.Model(width=8)}, r"needs experts"),
        ({"task": arithmetic.Task(digits=2, data_size=150, test_size=10)}, r"needs a task with one answer, got Task\("),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=rf"^probe 'pathway' {message}"):
            check_probes(run(**changes), ("pathway",))
