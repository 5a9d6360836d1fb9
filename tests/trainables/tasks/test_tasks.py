"""Tasks: what is in a split, how many, with which labels; modular arithmetic against Python's own."""

import dataclasses
import itertools
from collections import Counter
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from study.check import fields
from study.check.task import checks
from trainables import tables
from trainables.components import available, load
from trainables.data import PackedSplit, Split, pack_splits
from trainables.errors import SpecError
from trainables.tasks import modular
from trainables.tasks.modular import COMMUTATIVE, OPERATIONS, Task

SETTINGS = settings(max_examples=80, deadline=None)
PRIMES = [2, 3, 5, 7, 11, 13, 23]
VARIANTS = {
    "arithmetic": [
        {"digits": 2, "format": name, "data_size": 150, "test_size": 50}
        for name in ("plain", "reverse", "simplified", "detailed")
    ],
    "composition": [
        {"entities": 30, "relations": 9, "out_degree": 5, "ratio": 2.0, "test_fraction": 0.1, "ood_fraction": 0.2},
        {"entities": 12, "relations": 6, "out_degree": 4, "ratio": 4.0, "hops": 3, "ood_fraction": 0.4},
    ],
    "comparison": [{"entities": 20, "attributes": 3, "values": 5, "ratio": 3.0, "ood_fraction": 0.25}],
    "complex_comparison": [
        {"entities": 40, "attributes": 3, "values": 6, "share": 0.08, "ood_fraction": 0.4, "queries_per_label": 8}
    ],
    "denoising": [{"side": 5, "num_images": 4, "data_size": 50, "test_size": 20}],
    "group": [{"group": name} for name in ("Z12", "S3", "D4", "Z2xZ3")],
    "hops": [
        *({"structure": structure, "n": 10, "data_size": 200} for structure in tables.STRUCTURES),
        *({"n": 10, "data_size": 200, "chain_of_thought": thoughts} for thoughts in ("bridges", "fake")),
    ],
    "emergence": [
        {},
        {"p": 7, "train_fraction": 0.5, "memorize": 49},
        {"p": 7, "train_fraction": 0.5, "memorize": 0},
        {"p": 2, "train_fraction": 1.0, "memorize": 1},
    ],
    "in_context_classification": [
        {"base": base, "dimensions": 4, "points": 5, "num_tasks": 6, "data_size": 50, "test_size": 20}
        for base in ("clusters", "digits")
    ],
    "digits": [{}, {"data_size": 20, "test_size": 100}],
    "integer_addition": [{}, {"p": 7, "train_fraction": 0.5}, {"p": 2, "train_fraction": 1.0}],
    "modular": [
        {},
        *({"p": 23, "operation": operation} for operation in OPERATIONS),
        {"p": 24},
        {"p": 23, "labels": "random"},
        {"p": 23, "label_corruption": 0.3},
        {"p": 23, "pairs_together": True},
        {"p": 23, "train_fraction": 1.0},
        {"p": 23, "train_fraction": None, "data_size": 1},
        {"p": 2},
    ],
    "linear_regression": [
        {"dimensions": 2, "points": 3, "data_size": 50, "test_size": 20, "pairs": pairs} for pairs in (False, True)
    ],
    "repeated": [{"symbols": 4, "context": 3, "budget": 300, "test_size": 50, "repeats": 5}],
    "rewrite": [
        {
            "letters": 6,
            "rule_length": 2,
            "length": 6,
            "rules": rules,
            "data_size": 120,
            "test_size": 40,
            "no_op_share": no,
        }
        for rules, no in ((3, 0.0), (120, 0.25))
    ],
    "parities": [
        {"n": 10, "k": 2, "data_size": 300, "test_size": 200},
        {"n": 10, "k": 10, "data_size": 300, "test_size": 200},
        {"labels": "random", "data_size": 300},
    ],
    "scan": [
        {"data_size": 600, "test_size": 100},
        {"primitives": 8, "max_actions": 4, "data_size": 300, "alone_share": 0.2, "test_size": 50},
    ],
}


def variants(name: str) -> list[Any]:
    """The task with each of its options."""
    return [load("trainables.tasks", name).Task(**options) for options in VARIANTS.get(name, [{}])]


def truth(operation: str, a: int, b: int, p: int) -> int:
    match operation:
        case "add":
            return (a + b) % p
        case "sub":
            return (a - b) % p
        case "mul":
            return a * b % p
        case "div":
            return a * pow(b, p - 2, p) % p if p > 2 else a
        case "sum_of_squares":
            return (a**2 + b**2) % p
        case "square_of_sum":
            return (a + b) ** 2 % p
        case "quadratic":
            return (a**2 + a * b + b**2) % p
        case "cubic":
            return (a**3 + a * b**2) % p
        case "cubic_plus_b":
            return (a**3 + a * b**2 + b) % p
    raise AssertionError(operation)


@cache
def whole_table(p: int, operation: str) -> dict[tuple[int, int], int]:
    pairs = ((a, b) for a in range(p) for b in range(p) if operation != "div" or b != 0)
    return {(a, b): truth(operation, a, b, p) for a, b in pairs}


def pairs(split: Split) -> list[tuple[int, int]]:
    return [(a, b) for a, b, _ in split.inputs_NL.tolist()]


def labelled(split: Split) -> dict[tuple[int, int], int]:
    return dict(zip(pairs(split), split.targets_N.tolist(), strict=True))


def everything(task: Task, seed: int = 0) -> dict[tuple[int, int], int]:
    return {pair: label for split in task.build(seed).values() for pair, label in labelled(split).items()}


@pytest.mark.parametrize("name", available("trainables.tasks"))
def test_every_task_passes_the_checks_that_a_users_task_gets(name, subtests):
    assert [row for row in fields.checks("task", load("trainables.tasks", name).Task) if not row.ok] == []
    for task in variants(name):
        with subtests.test(task=task):
            rows = list(checks(task))
            drawn = {"leakage"} if getattr(task, "drawn", False) else set()
            assert [row for row in rows if not row.ok and row.name not in drawn] == []
            assert drawn == {row.name for row in rows if row.ok is None}


def test_every_operation_agrees_with_pythons_arithmetic(subtests):
    for p, operation in itertools.product(PRIMES, OPERATIONS):
        with subtests.test(p=p, operation=operation):
            assert everything(Task(p=p, operation=operation)) == whole_table(p, operation)


def test_composite_moduli_work_where_nothing_is_divided(subtests):
    for p, operation in itertools.product((4, 6, 12), [name for name in OPERATIONS if name != "div"]):
        with subtests.test(p=p, operation=operation):
            assert everything(Task(p=p, operation=operation)) == whole_table(p, operation)


def test_large_moduli_do_not_overflow():
    p = 1021
    a, b, labels = modular.table(p, "cubic")
    for i in (0, 17, p * p // 2, p * p - 1):
        assert int(labels[i]) == truth("cubic", int(a[i]), int(b[i]), p)


def test_the_divisor_is_never_zero():
    task = Task(p=11, operation="div")
    assert task.num_pairs == 110
    assert all(b != 0 for _, b in everything(task))


def test_commutative_operations_are_those_that_commute(subtests):
    for operation in OPERATIONS:
        with subtests.test(operation):
            table = whole_table(7, operation)
            commutes = all(table.get((b, a)) == label for (a, b), label in table.items())
            assert commutes == (operation in COMMUTATIVE)


def test_chance_is_the_best_constant_answer_on_the_whole_table(subtests):
    for p, operation in itertools.product((*PRIMES, 12), OPERATIONS):
        with subtests.test(p=p, operation=operation):
            if operation == "div" and p == 12:
                with pytest.raises(SpecError, match="prime"):
                    Task(p=p, operation=operation)
                continue
            table = whole_table(p, operation)
            best = max(Counter(table.values()).values()) / len(table)
            assert Task(p=p, operation=operation).chance_accuracy == pytest.approx(best, rel=1e-12)


@st.composite
def tasks(draw: st.DrawFn, **fixed: object) -> Task:
    p = draw(st.integers(2, 16))
    operation = draw(st.sampled_from([name for name in OPERATIONS if name != "div" or modular.is_prime(p)]))
    num_pairs = p * (p - 1) if operation == "div" else p * p
    size = draw(st.none() | st.integers(1, num_pairs))
    fraction = None if size is not None else draw(st.floats(1e-6, 1))
    options = {"p": p, "operation": operation, "train_fraction": fraction, "data_size": size, **fixed}
    return Task(**{"pairs_together": draw(st.booleans()), **options})  # pyright: ignore[reportArgumentType]


@SETTINGS
@given(tasks(), st.integers(0, 99))
def test_splits_are_disjoint_cover_the_table_and_have_the_exact_counts(task, seed):
    splits = task.build(seed)
    in_train, in_test = pairs(splits["train"]), pairs(splits["test"]) if "test" in splits else []
    table = whole_table(task.p, task.operation)
    assert sorted(in_train + in_test) == sorted(table)
    expected = task.data_size if task.data_size is not None else max(1, round(task.train_fraction * len(table)))
    assert len(in_train) == expected == task.num_train
    assert ("test" in splits) == (len(in_test) > 0)
    assert all(label == table[pair] for split in splits.values() for pair, label in labelled(split).items())
    assert all((split.inputs_NL[:, 2] == task.p).all() for split in splits.values())


@SETTINGS
@given(tasks(pairs_together=True), st.integers(0, 99))
def test_pairs_together_puts_a_b_and_b_a_on_one_side_for_every_size(task, seed):
    in_train = set(pairs(task.build(seed)["train"]))
    assert len(in_train) == task.num_train
    table = whole_table(task.p, task.operation)
    assert all((b, a) in in_train for a, b in in_train if (b, a) in table)


def test_pairs_together_finds_a_cut_for_every_size_of_every_small_table(subtests):
    for p, operation in itertools.product((2, 3, 4, 5, 6, 7), ("add", "div")):
        with subtests.test(p=p, operation=operation):
            if operation == "div" and not modular.is_prime(p):
                continue
            for size in range(1, len(whole_table(p, operation)) + 1):
                for seed in range(5):
                    task = Task(p=p, operation=operation, train_fraction=None, data_size=size, pairs_together=True)
                    in_train = set(pairs(task.build(seed)["train"]))
                    assert len(in_train) == size
                    assert all((b, a) in in_train for a, b in in_train if (b, a) in whole_table(p, operation))


def test_without_pairs_together_most_pairs_are_torn_at_half_the_table():
    in_train = set(pairs(Task(p=23).build(0)["train"]))
    torn = sum((b, a) not in in_train for a, b in in_train) / len(in_train)
    assert 0.35 < torn < 0.65


def test_pairs_of_equals_are_trained_on_as_often_as_others(subtests):
    for together, size in itertools.product((False, True), (24, 25)):
        with subtests.test(together=together, size=size):
            task = Task(p=7, train_fraction=None, data_size=size, pairs_together=together)
            counts = Counter(pair for seed in range(400) for pair in pairs(task.build(seed)["train"]))
            assert len(counts) == 49
            assert all(140 < count < 260 for count in counts.values())  # 200 expected, standard deviation 10
            assert 185 < sum(counts[a, a] for a in range(7)) / 7 < 215


def test_random_labels_are_symmetric(subtests):
    for operation in ("add", "sub", "div"):
        with subtests.test(operation):
            table = everything(Task(p=13, operation=operation, labels="random"))
            assert all(table.get((b, a), label) == label for (a, b), label in table.items())
            assert table != whole_table(13, operation)


def test_random_labels_are_uniform_and_follow_the_data_seed():
    p, num_seeds = 13, 60
    tables = [everything(Task(p=p, labels="random"), seed) for seed in range(num_seeds)]
    counts = Counter(label for table in tables for (a, b), label in table.items() if a <= b)
    expected = num_seeds * p * (p + 1) / 2 / p
    chi_square = sum((counts[label] - expected) ** 2 / expected for label in range(p))
    assert 1 < chi_square < 45  # 12 degrees of freedom
    assert len({tuple(sorted(table.items())) for table in tables}) == num_seeds


def test_the_random_twin_has_the_same_split():
    task = Task(p=13)
    twin = dataclasses.replace(task, labels="random")
    assert pairs(task.build(5)["train"]) == pairs(twin.build(5)["train"])


@SETTINGS
@given(tasks(), st.floats(0, 1), st.integers(0, 99))
def test_corruption_is_exact_always_wrong_and_leaves_the_test_labels_alone(task, share, seed):
    corrupted = dataclasses.replace(task, label_corruption=share)
    before, after = task.build(seed), corrupted.build(seed)
    assert pairs(before["train"]) == pairs(after["train"])
    wrong = before["train"].targets_N != after["train"].targets_N
    assert int(wrong.sum()) == round(share * task.num_train)
    assert after["train"].targets_N.max() < task.p
    if "test" in before:
        assert labelled(before["test"]) == labelled(after["test"])


def test_corrupted_labels_are_uniform_over_the_wrong_ones():
    task = Task(p=7, train_fraction=1.0)
    corrupted = dataclasses.replace(task, label_corruption=1.0)
    shifts = Counter()
    for seed in range(50):
        before, after = task.build(seed)["train"], corrupted.build(seed)["train"]
        shifts.update(((after.targets_N - before.targets_N) % 7).tolist())
    assert set(shifts) == {1, 2, 3, 4, 5, 6}
    assert max(shifts.values()) < 1.3 * min(shifts.values())


def test_in_the_order_of_primitive_powers_a_product_is_a_shift(subtests):
    for p, operation in itertools.product(PRIMES, ("mul", "div")):
        with subtests.test(p=p, operation=operation):
            order = Task(p=p, operation=operation).fourier_order()
            assert order is not None
            order = order.tolist()
            assert sorted(order) == list(range(1, p))
            place = {residue: i for i, residue in enumerate(order)}
            sign = 1 if operation == "mul" else -1
            for i, a in enumerate(order):
                for j, b in enumerate(order):
                    assert place[truth(operation, a, b, p)] == (i + sign * j) % (p - 1)


def test_sums_need_no_reordering_and_composite_products_have_no_order():
    assert Task(p=12).fourier_order().tolist() == list(range(12))  # pyright: ignore[reportOptionalMemberAccess]
    assert Task(p=12, operation="mul").fourier_order() is None


def test_primes_are_the_primes():
    assert [n for n in range(32) if modular.is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31]
    assert not modular.is_prime(4087)  # 61 * 67


def packed(*sizes: int, limit: int | None = None) -> PackedSplit:
    splits = [Task(p=7, train_fraction=None, data_size=size).build(size)["train"] for size in sizes]
    return pack_splits(splits, torch.device("cpu"), limit)


def test_shorter_splits_are_padded_with_their_own_first_example():
    data = packed(3, 10, 1)
    assert data.inputs_DNL.shape == (3, 10, 3)
    assert data.counts_R.tolist() == [3, 10, 1]
    assert (data.inputs_DNL[0, 3:] == data.inputs_DNL[0, 0]).all()
    assert (data.targets_DN[2] == data.targets_DN[2, 0]).all()
    assert data.inputs_DNL[1].equal(Task(p=7, train_fraction=None, data_size=10).build(10)["train"].inputs_NL)


def test_a_mean_is_over_a_runs_own_examples_and_exact():
    data = packed(3, 10, 1)
    torch.testing.assert_close(data.weights_RN.sum(1), torch.ones(3))
    scores_RN = torch.full((3, 10), float("inf"))
    scores_RN[data.real_RN] = 1.0
    assert data.mean(scores_RN).tolist() == [1.0, 1.0, 1.0]
    for size in range(1, 49):
        alone = packed(size)
        assert alone.mean(torch.ones(1, size)).item() == 1.0
        assert alone.mean((torch.arange(size) == 0).float()[None]).item() == 1 / size


def test_a_limit_takes_the_first_examples_of_each_run():
    data = packed(3, 10, 1, limit=4)
    assert data.counts_R.tolist() == [3, 4, 1]
    assert data.inputs_DNL.equal(packed(3, 10, 1).inputs_DNL[:, :4])


def test_selected_runs_keep_their_data():
    data = packed(3, 10, 1)
    part = data.select(torch.tensor([2, 0]))
    assert part.counts_R.tolist() == [1, 3]
    assert part.inputs_DNL.equal(data.inputs_DNL[[2, 0]])
    assert part.targets_DN.equal(data.targets_DN[[2, 0]])
