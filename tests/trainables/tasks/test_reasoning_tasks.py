"""Tasks on reasoning: the paper's counts, and on small ones every label, split and replacement by plain Python."""

# N examples, L tokens

import dataclasses
from collections import Counter, defaultdict, deque
from typing import Any

import pytest
import torch

from tests.support.runs import trained
from trainables.circuit import Circuit, choose
from trainables.data import Split
from trainables.errors import SpecError
from trainables.models import mlp, transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import comparison, complex_comparison, composition

Rows = list[tuple[int, ...]]
Facts = dict[tuple[int, int], int]

TWO_HOPS = composition.Task(entities=40, relations=12, out_degree=5, ratio=2.0, ood_fraction=0.2, test_fraction=0.1)
THREE_HOPS = dataclasses.replace(TWO_HOPS, entities=20, hops=3, ratio=8.0, ood_fraction=0.3)
COMPARISON = comparison.Task(entities=20, attributes=4, values=5, ratio=4.0, ood_fraction=0.25)
COMPLEX = complex_comparison.Task(
    entities=40, attributes=3, values=6, share=0.08, ood_fraction=0.4, queries_per_label=8
)
SMALL = [
    pytest.param(TWO_HOPS, id="2 hops"),
    pytest.param(THREE_HOPS, id="3 hops"),
    pytest.param(COMPARISON, id="comparison"),
    pytest.param(COMPLEX, id="complex"),
]


def rows(split: Split) -> Rows:
    return [tuple(tokens) for tokens in split.inputs_NL.tolist()]


def labelled(split: Split) -> dict[tuple[int, ...], int]:
    return dict(zip(rows(split), split.targets_N.tolist(), strict=True))


def sizes(splits: dict[str, Split]) -> dict[str, int]:
    return {name: len(split.targets_N) for name, split in splits.items()}


# The paper's sizes.


def test_compositions_are_as_many_as_in_the_paper(subtests):
    for ratio, inferred, total in [
        (3.6, 136_800, 176_800),
        (5.4, 205_200, 245_200),
        (7.2, 273_600, 313_600),
        (9.0, 342_000, 382_000),
        (12.6, 478_800, 518_800),
        (18.0, 684_000, 724_000),
    ]:
        with subtests.test(ratio=ratio, inferred=inferred, total=total):
            task = composition.Task(ratio=ratio)
            assert (task.num_facts, task.num_ood_facts) == (40_000, 2_000)
            assert (task.num_inferred, task.num_train) == (inferred, total)
            assert (task.vocab_size, task.num_tokens) == (2206, 3)


def test_comparisons_are_as_many_as_in_the_paper(subtests):
    for ratio, inferred, total in [
        (3.6, 64_800, 84_800),
        (7.2, 129_600, 149_600),
        (9.0, 162_000, 182_000),
        (12.6, 226_800, 246_800),
    ]:
        with subtests.test(ratio=ratio, inferred=inferred, total=total):
            task = comparison.Task(ratio=ratio)
            assert (task.num_id_facts, task.num_candidates) == (18_000, 14_563_800)
            assert (task.num_inferred, task.num_train) == (inferred, total)
            assert (task.vocab_size, task.num_tokens) == (1106, 5)


def test_the_papers_largest_composition_can_be_built():
    task = composition.Task(ratio=18.0)
    splits, graph = task.build(0), composition.knowledge(task, 0)
    assert len(splits["train"].targets_N) == 724_000
    assert sizes(splits) | {"train": 0, "ood": 0} == {
        "train": 0,
        "test": 3000,
        "ood": 0,
        "train_inferred": 3000,
        "id_atomic": 3000,
        "ood_atomic": 2000,
    }
    assert 1_900 < len(graph.ood_C) < 2_200  # 2,054 in a run of the published notebook
    assert 3_500 < len(graph.held_out_C) < 3_700  # 3,595
    assert len(splits["ood"].targets_N) == len(graph.ood_C)
    assert 717_000 < len(graph.candidates_C) < 720_000  # 718,532
    id_facts = graph.facts(task, graph.candidates_C[: task.num_inferred]).unique()
    assert len(id_facts) > 37_990  # nearly every ID fact is used in some composition


def test_the_papers_comparison_can_be_built():
    task = comparison.Task()
    splits, people = task.build(0), comparison.population(task, 0)
    counts = {
        "train": 149_600,
        "test": 3000,
        "ood": 3000,
        "train_inferred": 3000,
        "id_atomic": 3000,
        "ood_atomic": 2000,
    }
    assert sizes(splits) == counts
    assert (len(people.candidates_C3), len(people.ood_C3)) == (14_563_800, 198_000)
    assert people.is_ood_AE.sum(1).tolist() == [100] * 20
    values = people.value_AE.flatten().bincount().tolist()
    assert len(values) == 20
    assert all(850 < count < 1_150 for count in values)  # 1,000 expected


def test_the_papers_complex_comparison_can_be_built():
    task = complex_comparison.Task()
    assert (task.num_id_facts, task.num_inferred - task.num_cross, task.num_cross) == (18_000, 436_914, 108_000)
    splits = task.build(0)
    counts = {"train": 562_914, "test": 3000, "ood": 150, "train_inferred": 3000, "id_atomic": 3000}
    assert sizes(splits) == counts
    assert task.num_train == 562_914
    labels = (splits["ood"].targets_N - task.plain.special("/q") - 1) % 3
    assert labels.bincount().tolist() == [50, 50, 50]
    people, trained_C3, crossed_C3 = complex_comparison.lessons(task, 0)
    assert (len(trained_C3), len(crossed_C3)) == (436_914, 108_000)
    ood = rows(splits["ood"])
    assert all(people.is_ood_AE[a - 1000, e] for a, _, e1, _, e2, _, _ in ood for e in (e1, e2))


# What holds for all of them.


@pytest.mark.parametrize("task", SMALL)
class TestEverySmallTask:
    def test_train_is_as_large_as_it_says_and_holds_nothing_twice(self, task):
        train = rows(task.build(0)["train"])
        assert len(train) == len(set(train)) == task.num_train
        assert sum(sizes(task.build(0)).values()) <= task.num_examples

    def test_what_is_tested_is_not_trained_on(self, task):
        splits = {name: set(rows(split)) for name, split in task.build(0).items()}
        for name in ("test", "ood"):
            assert splits[name]
            assert not splits[name] & splits["train"]
        assert not splits["test"] & splits["ood"]
        for name in splits.keys() - {"train", "test", "ood"}:
            assert splits[name]
            assert splits[name] <= splits["train"]

    def test_a_closer_look_has_the_labels_of_train(self, task):
        splits = task.build(0)
        train = labelled(splits["train"])
        for name in splits.keys() - {"train", "test", "ood"}:
            assert labelled(splits[name]).items() <= train.items()

    def test_tokens_and_answers_are_in_the_vocabulary(self, task):
        for inputs_NL, targets_N in task.build(0).values():
            assert inputs_NL.dtype == targets_N.dtype == torch.int64
            assert inputs_NL.shape == (len(targets_N), task.num_tokens)
            assert 0 <= int(inputs_NL.min()) <= int(inputs_NL.max()) < task.vocab_size
            assert 0 <= int(targets_N.min()) <= int(targets_N.max()) < task.num_classes

    def test_padding_stands_before_an_example_and_nowhere_else(self, task):
        for inputs_NL, _ in task.build(0).values():
            pad_NL = inputs_NL == task.pad
            assert not (pad_NL[:, 1:] & ~pad_NL[:, :-1]).any()
            assert not pad_NL[:, -2:].any()

    def test_a_seed_fixes_the_data_and_another_seed_changes_it(self, task):
        first, again, other = (dataclasses.replace(task).build(seed) for seed in (3, 3, 4))
        assert all(first[name].inputs_NL.equal(again[name].inputs_NL) for name in first)
        assert all(first[name].targets_N.equal(again[name].targets_N) for name in first)
        for name in ("train", "test", "ood"):
            assert not torch.equal(first[name].inputs_NL, other[name].inputs_NL)

    def test_building_leaves_nothing_behind(self, task):
        before = {name: Split(*(part.clone() for part in split)) for name, split in task.build(0).items()}
        for split in task.build(0).values():
            split.inputs_NL.zero_()
            split.targets_N.zero_()
        for name, split in task.build(0).items():
            assert split.inputs_NL.equal(before[name].inputs_NL)
            assert split.targets_N.equal(before[name].targets_N)

    def test_the_order_of_train_mixes_facts_and_inferences(self, task):
        padded = (task.build(0)["train"].inputs_NL[:, 0] == task.pad).float()
        halves = padded.chunk(2)
        assert abs(halves[0].mean() - halves[1].mean()) < 0.15

    def test_chance_is_above_zero_and_below_one(self, task):
        assert 0 < task.chance_accuracy < 1


@pytest.mark.parametrize(
    ("task", "less"),
    [
        pytest.param(TWO_HOPS, {"ratio": 0.7}, id="2 hops"),
        pytest.param(THREE_HOPS, {"ratio": 1.3}, id="3 hops"),
        pytest.param(COMPARISON, {"ratio": 1.1}, id="comparison"),
        pytest.param(COMPLEX, {"share": 0.04}, id="complex"),
    ],
)
def test_fewer_inferences_are_some_of_those_and_are_tested_alike(task, less):
    smaller = dataclasses.replace(task, **less)
    few, many = smaller.build(1), task.build(1)
    for name in ("id_atomic", "ood_atomic", "test"):
        assert name not in many or few[name].inputs_NL.equal(many[name].inputs_NL)
    assert len(few["train"].targets_N) == smaller.num_train < task.num_train
    assert labelled(few["train"]).items() < labelled(many["train"]).items()
    if "ratio" in less:  # hard questions depend on what is trained on
        assert few["ood"].inputs_NL.equal(many["ood"].inputs_NL)
        run = RunSpec(task=task, model=transformer.Model(), optimizer=adamw.Optimizer())
        assert dataclasses.replace(run, task=smaller).pack_key == run.pack_key
        assert dataclasses.replace(run, task=smaller).run_id != run.run_id


def test_ids_never_change():
    runs = [
        RunSpec(task=t, model=transformer.Model(), optimizer=adamw.Optimizer()) for t in (TWO_HOPS, COMPARISON, COMPLEX)
    ]
    assert [run.run_id for run in runs] == ["7dc0495486553787", "a528ef48455dd08c", "f493284ee35ffa33"]


def test_a_model_of_operands_refuses_them():
    for task in (TWO_HOPS, COMPARISON, COMPLEX):
        with pytest.raises(SpecError, match="Use 'transformer'"):
            RunSpec(task=task, model=mlp.Model(), optimizer=adamw.Optimizer())


# Composition.


def knowledge(task: composition.Task, seed: int) -> tuple[Facts, Facts]:
    """All facts (head, relation token) -> tail, and those of them that are ID, from the splits alone."""
    splits = task.build(seed)
    everything = {tokens[-2:]: tail for tokens, tail in labelled(splits["train"]).items() if tokens[-3] == task.pad}
    ood = {tokens[-2:]: tail for tokens, tail in labelled(splits["ood_atomic"]).items()}
    id_facts = {fact: tail for fact, tail in everything.items() if fact not in ood}
    assert ood.items() < everything.items()
    return everything, id_facts  # pyright: ignore[reportReturnType]


def walk(facts: Facts, chain: tuple[int, ...]) -> list[int] | None:
    """The entities after the head, or None where a fact is missing."""
    nodes = [chain[0]]
    for relation in chain[1:]:
        if (nodes[-1], relation) not in facts:
            return None
        nodes.append(facts[nodes[-1], relation])
    return nodes[1:]


COMPOSITIONS = pytest.mark.parametrize("task", SMALL[:2])


@COMPOSITIONS
@pytest.mark.parametrize("seed", range(3))
def test_every_chain_leads_to_its_answer_over_facts_of_its_own_kind(task, seed):
    splits = task.build(seed)
    everything, id_facts = knowledge(task, seed)
    ood_facts = {fact: tail for fact, tail in everything.items() if fact not in id_facts}
    chains = {chain: t for chain, t in labelled(splits["train"]).items() if task.pad not in chain}
    assert len(chains) == task.num_inferred
    for facts, some in ((id_facts, chains), (id_facts, labelled(splits["test"])), (ood_facts, labelled(splits["ood"]))):
        for chain, answer in some.items():
            nodes = walk(facts, chain)
            assert nodes is not None
            assert nodes[-1] == answer


@COMPOSITIONS
@pytest.mark.parametrize("seed", range(3))
def test_every_fact_is_in_train_once_with_distinct_relations_of_a_head(task, seed):
    splits = task.build(seed)
    facts = [tokens for tokens in rows(splits["train"]) if tokens[-3] == task.pad]
    assert len(facts) == len(set(facts)) == task.num_facts == task.entities * task.out_degree
    assert all(tokens[: task.hops - 1] == (task.pad,) * (task.hops - 1) for tokens in facts)
    assert set(Counter(tokens[-2] for tokens in facts).values()) == {task.out_degree}
    assert all(task.entities <= tokens[-1] < task.entities + task.relations for tokens in facts)
    assert len(splits["ood_atomic"].targets_N) == round(task.ood_fraction * task.num_facts)
    assert len(splits["id_atomic"].targets_N) + len(splits["ood_atomic"].targets_N) == task.num_facts


@COMPOSITIONS
def test_all_chains_of_one_kind_are_trained_on_held_out_or_ood(task):
    """Against an enumeration of the graph: none is lost, and those that mix ID and OOD facts are nowhere."""
    everything, id_facts = knowledge(task, 0)
    ood_facts = {fact: tail for fact, tail in everything.items() if fact not in id_facts}
    relations = range(task.entities, task.entities + task.relations)

    def all_chains(facts: Facts) -> set[tuple[int, ...]]:
        chains = {(head,): head for head in range(task.entities)}
        for _ in range(task.hops):
            chains = {(*c, r): facts[end, r] for c, end in chains.items() for r in relations if (end, r) in facts}
        return set(chains)

    splits = task.build(0)
    graph = composition.knowledge(task, 0)
    assert set(rows(splits["ood"])) == all_chains(ood_facts)
    candidates, held_out = (rows(task.chains(graph, chains_C)) for chains_C in (graph.candidates_C, graph.held_out_C))
    assert sorted(candidates + held_out) == sorted(all_chains(id_facts))
    assert len(held_out) == round(task.test_fraction * len(all_chains(id_facts)))
    assert set(rows(splits["test"])) == set(held_out[: task.test_size])
    assert {chain for chain in rows(splits["train"]) if task.pad not in chain} == set(candidates[: task.num_inferred])


@COMPOSITIONS
def test_every_replacement_leads_elsewhere_and_touches_its_own_token_only(task):
    circuit = task.circuit(0, 100)
    everything, id_facts = knowledge(task, 0)
    chains, answers = circuit.inputs_NL.tolist(), circuit.targets_N.tolist()
    assert 50 < len(chains) <= 100
    assert list(circuit.replaced) == list(circuit.positions) == ["h", "r1", "r2", "r3"][: task.hops + 1]
    trained = set(rows(task.build(0)["train"]))
    for place, (at, changed_NL) in enumerate(circuit.replaced.values()):
        assert tuple(at) == (place,)
        for chain, answer, changed in zip(chains, answers, changed_NL.tolist(), strict=True):
            assert tuple(chain) in trained
            assert [i for i in range(task.num_tokens) if chain[i] != changed[i]] == [place]
            nodes = walk(everything, tuple(changed))
            assert nodes is None or nodes[-1] != answer
            if place:  # another ID relation of the entity that the chain has come to
                before = [chain[0], *(walk(id_facts, tuple(chain)) or [])]
                assert (before[place - 1], changed[place]) in id_facts
            else:
                assert any((changed[0], relation) in id_facts for relation in range(task.entities, task.pad))


@COMPOSITIONS
def test_a_circuit_looks_for_the_entities_on_the_way(task):
    circuit = task.circuit(0, 100)
    everything, _ = knowledge(task, 0)
    names = ["bridge"] if task.hops == 2 else ["bridge1", "bridge2"]
    assert list(circuit.looked_for) == [*names, circuit.positions[-1], "answer"]
    for i, chain in enumerate(circuit.inputs_NL.tolist()):
        found = [int(tokens_N[i]) for tokens_N in circuit.looked_for.values()]
        *bridges, answer = walk(everything, tuple(chain)) or []
        assert found == [*bridges, chain[-1], answer]


# Comparison.


def truths(task: Any, seed: int) -> tuple[Facts, set[tuple[int, int]]]:
    """The value of (attribute, entity), and who is OOD, from the population."""
    people = comparison.population(getattr(task, "plain", task), seed)
    cells = [(a, e) for a in range(task.attributes) for e in range(task.entities)]
    return {c: int(people.value_AE[c]) for c in cells}, {c for c in cells if people.is_ood_AE[c]}


def parsed(task: Any, tokens: tuple[int, ...]) -> tuple[int, int, int]:
    """(attribute, first entity, second entity) of a comparison; its marks are looked at on the way."""
    plain = getattr(task, "plain", task)
    assert (tokens[1], tokens[3]) == (plain.special("q"), plain.special("mask"))
    assert tokens[5:] == ((plain.special("/q"), plain.special("a")) if len(tokens) > 5 else ())
    return tokens[0] - task.entities, tokens[2], tokens[4]


def verdict(task: Any, attribute: int, first: int, second: int) -> int:
    """The label token: the last 3 * attributes tokens are <, = and > of each attribute."""
    return task.vocab_size - 3 * task.attributes + 3 * attribute + (first > second) + (first >= second)


def comparisons(task: Any, split: Split) -> dict[tuple[int, int, int], int]:
    """The comparisons of a split with their answers; facts are left out."""
    return {parsed(task, tokens): answer for tokens, answer in labelled(split).items() if tokens[0] != task.pad}


BOTH = pytest.mark.parametrize("task", SMALL[2:])


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_every_comparison_is_labelled_by_value(task, seed):
    values, _ = truths(task, seed)
    for split in task.build(seed).values():
        for (attribute, first, second), answer in comparisons(task, split).items():
            assert first != second
            assert answer == verdict(task, attribute, values[attribute, first], values[attribute, second])


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_every_fact_that_should_be_is_in_train_once(task, seed):
    values, ood = truths(task, seed)
    splits = task.build(seed)
    first_value = task.entities + task.attributes
    plain = getattr(task, "plain", task)
    q, mask, end, answer = (plain.special(mark) for mark in ("q", "mask", "/q", "a"))
    expected = {}
    for (attribute, entity), value in values.items():
        fact = (entity, task.entities + attribute)
        if task is not COMPLEX:
            expected[(task.pad, task.pad, task.pad, *fact)] = first_value + value
        elif (attribute, entity) not in ood:  # values of OOD entities are never told
            expected[(task.pad, q, *fact, mask, end, answer)] = first_value + value
    assert {t: v for t, v in labelled(splits["train"]).items() if t[0] == task.pad} == expected
    assert len(ood) == round(task.ood_fraction * task.entities) * task.attributes


def test_comparisons_stay_among_their_own_kind_and_both_orders_on_one_side(subtests):
    for seed in range(3):
        with subtests.test(seed=seed):
            task = COMPARISON
            _, ood = truths(task, seed)
            splits, people = task.build(seed), comparison.population(task, seed)
            for name, is_ood in (("train", False), ("test", False), ("ood", True)):
                for attribute, first, second in comparisons(task, splits[name]):
                    assert ((attribute, first) in ood) == ((attribute, second) in ood) == is_ood
            sides = [
                {tuple(row) for row in part.tolist()}
                for part in (people.candidates_C3, people.held_out_C3, people.ood_C3)
            ]
            for side in sides:
                assert {(attribute, second, first) for attribute, first, second in side} == side
            assert len(sides[0]) == task.num_candidates
            entities = range(task.entities)
            pure = {
                (a, x, y)
                for a in range(4)
                for x in entities
                for y in entities
                if x != y and ((a, x) in ood) == ((a, y) in ood)
            }
            assert set.union(*sides) == pure
            assert sum(map(len, sides)) == len(pure)


def test_another_entity_or_attribute_changes_the_answer_of_a_comparison():
    task = COMPARISON
    values, ood = truths(task, 0)
    circuit = task.circuit(0, 100)
    assert 50 < len(circuit.targets_N) <= 100
    assert {name: tuple(at) for name, (at, _) in circuit.replaced.items()} == {"e1": (2, 3), "e2": (4,), "a": (0, 1)}
    trained = comparisons(task, task.build(0)["train"])
    for name, place in (("e1", 2), ("e2", 4), ("a", 0)):
        changed_NL = circuit.replaced[name][1]
        for before, after, answer in zip(
            rows_of(circuit), changed_NL.tolist(), circuit.targets_N.tolist(), strict=True
        ):
            assert trained[parsed(task, before)] == answer
            assert [i for i in range(5) if before[i] != after[i]] == [place]
            attribute, first, second = parsed(task, tuple(after))
            assert verdict(task, attribute, values[attribute, first], values[attribute, second]) != answer
            if name != "a":
                assert not {(attribute, first), (attribute, second)} & ood


def test_a_circuit_compares_an_entity_with_another_one():
    circuit = COMPARISON.circuit(0, 100)
    for _, changed_NL in circuit.replaced.values():
        assert (changed_NL[:, 2] != changed_NL[:, 4]).all()


def test_a_comparison_looks_for_both_values_and_the_labels_of_its_attribute():
    task = COMPARISON
    values, _ = truths(task, 0)
    circuit = task.circuit(0, 100)
    for i, tokens in enumerate(rows_of(circuit)):
        attribute, first, second = parsed(task, tokens)
        found = {name: int(tokens_N[i]) for name, tokens_N in circuit.looked_for.items()}
        v1, v2 = (task.entities + task.attributes + values[attribute, entity] for entity in (first, second))
        assert found == {"v1": v1, "v2": v2, "answer": int(circuit.targets_N[i])}
        labels = {verdict(task, attribute, *pair) for pair in ((0, 1), (1, 1), (1, 0))}
        assert set(circuit.sets["labels"][i].tolist()) == labels


def rows_of(circuit: Circuit) -> Rows:
    return [tuple(tokens) for tokens in circuit.inputs_NL.tolist()]


# Complex comparison.


def test_ood_entities_are_met_in_comparisons_with_id_entities_only(subtests):
    for seed in range(3):
        with subtests.test(seed=seed):
            task = COMPLEX
            _, ood = truths(task, seed)
            splits = task.build(seed)
            kinds = Counter()
            for attribute, first, second in comparisons(task, splits["train"]):
                kinds[((attribute, first) in ood) + ((attribute, second) in ood)] += 1
            assert kinds == {0: task.num_inferred - task.num_cross, 1: task.num_cross}
            assert task.num_cross == round(task.share * 2 * task.num_id_facts * task.num_ood)
            assert all((a, e) not in ood for a, x, y in comparisons(task, splits["test"]) for e in (x, y))
            assert all((a, e) in ood for a, x, y in comparisons(task, splits["ood"]) for e in (x, y))


def reaches(edges: dict[int, set[int]], start: int, goal: int) -> bool:
    """Whether a path of one or more edges leads from start to goal: breadth first."""
    seen, waiting = set(), deque([start])
    while waiting:
        for node in edges[waiting.popleft()] - seen:
            if node == goal:
                return True
            seen.add(node)
            waiting.append(node)
    return False


def settled(edges: dict[int, set[int]], first: int, second: int, sign: int) -> bool:
    forth, back = reaches(edges, first, second), reaches(edges, second, first)
    return (forth and back) if sign == 0 else (forth if sign > 0 else back)


@pytest.mark.parametrize("seed", range(3))
def test_hard_questions_are_those_that_a_search_settles_and_comparisons_alone_do_not(seed):
    task = COMPLEX
    values, ood = truths(task, seed)
    splits = task.build(seed)
    told, compared = ([defaultdict(set) for _ in range(task.attributes)] for _ in range(2))
    known = [e for e in values if e not in ood]
    for attribute, x in known:
        told[attribute][x] |= {y for a, y in known if a == attribute and y != x and values[a, x] >= values[a, y]}
    for attribute, x, y in comparisons(task, splits["train"]):
        for a, b in ((x, y), (y, x)):
            if values[attribute, a] >= values[attribute, b]:
                compared[attribute][a].add(b)
                if ((attribute, a) in ood) != ((attribute, b) in ood):
                    told[attribute][a].add(b)
    hard = defaultdict(set)
    for attribute in range(task.attributes):
        outside = [e for a, e in ood if a == attribute]
        for x, y in ((x, y) for x in outside for y in outside if x != y):
            difference = values[attribute, x] - values[attribute, y]
            sign = (difference > 0) - (difference < 0)
            if settled(told[attribute], x, y, sign) and not settled(compared[attribute], x, y, sign):
                hard[sign].add((attribute, x, y))
    asked = comparisons(task, splits["ood"])
    assert len(asked) == len(splits["ood"].targets_N)
    for sign in (-1, 0, 1):
        chosen = {triple for triple, answer in asked.items() if (answer - task.plain.special("/q") - 1) % 3 == sign + 1}
        assert chosen <= hard[sign]
        assert len(chosen) == min(task.queries_per_label, *(len(hard[label]) for label in (-1, 0, 1)))


# Mistakes, and small things.


def test_wrong_sizes_are_one_line_with_the_field_its_value_and_the_limit(subtests):
    for kind, values, field, limit in [
        (composition.Task, {"entities": 0}, "entities", "1 or larger"),
        (composition.Task, {"relations": -3}, "relations", "1 or larger"),
        (composition.Task, {"out_degree": 0}, "out_degree", "1 or larger"),
        (composition.Task, {"test_size": 0}, "test_size", "1 or larger"),
        (composition.Task, {"out_degree": 201}, "out_degree", "at most relations=200"),
        (composition.Task, {"hops": 1}, "hops", "2 or 3"),
        (composition.Task, {"hops": 4}, "hops", "2 or 3"),
        (composition.Task, {"ood_fraction": 1.0}, "ood_fraction", r"[0, 1)"),
        (composition.Task, {"ood_fraction": -0.1}, "ood_fraction", r"[0, 1)"),
        (composition.Task, {"test_fraction": 0.0}, "test_fraction", r"(0, 1)"),
        (composition.Task, {"ratio": 19.0}, "ratio", "at most 18.7"),
        (composition.Task, {"ratio": 0.0}, "ratio", "above 0"),
        (comparison.Task, {"entities": 0}, "entities", "1 or larger"),
        (comparison.Task, {"attributes": 0}, "attributes", "1 or larger"),
        (comparison.Task, {"values": 0}, "values", "1 or larger"),
        (comparison.Task, {"test_size": -1}, "test_size", "1 or larger"),
        (comparison.Task, {"ood_fraction": 0.9999}, "ood_fraction", "2 or more of 1000"),
        (comparison.Task, {"test_fraction": 1.0}, "test_fraction", r"(0, 1)"),
        (comparison.Task, {"ratio": 900.0}, "ratio", "at most 809.1"),
        (comparison.Task, {"ratio": -1.0}, "ratio", "above 0"),
        (complex_comparison.Task, {"entities": 0}, "entities", "1 or larger"),
        (complex_comparison.Task, {"ood_fraction": 1.0}, "ood_fraction", "2 or more of 1000"),
        (complex_comparison.Task, {"share": 0.0}, "share", "(0, 1]"),
        (complex_comparison.Task, {"share": 1.1}, "share", "(0, 1]"),
        (complex_comparison.Task, {"queries_per_label": 0}, "queries_per_label", "1 or larger"),
    ]:
        with subtests.test(kind=kind.__name__, values=values):
            with pytest.raises(SpecError) as caught:
                kind(**values)
            line = str(caught.value)
            assert "\n" not in line
            assert line.startswith(kind.__module__.rsplit(".", 1)[-1])
            assert field in line
            assert limit in line
            assert str(values[field]) in line.split("got", 1)[-1]
            assert "got" in line


def test_a_graph_with_too_few_chains_is_one_line_with_its_seed():
    task = composition.Task(entities=4, relations=3, out_degree=2, ratio=1.0, ood_fraction=0.4, test_fraction=0.1)
    lines = {}
    for seed in range(50):
        try:
            assert len(task.build(seed)["train"].targets_N) == task.num_train
        except SpecError as error:
            lines[seed] = str(error)
    assert 0 < len(lines) < 50
    for seed, line in lines.items():
        assert line.startswith("composition.ratio 1.0 needs 5 ")
        assert f"seed {seed} " in line


def test_without_ood_examples_there_is_no_ood_split(subtests):
    """As a modular task without a test split has none: no run is evaluated on nothing."""
    for task in [
        composition.Task(entities=20, relations=4, out_degree=3, ratio=1.0, ood_fraction=0.0, test_fraction=0.1),
        comparison.Task(entities=9, attributes=2, values=3, ratio=1.0, ood_fraction=0.1),
        dataclasses.replace(COMPLEX, share=0.2, ood_fraction=0.25),
    ]:
        with subtests.test(task=task):
            splits = task.build(0)
            assert "ood" not in splits
            assert all(len(split.targets_N) for split in splits.values())


def test_runs_with_and_without_ood_examples_train_in_one_pack():
    task = composition.Task(entities=8, relations=3, out_degree=2, ratio=0.4, ood_fraction=0.13, test_fraction=0.1)
    has_ood = {seed: "ood" in task.build(seed) for seed in range(6)}
    assert len(set(has_ood.values())) == 2
    model, optimizer = transformer.Model(width=8, heads=1), adamw.Optimizer()
    runs = [RunSpec(task=task, model=model, optimizer=optimizer, data_seed=seed) for seed in has_ood]
    record = trained(runs, 2)
    for run in runs:
        assert bool(record.series(run.run_id, "ood", "loss")) == has_ood[run.data_seed]


def test_a_choice_is_uniform_among_the_allowed():
    allowed_NK = torch.tensor([[True, False, True, True]]).expand(6000, 4)
    chosen_N, some_N = choose(allowed_NK, torch.Generator().manual_seed(0))
    assert some_N.all()
    counts = chosen_N.bincount(minlength=4).tolist()
    assert counts[1] == 0
    assert all(1_850 < counts[i] < 2_150 for i in (0, 2, 3))  # 2,000 expected, standard deviation 37
    assert choose(torch.zeros(2, 3, dtype=torch.bool), torch.Generator())[1].tolist() == [False, False]
