"""Compositions of random tables and the coverage oracle: by plain Python on small ones, and the known thresholds."""

import csv
import dataclasses
import itertools
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

from trainables.coverage import components, cutoffs, examples_needed, numbered
from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.tables import STRUCTURES, all_in, distinct
from trainables.tasks import hops
from trainables.tasks.hops import Task

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "data" / "coverage_oracle.csv"
SMALL = [Task(structure=structure, n=8, data_size=120) for structure in STRUCTURES]
BY_HAND = {
    "two_hop": lambda f, x: f[1][f[0][x[0], x[1]], x[2]],
    "parallel_two_hop": lambda f, x: f[2][f[0][x[0], x[1]], f[1][x[2], x[3]]],
    "three_hop": lambda f, x: f[2][f[1][f[0][x[0], x[1]], x[2]], x[3]],
    "non_tree": lambda f, x: f[1][f[0][x[0], x[1]], x[1], x[2]],
}

UNLUCKY = 0
"""A seed whose smallest tables have fewer combinations than tables have on average."""

small = pytest.mark.parametrize("task", SMALL, ids=lambda task: task.structure)


def examples(split):
    return list(zip(map(tuple, split.inputs_NL.tolist()), split.targets_N.tolist(), strict=True))


def world(task, seed=0):
    return task.tables(seed)


@small
def test_every_answer_is_that_of_the_tables(task):
    functions = [
        dict(zip(itertools.product(range(task.n), repeat=len(places)), output.tolist(), strict=True))
        for places, output in zip(task.shape.primitives, world(task).outputs, strict=True)
    ]
    for split in task.build(0).values():
        assert all(BY_HAND[task.structure](functions, x) == label for x, label in examples(split))


@small
def test_training_uses_seen_entries_test_used_ones_and_ood_one_that_is_not(task):
    splits, found = task.build(0), world(task)
    entries = {name: found.follow(split.inputs_NL)[0] for name, split in splits.items()}
    assert all_in(entries["train"], found.seen).all()
    used = [set(column.tolist()) for column in entries["train"].unbind(1)]
    known = {
        name: [all(e in u for e, u in zip(row, used, strict=True)) for row in rows.tolist()]
        for name, rows in entries.items()
    }
    assert all(known["test"])
    assert not any(known["ood"])
    combinations = torch.cartesian_prod(*[torch.arange(task.n)] * task.num_tokens)
    rows, _ = found.follow(combinations)
    num_known = sum(all(e in u for e, u in zip(row, used, strict=True)) for row in rows.tolist())
    assert len(splits["test"].targets_N) == min(task.test_size, num_known - task.data_size)


@small
def test_a_smaller_training_set_is_the_beginning_of_a_larger_one(task):
    smaller = dataclasses.replace(task, data_size=50).build(0)["train"]
    assert task.build(0)["train"].inputs_NL[:50].equal(smaller.inputs_NL)


@small
def test_as_many_entries_are_seen_as_asked(task):
    for places, seen in zip(task.shape.primitives, world(task).seen, strict=True):
        assert int(seen.sum()) == round(0.7 * task.n ** len(places))


def test_the_published_example_has_its_sizes():
    task = Task()
    assert (task.n, task.num_train, task.seen_fraction, task.test_size) == (50, 10_000, 0.7, 2000)
    largest = Task(structure="non_tree", data_size=50_000).largest_size
    assert largest == pytest.approx(0.9 * 61_250, abs=1)  # the paper: 61 thousand are possible


def test_chance_is_the_commonest_answer_that_is_left_without_the_bridge():
    found, shares = world(Task(n=20, data_size=1)), []
    outputs, seen = found.outputs[1].view(20, 20), found.seen[1].view(20, 20)
    for x3 in range(20):
        left = outputs[seen[:, x3], x3]
        shares.append(int(left.bincount().max()) / len(left))
    assert Task(n=20, data_size=1).chance_accuracy == pytest.approx(np.mean(shares), rel=0.15)


@pytest.mark.parametrize("level", [1, 2, 3])
@small
def test_cutoffs_are_those_of_the_definition_written_out(task, level):
    task = dataclasses.replace(task, n=6, data_size=70, test_size=40)
    splits = task.build(1)
    train, test = splits["train"], splits["test"]
    found = cutoffs(train, test, task.fragments, [level]) == level
    assert found.tolist() == covered_by_hand(examples(train), examples(test), task.fragments, level)


def covered_by_hand(train, asked, fragments, level):
    """Neighbours, pair by pair; the closure of equivalence by repeated merging."""
    nodes, neighbours = train + asked, defaultdict(set)
    for places in fragments:
        cut = lambda x, places=places: (  # noqa: E731
            tuple(x[i] for i in places),
            tuple(x[i] for i in range(len(x)) if i not in places),
        )
        behaviour = defaultdict(dict)
        for x, label in train:
            fragment, context = cut(x)
            behaviour[fragment][context] = label
        classes = {cut(x)[0]: {cut(x)[0]} for x, _ in nodes}
        for a, b in itertools.combinations(behaviour, 2):
            shared = behaviour[a].keys() & behaviour[b].keys()
            if len(shared) >= level and all(behaviour[a][c] == behaviour[b][c] for c in shared):
                merged = classes[a] | classes[b]
                for fragment in merged:
                    classes[fragment] = merged
        for (i, (x, label)), (j, (y, other)) in itertools.combinations(enumerate(nodes), 2):
            (a, c), (b, d) = cut(x), cut(y)
            if label == other and c == d and b in classes[a]:
                neighbours[i].add(j)
                neighbours[j].add(i)
    reached, frontier = set(range(len(train))), list(range(len(train)))
    while frontier:
        for j in neighbours[frontier.pop()] - reached:
            reached.add(j)
            frontier.append(j)
    return [len(train) + i in reached for i in range(len(asked))]


def test_the_cutoff_is_the_largest_level_at_which_an_example_is_covered():
    # (0, 0) and (1, 1) agree in the contexts 0, 1 and 2; context 3 was seen with (0, 0) alone.
    train = [(0, 0, c, 7 + c) for c in range(4)] + [(1, 1, c, 7 + c) for c in range(3)]
    asked = [(1, 1, 3, 10), (1, 1, 3, 9), (2, 2, 0, 7), (0, 0, 4, 5)]
    split = lambda rows: Split(torch.tensor(rows)[:, :3], torch.tensor(rows)[:, 3])  # noqa: E731
    assert cutoffs(split(train), split(asked), [(0, 1)]).tolist() == [3, 0, 0, 0]
    contradicted = [*train[:-1], (1, 1, 2, 0)]
    assert cutoffs(split(contradicted), split(asked), [(0, 1)]).tolist() == [0, 0, 0, 0]


@small
def test_the_closer_look_cuts_the_test_examples_by_their_cutoff(task):
    splits = task.build(0)
    parts = {name: examples(split) for name, split in splits.items() if name.startswith("cutoff_")}
    assert sorted(x for part in parts.values() for x in part) == sorted(examples(splits["test"]))
    cutoff = dict(
        zip(
            examples(splits["test"]),
            cutoffs(splits["train"], splits["test"], task.fragments, hops.CUTOFFS).tolist(),
            strict=True,
        )
    )
    assert all(cutoff[x] == int(name.removeprefix("cutoff_")) for name, part in parts.items() for x in part)


def test_in_a_non_tree_fragments_are_alike_only_with_the_same_x2_so_less_is_covered():
    def share(structure):
        splits = Task(structure=structure, n=20, data_size=1763).build(0)
        covered = sum(len(splits[name].targets_N) for name in ("cutoff_3", "cutoff_5"))
        return covered / len(splits["test"].targets_N)

    assert share("two_hop") > 0.95
    assert share("non_tree") < 0.6


@pytest.mark.parametrize(("n", "level", "size"), [(20, 2, 1694), (20, 5, 2847), (30, 3, 5620), (30, 5, 7092)])
def test_ninety_nine_percent_are_covered_at_the_known_data_size(n, level, size):
    def share(data_size):
        found = []
        for seed in (0, 1):
            splits = Task(n=n, data_size=round(data_size), test_size=1500).build(seed)
            covered = cutoffs(splits["train"], splits["test"], ((0, 1),), [level]) > 0
            found.append(covered.mean())
        return np.mean(found)

    assert share(0.8 * size) < 0.99 < share(1.2 * size)
    assert share(size) == pytest.approx(0.99, abs=0.015)


def test_the_data_needed_for_coverage_is_where_its_share_crosses():
    task = Task(n=12, data_size=1)
    size = examples_needed(task, seed=0, level=2)
    splits = dataclasses.replace(task, data_size=round(size)).build(0)
    assert (cutoffs(splits["train"], splits["test"], task.fragments, [2]) > 0).mean() >= 0.99
    assert examples_needed(task, seed=0, level=12) == math.inf


@pytest.mark.slow
def test_the_exponents_of_the_known_thresholds_come_out():
    ns = (20, 30, 40, 50, 70)
    known = {2: (2.13, 1694), 3: (2.20, 2155), 5: (2.28, 2847)}
    for level, (exponent, _) in known.items():
        sizes = [
            np.mean([examples_needed(Task(n=n, data_size=1, test_size=1500), seed, level) for seed in (0, 1)])
            for n in ns
        ]
        assert np.polyfit(np.log(ns), np.log(sizes), 1)[0] == pytest.approx(exponent, abs=0.12)
        if REFERENCE.exists():
            rows = csv.DictReader(REFERENCE.open())
            table = {int(row["n"]): float(row["N"]) for row in rows if int(row["k"]) == level}
            assert sizes == pytest.approx([table[n] for n in ns], rel=0.15)


def test_equal_rows_have_equal_numbers():
    rows = np.random.default_rng(0).integers(0, 3, (200, 4))
    number = numbered(rows)
    assert ((number[:, None] == number) == (rows[:, None] == rows).all(2)).all()
    assert sorted(set(number.tolist())) == list(range(len({tuple(row) for row in rows.tolist()})))


@pytest.mark.parametrize("seed", range(5))
def test_components_are_named_by_their_smallest_node(seed):
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 60, (2, 40))
    parent = list(range(60))
    for _ in range(60):
        for a, b in zip(left, right, strict=True):
            parent[a] = parent[b] = min(parent[a], parent[b])
    assert components(60, left, right).tolist() == parent


@small
def test_a_replaced_token_leads_through_seen_entries_to_another_answer(task):
    circuit, found = task.circuit(0, 50), world(task)
    entries, outputs = found.follow(circuit.inputs_NL)
    assert len(circuit.targets_N) > 10
    assert outputs[:, -1].equal(circuit.targets_N)
    assert circuit.positions == task.positions
    bridges = [name for name in circuit.looked_for if name.startswith("bridge")]
    assert len(bridges) == len(task.shape.primitives) - 1
    for name, bridge in zip(bridges, outputs[:, :-1].unbind(1), strict=True):
        assert circuit.looked_for[name].equal(bridge)
    for place, (at, changed) in enumerate(circuit.replaced.values()):
        assert at == (place,)
        differs = changed != circuit.inputs_NL
        assert differs[:, place].all()
        assert int(differs.sum()) == len(changed)
        entries, outputs = found.follow(changed)
        assert all_in(entries, found.seen).all()
        assert (outputs[:, -1] != circuit.targets_N).all()


@small
@pytest.mark.parametrize("thoughts", ["bridges", "fake"])
def test_a_chain_of_thought_says_the_bridges_before_the_answer(task, thoughts):
    spoken = dataclasses.replace(task, chain_of_thought=thoughts)
    length = task.num_tokens
    for name, split in spoken.build(0).items():
        plain = task.build(0)[name]
        outputs = world(task).follow(plain.inputs_NL)[1]
        bridges = outputs[:, :-1] if thoughts == "bridges" else torch.full_like(outputs[:, :-1], task.n)
        assert split.inputs_NL.equal(torch.cat([plain.inputs_NL, bridges], dim=1))
        assert split.targets_N.equal(torch.cat([bridges, plain.targets_N[:, None]], dim=1))
    assert spoken.largest_size == task.largest_size
    circuit, plain = spoken.circuit(0, 50), task.circuit(0, 50)
    assert circuit.targets_N.equal(plain.targets_N)
    assert len(circuit.positions) == spoken.num_tokens == circuit.inputs_NL.shape[1]
    for name, (at, changed) in circuit.replaced.items():
        assert (at, changed[:, :length].tolist()) == (plain.replaced[name][0], plain.replaced[name][1].tolist())


def test_what_cannot_be_is_refused(subtests):
    for options, message in [
        ({"structure": "two_hops"}, "Did you mean 'two_hop'"),
        ({"chain_of_thought": "bridge"}, "Did you mean 'bridges'"),
        ({"n": 1}, "n must be in"),
        ({"n": 10, "data_size": 450}, r"data_size must be in \[1, 44.\]"),
        ({"seen_fraction": 0.0}, "seen_fraction must be in"),
        ({"test_size": 0}, "test_size must be 1 or larger"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=message):
            Task(**options)


def test_tables_with_too_few_combinations_are_refused_by_name():
    task = Task(n=3, data_size=Task(n=3, data_size=1).largest_size)
    found = world(task, seed=UNLUCKY)
    combinations = torch.arange(task.n**task.num_tokens)
    assert int(found.allowed(combinations, found.seen).sum()) < task.data_size
    with pytest.raises(SpecError, match=r"larger than \d+, the number of combinations"):
        task.build(UNLUCKY)


def test_draws_are_distinct_and_keep_their_order():
    drawn = torch.randint(50, (200,), generator=generator("x", 0))
    assert distinct(drawn).tolist() == list(dict.fromkeys(drawn.tolist()))
