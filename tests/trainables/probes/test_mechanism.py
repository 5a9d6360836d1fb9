"""Mechanistic probes on circuits that are known: transformers whose weights are written by hand, and untrained ones."""

# N examples, L tokens, D width, C classes

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from study.spec import find
from trainables.circuit import Circuit
from trainables.engine import train_pack
from trainables.models import gpt2, transformer
from trainables.observation import Observation
from trainables.probes import causal_tracing, logit_lens
from trainables.seeds import generator
from trainables.tasks import comparison, composition

COMPOSITION = composition.Task(entities=8, relations=3, out_degree=3, ratio=1.0, ood_fraction=0.25, test_fraction=0.1)
COMPARISON = comparison.Task(entities=12, attributes=3, values=3, ratio=2.0, ood_fraction=0.25)


class HandMade:
    """A two-layer transformer of one head without norms or biases, all weights 0 but those that are written."""

    def __init__(self, task: Any, spaces: dict[str, int], hidden: int) -> None:
        """`spaces` are named parts of the width, with their sizes; `place` and `one` are added for the positions."""
        self.start: dict[str, int] = {}
        self.width = 0
        for name, size in (spaces | {"place": task.num_tokens, "one": 1}).items():
            self.start[name] = self.width
            self.width += size
        model = transformer.Model(layers=2, width=self.width, heads=1, mlp_ratio=max(1.0, (hidden + 1) / self.width))
        self.module = model.build(task, generator("init", 0))
        self.weights = {name: parameter.data.zero_() for name, parameter in self.module.named_parameters()}
        for place in range(task.num_tokens):
            self.weights["positions"][place, self.at("place", place)] = 1
            self.weights["positions"][place, self.at("one")] = 1
        self.num_units = [0, 0]

    def at(self, space: str, i: int = 0) -> int:
        return self.start[space] + i

    def reads(self, token: int, space: str, i: int) -> None:
        """The token is a one in this place of the residual stream."""
        self.weights["embedding"][token, self.at(space, i)] = 1

    def says(self, space: str, i: int, token: int, logit: float) -> None:
        """A one in this place of the residual stream gives the token this logit."""
        self.weights["unembedding"][self.at(space, i), token] = logit

    def attends(self, layer: int, targets: list[int]) -> None:
        """Position p looks at targets[p] alone: the scores of others are so low that their shares are 0."""
        for place, target in enumerate(targets):
            self.weights[f"blocks.{layer}.query"][self.at("place", place), place] = 1e4
            self.weights[f"blocks.{layer}.key"][self.at("place", target), place] = 1

    def copies(self, layer: int, source: str, target: str, size: int) -> None:
        """What is looked at is copied from one space into another."""
        for i in range(size):
            self.weights[f"blocks.{layer}.value"][self.at(source, i), i + self.at(target)] = 1
            self.weights[f"blocks.{layer}.output"][self.at(target, i), self.at(target, i)] = 1

    def concludes(self, layer: int, conditions: list[tuple[str, int]], result: tuple[str, int]) -> None:
        """A hidden unit that is 1 where all conditions are and 0 otherwise, and what it adds to the stream."""
        unit = self.num_units[layer]
        self.num_units[layer] += 1
        for condition in conditions:
            self.weights[f"blocks.{layer}.mlp_in"][self.at(*condition), unit] = 1
        self.weights[f"blocks.{layer}.mlp_in"][self.at("one"), unit] = 1 - len(conditions)
        self.weights[f"blocks.{layer}.mlp_out"][unit, self.at(*result)] = 1


def composing(task: composition.Task, seed: int) -> nn.Module:
    """Layer 1 finds the bridge at r1, layer 2 takes it to r2 and finds the tail: the paper's generalizing circuit."""
    graph, e, r = composition.knowledge(task, seed), task.entities, task.relations
    hand = HandMade(task, {"entity": e, "relation": r, "head": e, "bridge": e, "arrived": e, "tail": e}, task.num_facts)
    for i in range(e):
        hand.reads(i, "entity", i)
        hand.says("bridge", i, i, 1.0)
        hand.says("tail", i, i, 1.0)
    for i in range(r):
        hand.reads(e + i, "relation", i)
        hand.says("relation", i, e + i, 0.5)
    hand.attends(0, [0, 0, 2])
    hand.copies(0, "entity", "head", e)
    hand.attends(1, [0, 1, 1])
    hand.copies(1, "bridge", "arrived", e)
    for fact, (relation, tail) in enumerate(zip(graph.relation_F.tolist(), graph.tail_F.tolist(), strict=True)):
        head = fact // task.out_degree
        hand.concludes(0, [("head", head), ("relation", relation), ("place", 1)], ("bridge", tail))
        hand.concludes(1, [("arrived", head), ("relation", relation), ("place", 2)], ("tail", tail))
    return hand.module


def comparing(task: comparison.Task, seed: int) -> nn.Module:
    """Layer 1 finds both values in parallel, each at its entity; layer 2 takes the first to the second and compares."""
    people, e, a, v = comparison.population(task, seed), task.entities, task.attributes, task.values
    spaces = {"entity": e, "attribute": a, "asked": a, "value": v, "arrived": v, "label": 3 * a}
    hand = HandMade(task, spaces, max(e * a, v * v * a))
    for space, size, first in (("entity", e, 0), ("attribute", a, e)):
        for i in range(size):
            hand.reads(first + i, space, i)
    for i in range(v):
        hand.says("value", i, e + a + i, 0.5)
    for i in range(3 * a):
        hand.says("label", i, task.vocab_size - 3 * a + i, 1.0)
    hand.attends(0, [0, 1, 0, 3, 0])
    hand.copies(0, "attribute", "asked", a)
    hand.attends(1, [0, 1, 2, 3, 2])
    hand.copies(1, "value", "arrived", v)
    for attribute in range(a):
        for entity, value in enumerate(people.value_AE[attribute].tolist()):
            hand.concludes(0, [("asked", attribute), ("entity", entity)], ("value", value))
        for first, second in ((x, y) for x in range(v) for y in range(v)):
            label = 3 * attribute + (first > second) + (first >= second)
            values = [("arrived", first), ("value", second)]
            hand.concludes(1, [("asked", attribute), *values, ("place", 4)], ("label", label))
    return hand.module


def accuracy(module: nn.Module, split: tuple[Tensor, Tensor]) -> float:
    inputs_NL, targets_N = split
    return float((module(inputs_NL).argmax(1) == targets_N).float().mean())


def found(probe: Any, module: nn.Module, circuit: Circuit) -> dict[tuple[int, str, str], float]:
    """Every finding of a probe, by (layer, position, metric); none twice."""
    with torch.no_grad():
        findings = list(probe.examine(module, circuit))
    values = {(layer, position, metric): value for layer, position, metric, value in findings}
    assert len(values) == len(findings)
    return values


@pytest.mark.parametrize("seed", range(3))
class TestAModelThatComposes:
    def test_it_answers_everything(self, seed):
        module, splits = composing(COMPOSITION, seed), COMPOSITION.build(seed)
        assert {name: accuracy(module, split) for name, split in splits.items()} == dict.fromkeys(splits, 1.0)
        assert len(splits["ood"].targets_N) > 3

    def test_the_lens_sees_the_bridge_where_and_when_it_is_found(self, seed):
        circuit = COMPOSITION.circuit(seed, 100)
        values = found(logit_lens, composing(COMPOSITION, seed), circuit)
        unknown = 1 / (1 + 1 + (COMPOSITION.vocab_size - 2) / 2)  # behind the token itself, among ties of zeros
        assert values[0, "r1", "mrr_bridge"] == pytest.approx(unknown)
        assert values[1, "r1", "mrr_bridge"] == values[2, "r1", "mrr_bridge"] == 1
        assert values[0, "r2", "mrr_r2"] == values[1, "r2", "mrr_r2"] == 1
        assert values[2, "r2", "mrr_r2"] == 0.5  # behind the answer
        assert values[1, "r2", "mrr_answer"] == pytest.approx(unknown)
        assert values[2, "r2", "mrr_answer"] == 1
        assert {layer for layer, *_ in values} == {0, 1, 2}
        assert len(values) == 3 * 3 * 3

    def test_tracing_finds_the_states_that_carry_the_answer(self, seed):
        values = found(causal_tracing, composing(COMPOSITION, seed), COMPOSITION.circuit(seed, 100))
        assert values.pop((2, "r2", "accuracy")) == 1
        assert values == {
            (0, "h", "strength"): 1,
            (1, "h", "strength"): 0,  # the head has done its work: r1 holds the bridge now
            (0, "r1", "strength"): 1,
            (1, "r1", "strength"): 1,
            (0, "r2", "strength"): 1,
            (1, "r2", "strength"): 1,
        }


@pytest.mark.parametrize("seed", range(3))
class TestAModelThatCompares:
    def test_it_answers_every_comparison(self, seed):
        module, splits = comparing(COMPARISON, seed), COMPARISON.build(seed)
        for name in ("train_inferred", "test", "ood"):
            assert accuracy(module, splits[name]) == 1

    def test_the_lens_sees_each_value_at_its_entity(self, seed):
        values = found(logit_lens, comparing(COMPARISON, seed), COMPARISON.circuit(seed, 100))
        for name, position in (("mrr_v1", "e1"), ("mrr_v2", "e2")):
            assert values[0, position, name] == pytest.approx(1 / (1 + (COMPARISON.vocab_size - 1) / 2))
            assert values[1, position, name] == 1
        assert values[2, "e2", "mrr_v2"] == 0.5  # behind the answer
        assert values[2, "e2", "mrr_answer"] == 1

    def test_tracing_finds_both_entities_all_along_and_the_attribute_at_the_start(self, seed):
        values = found(causal_tracing, comparing(COMPARISON, seed), COMPARISON.circuit(seed, 100))
        assert values.pop((2, "e2", "accuracy")) == 1
        assert values == {
            (0, "e1", "strength"): 1,
            (1, "e1", "strength"): 1,
            (0, "e2", "strength"): 1,
            (1, "e2", "strength"): 1,
            (0, "a", "strength"): 1,
            (1, "a", "strength"): 0,
        }


def test_ranks_count_larger_logits_and_half_of_the_ties(subtests):
    for logits, token, expected in [
        ([3.0, 2.0, 1.0], 0, 0),
        ([3.0, 2.0, 1.0], 2, 2),
        ([1.0, 1.0, 1.0], 1, 1),  # between first and last
        ([5.0, 1.0, 1.0, 0.0], 2, 1.5),
        ([float("-inf"), 0.0], 0, 1),
        ([float("nan")] * 3, 0, 2),  # not first of all
    ]:
        with subtests.test(logits=logits, token=token, expected=expected):
            assert logit_lens.rank(torch.tensor([logits]), torch.tensor([token])).tolist() == [expected]


class Echo(nn.Module):
    """A model of no layers whose residual stream is its logits."""

    depth = 0

    def __init__(self, logits_NLC: Tensor) -> None:
        super().__init__()
        self.logits_NLC = logits_NLC

    def embed(self, tokens_NL: Tensor) -> Tensor:
        return self.logits_NLC

    def read(self, x_D: Tensor) -> Tensor:
        return x_D


def test_a_reciprocal_rank_is_a_mean_over_examples_and_recall_over_a_set():
    logits_NLC = torch.tensor([[[9.0, 8.0, 1.0, 0.0]], [[0.0, 1.0, 8.0, 9.0]]])
    tokens_NL, answers_N = torch.zeros(2, 1, dtype=torch.long), torch.tensor([1, 1])
    sets = {"pair": torch.tensor([[0, 1], [1, 3]])}
    circuit = Circuit(tokens_NL, answers_N, ["here"], {"answer": answers_N}, {}, sets)
    values = found(logit_lens, Echo(logits_NLC), circuit)
    assert values[0, "here", "mrr_answer"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert values[0, "here", "recall_pair"] == 3 / 4  # both of the first pair, one of the second


def untrained(task: Any, loops: int) -> nn.Module:
    return gpt2.Model(layers=2, width=32, heads=2, loops=loops, init_scale=5).build(task, generator("init", 0))


@pytest.mark.parametrize("loops", [1, 2])
def test_an_untrained_model_answers_wrong_whatever_is_put_in(loops):
    task = composition.Task(entities=60, relations=12, out_degree=6, ratio=3.0)
    values = found(causal_tracing, untrained(task, loops), task.circuit(0, 300))
    right = values.pop((2 * loops, "r2", "accuracy"))
    assert right < 0.1
    assert len(values) == 3 * 2 * loops
    assert all(strength == pytest.approx(1 - right, abs=0.06) for strength in values.values())


def test_patching_a_state_of_the_normal_run_changes_nothing():
    task = composition.Task(entities=60, relations=12, out_degree=6, ratio=3.0)
    module, circuit = untrained(task, 2), task.circuit(0, 100)
    with torch.no_grad():
        answers_N = module(circuit.inputs_NL).argmax(1)
    places = {name: (at, circuit.inputs_NL) for name, (at, _) in circuit.replaced.items()}
    itself = Circuit(circuit.inputs_NL, answers_N, circuit.positions, {}, places)
    values = found(causal_tracing, module, itself)
    assert values.pop((4, "r2", "accuracy")) == 1
    assert set(values.values()) == {0}
    # And the last position's token, put in from the start, is the whole other answer.
    at, changed_NL = circuit.replaced["r2"]
    with torch.no_grad():
        other_N = module(changed_NL).argmax(1)
    whole = Circuit(circuit.inputs_NL, answers_N, circuit.positions, {}, {"r2": (at, changed_NL)})
    strength = found(causal_tracing, module, whole)[0, "r2", "strength"]
    assert strength == pytest.approx(float((other_N != answers_N).float().mean()))


@pytest.mark.slow
def test_the_bridge_takes_over_between_memorization_and_generalization():
    """The small study's run at ratio 8: two minutes on a core. Wang et al. 2024, figure 4."""
    spec = find("small_composition_ratio").base.with_values({"task.ratio": 8.0})
    rows, curves = [], {}

    def record(flush):
        metrics = flush.metrics
        for step, split, metric, value in zip(*(metrics[c] for c in ("step", "split", "metric", "value")), strict=True):
            if metric == "accuracy":
                curves.setdefault(split, {})[int(step)] = value
        columns = ("step", "metric", "layer", "position", "value")
        rows.extend(zip(*(flush.findings.get(column, []) for column in columns), strict=True))

    observe = Observation(
        evaluations_per_decade=16, evaluation_examples=500, probes=("causal_tracing",), probes_per_decade=8
    )
    train_pack([spec], horizon=6000, record=record, observe=observe, device="cpu")
    memorized = min(step for step, accuracy in curves["train"].items() if accuracy >= 0.9)
    generalized = min(step for step, accuracy in curves["test"].items() if accuracy >= 0.85)
    assert generalized > 2 * memorized
    assert curves["ood"][6000] < spec.task.chance_accuracy + 0.05
    strength = {(row[0], row[3]): row[4] for row in rows if row[1:3] == ("strength", 1)}
    before = min(step for step, _ in strength if step >= memorized)
    assert strength[6000, "r1"] > strength[before, "r1"]
    assert strength[6000, "h"] < 0.5 * strength[before, "h"]
