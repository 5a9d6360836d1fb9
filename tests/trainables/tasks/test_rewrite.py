"""String rewriting: every answer against Python's own replace, counts of rules and examples, and what is refused."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.data import Split
from trainables.errors import SpecError
from trainables.tasks.rewrite import Task, different_numbers, repeated, rewritten

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SMALL = {"letters": 6, "rule_length": 2, "length": 7, "test_size": 60}


def spelt(task: Task, split: Split) -> list[tuple[str, str, str, str]]:
    """x, y, z and the answer of every example."""
    signs = LETTERS[: task.letters] + ">:="
    found = []
    for tokens, answer in zip(split.inputs_NL.tolist(), split.targets_N.tolist(), strict=True):
        stated, given_so_far = "".join(signs[token] for token in tokens).split("=")
        x, rest = stated.split(">")
        y, z = rest.split(":")
        answer = "".join(signs[token] for token in answer)
        assert given_so_far == answer[:-1]
        found.append((x, y, z, answer))
    return found


def build(seed: int = 0, **options) -> dict[str, list[tuple[str, str, str, str]]]:
    task = Task(**{**SMALL, **options})
    return {name: spelt(task, split) for name, split in task.build(seed).items()}


def test_the_leftmost_x_is_replaced_and_no_other_and_z_stays_where_there_is_none(subtests):
    for no_op_share, sizes in itertools.product([0.0, 0.3, 1.0], [(2, 7), (1, 4), (3, 5), (2, 4)]):
        with subtests.test(no_op_share=no_op_share, sizes=sizes):
            task = {"rule_length": sizes[0], "length": sizes[1], "letters": 10 if sizes[0] == 1 else 6, "test_size": 10}
            splits = build(rules=20, data_size=80, no_op_share=no_op_share, **task)
            examples = [example for split in splits.values() for example in split]
            assert all(answer == z.replace(x, y, 1) for x, y, z, answer in examples)
            assert all(x != y and len(x) == len(y) == sizes[0] and len(z) == sizes[1] for x, y, z, _ in examples)
            assert sum(x not in z for x, y, z, _ in examples) == pytest.approx(no_op_share * len(examples), abs=9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*(st.text("ab", min_size=n, max_size=n) for n in (2, 2, 6))), min_size=1, max_size=20))
def test_rewriting_is_pythons_replacing(examples):
    x, y, z = (torch.tensor([["ab".index(c) for c in row[i]] for row in examples]) for i in range(3))
    answers = ["".join("ab"[c] for c in row) for row in rewritten(x, y, z).tolist()]
    assert answers == [z.replace(x, y, 1) for x, y, z in examples]


@pytest.mark.parametrize(("rules", "data_size"), [(1, 50), (7, 350), (40, 400), (300, 300), (500, 1000)])
def test_there_are_as_many_rules_as_it_says_and_as_many_examples_of_each(rules, data_size):
    splits = build(rules=rules, data_size=data_size)
    seen = Counter((x, y) for x, y, _, _ in splits["train"])
    assert set(seen.values()) == {data_size // rules}
    assert len(seen) == rules
    assert {name: len(split) for name, split in splits.items()} == {"train": data_size, "test": 60, "ood": 60}
    tested = Counter((x, y) for x, y, _, _ in splits["test"])
    assert tested.keys() <= seen.keys()
    assert max(tested.values()) - min(tested.values()) <= 1
    assert len(tested) == min(rules, 60)
    unseen = {(x, y) for x, y, _, _ in splits["ood"]}
    assert len(unseen) == 60
    assert not unseen & seen.keys()


def test_no_string_is_twice_for_a_rule():
    splits = build(rules=2, data_size=600, no_op_share=0.5)
    examples = [example for split in splits.values() for example in split]
    assert len(set(examples)) == len(examples) == 720


def test_of_few_possible_rules_all_can_be_had():
    splits = build(letters=2, rule_length=1, length=20, rules=1, data_size=30, test_size=1)
    assert {splits[name][0][:2] for name in ("train", "ood")} == {("a", "b"), ("b", "a")}
    for limit in (5, 1000):
        drawn = different_numbers(5, limit, torch.Generator().manual_seed(0)).tolist()
        assert len(set(drawn)) == 5
        assert max(drawn) < limit


def test_pairs_that_have_been_before_are_found():
    pairs = [(1, 2), (2, 1), (1, 2), (1, 1), (1, 2), (2, 1)]
    first, second = torch.tensor(pairs).T
    assert repeated(first, second).tolist() == [False, False, True, False, True, True]


def test_chance_is_what_copying_gives():
    assert Task(no_op_share=0.25).chance_accuracy == 0.25
    assert Task(letters=4, rule_length=2, length=5, rules=40, data_size=40, test_size=9).chance_accuracy == 4**-5


def test_what_cannot_be_drawn_is_refused(subtests):
    for options, message in [
        ({"letters": 1}, "letters must be 2 or larger, got 1"),
        ({"rule_length": 0}, "rule_length must be 1 or larger"),
        ({"length": 1}, "length must be at least rule_length=2"),
        ({"length": 21}, "60 bits, got 21"),
        ({"no_op_share": 1.5}, r"no_op_share must be in \[0, 1\], got 1.5"),
        ({"rules": 7}, "data_size must be a multiple of rules=7, so that each rule has equally many examples, got"),
        ({"rules": 1250, "data_size": 1250}, "at most 1260 .* got 1250 [+] 60"),
        ({"letters": 2, "length": 10, "no_op_share": 0.1, "test_size": 1, "rules": 10}, "no_op_share must be 0 if"),
        ({"rules": 1, "data_size": 6000}, "at most 3888 strings .*, got 6060 for each of 1 rules"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=f"^rewrite.*{message}"):
            Task(**{**SMALL, "rules": 20, "data_size": 200, **options})
