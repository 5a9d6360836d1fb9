"""Groups: their axioms on every table, the counts of the paper, and the solution of cyclic groups that is known."""

import math

import pytest
import torch

from trainables.errors import SpecError
from trainables.models import mlp
from trainables.seeds import generator
from trainables.tasks import group, modular
from trainables.tasks.group import Task, cayley_table

GROUPS = {"Z1xZ5": 5, "Z12": 12, "Z2xZ3xZ4": 24, "S3": 6, "S4": 24, "D1": 2, "D5": 10, "S3xZ2": 12, "D4xS3": 48}
groups = pytest.mark.parametrize("name", GROUPS)


@groups
def test_a_table_has_the_order_and_every_element_once_in_each_row_and_column(name):
    table = cayley_table(name)
    order = Task(group=name, train_fraction=0.5).p
    assert order == GROUPS[name] == len(table)
    every = torch.arange(order).expand(order, -1)
    assert table.sort(0).values.T.equal(every)
    assert table.sort(1).values.equal(every)


@groups
def test_multiplication_is_associative_has_a_neutral_element_and_inverses(name):
    table = cayley_table(name)
    order = len(table)
    assert table[0].equal(torch.arange(order))
    assert table[:, 0].equal(torch.arange(order))
    left, right = (table == 0).int().argmax(1), (table == 0).int().argmax(0)
    assert left.equal(right)
    a, b, c = torch.randint(order, (3, 2000), generator=generator("elements", 0))
    assert table[table[a, b], c].equal(table[a, table[b, c]])


def test_symmetric_and_dihedral_groups_do_not_commute(subtests):
    for name, commutes in [("Z2xZ3xZ4", True), ("S3", False), ("D5", False), ("D2", True), ("S2xZ7", True)]:
        with subtests.test(name=name, commutes=commutes):
            table = cayley_table(name)
            assert table.equal(table.T) == commutes


def test_permutations_and_mirrorings_multiply_as_they_do():
    # In lexicographic order 1 is (0 2 1) and 2 is (1 0 2); first 2, then 1: 0 -> 1 -> 2, 1 -> 0 -> 0, 2 -> 2 -> 1.
    assert int(cayley_table("S3")[1, 2]) == 4  # (2 0 1)
    turn, mirror = 1, 5
    assert int(cayley_table("D5")[mirror, turn]) == 4 + 5  # mirror turn = turn^-1 mirror


def test_groups_of_one_order_are_told_apart_by_their_squares():
    squares = {name: int((cayley_table(name).diagonal() == 0).sum()) for name in ("Z24", "S4", "D12", "Z2xZ12")}
    assert squares == {"Z24": 2, "S4": 10, "D12": 14, "Z2xZ12": 4}


def test_a_cyclic_group_is_addition_with_the_same_split():
    ours, theirs = Task(group="Z23", train_fraction=0.4).build(5), modular.Task(p=23, train_fraction=0.4).build(5)
    for name, split in theirs.items():
        labels = dict(zip(map(tuple, split.inputs_NL.tolist()), split.targets_N.tolist(), strict=True))
        assert len(ours[name].targets_N) == len(labels)
    everything = torch.cat([split.inputs_NL for split in ours.values()])
    answers = torch.cat([split.targets_N for split in ours.values()])
    assert answers.equal((everything[:, 0] + everything[:, 1]) % 23)


def test_train_and_test_are_the_whole_table(subtests):
    for name in ["Z23", "S4", "Z2xZ3xZ4"]:
        with subtests.test(name=name):
            task = Task(group=name, train_fraction=None, data_size=100)
            splits = task.build(3)
            pairs = [tuple(row) for split in splits.values() for row in split.inputs_NL[:, :2].tolist()]
            assert len(splits["train"].targets_N) == 100
            assert len(pairs) == len(set(pairs)) == task.num_pairs
            table = cayley_table(name)
            for split in splits.values():
                assert split.targets_N.equal(table[split.inputs_NL[:, 0], split.inputs_NL[:, 1]])


def test_figure_3_has_2016_examples():
    assert Task(group="Z71", train_fraction=0.4).num_train == 2016


def test_the_known_solution_multiplies_in_a_cyclic_group_without_training():
    task = Task(group="Z23", train_fraction=1.0)
    module = mlp.Model(width=2048).build(task, generator("init", 0))
    module.load_state_dict(mlp.gromov_weights(task.p, 2048, generator("gromov", 0)))
    split = task.build(0)["train"]
    assert (module(split.inputs_NL).argmax(1) == split.targets_N).all()


def test_only_cyclic_groups_have_an_order_of_frequencies():
    order = Task(group="Z12").fourier_order()
    assert order is not None
    assert order.tolist() == list(range(12))
    assert Task(group="Z3xZ4").fourier_order() is None
    assert Task(group="S3").fourier_order() is None


def test_what_cannot_be_is_refused(subtests):
    for options, message in [
        ({"group": "C5"}, "Write Z23, S4, D5"),
        ({"group": "Z5x"}, "Write Z23, S4, D5"),
        ({"group": "Z0"}, "Write Z23, S4, D5"),
        ({"group": "Z1"}, "2 to 1024 elements"),
        ({"group": "S7"}, "2 to 1024 elements"),
        ({"group": "S9999xZ9999"}, "2 to 1024 elements"),
        ({"group": "S1024xS1024"}, "2 to 1024 elements"),
        ({"train_fraction": 0.0}, "train_fraction must be in"),
        ({"data_size": 5}, "the other to None"),
        ({"train_fraction": None, "data_size": 71**2 + 1}, "data_size must be in"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=message):
            Task(**options)


def test_orders_are_counted_without_making_the_table():
    assert math.prod(order for _, order in group.factors("S6xZ1")) == 720
