"""Tasks that a study could not trust: each is told by its own row, with the values and the mend."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch

from study.check import fields, task
from study.check.examples import Splits
from tests.study.check.failing import failing
from trainables.data import Split
from trainables.seeds import generator


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The parity of the first two of some bits; works as it is."""

    bits: int = 7
    data_size: int = 50
    num_train: int = 50

    vocab_size = num_classes = 2
    chance_accuracy: Any = 0.5
    num_tokens = property(lambda self: self.bits)
    num_examples = property(lambda self: 2**self.bits)

    def build(self, seed: int) -> Splits:
        bits_NL = torch.arange(2**self.bits)[:, None] >> torch.arange(self.bits) & 1
        order_N = torch.randperm(len(bits_NL), generator=generator("split", seed))
        whole = Split(bits_NL[order_N], bits_NL[order_N, :2].sum(1) % 2)
        cuts = {"train": slice(None, self.data_size), "test": slice(self.data_size, None)}
        return {name: Split(*(tensor[cut] for tensor in whole)) for name, cut in cuts.items()}


class Changed(Parity):
    """The same, with a change to what was built."""

    def build(self, seed: int) -> Any:
        return self.change(super().build(seed), seed)

    def change(self, splits: Any, seed: int) -> Any:
        raise NotImplementedError


def changing(change: Any, **members: Any) -> Any:
    """A task whose splits go through `change(splits, seed)`."""
    members["change"] = lambda self, splits, seed: change(splits, seed)
    return dataclass(frozen=True, kw_only=True)(type("Task", (Changed,), members))()


def targets(change: Any) -> Any:
    return lambda splits, seed: {name: Split(s.inputs_NL, change(s.targets_N)) for name, s in splits.items()}


def inputs(change: Any) -> Any:
    return lambda splits, seed: {name: Split(change(s.inputs_NL), s.targets_N) for name, s in splits.items()}


def leaky(splits: Any, seed: int) -> Any:
    train, test = splits["train"], splits["test"]
    return {"train": train, "test": Split(*(torch.cat([a[:3], b]) for a, b in zip(train, test, strict=True)))}


KEPT: Any = Parity().build(0)


def once(splits: Any, seed: int) -> Any:
    return {"train": splits["train"], "test": Split(*(torch.cat([part, part[:2]]) for part in splits["test"]))}


def by_chance(splits: Any, seed: int) -> Any:
    order_N = torch.randperm(50)
    return splits | {"train": Split(*(part[order_N] for part in splits["train"]))}


MOSTLY_ONES = targets(lambda t_N: torch.where(torch.arange(len(t_N)) % 10 == 0, 0, 1))
WRONG = {
    "test examples in train": (
        changing(leaky, num_examples=200),
        {"leakage": r"^3 of 81 examples of test are in train, for instance \[[01, ]+\]: split the examples"},
    ),
    "an example twice": (
        changing(once, num_examples=200),
        {"leakage": r"^2 of 80 examples of test come twice: keep one of each, or say drawn = True"},
    ),
    "another split": (
        changing(lambda splits, seed: {"train": splits["train"], "extra": splits["test"]}),
        {"leakage": "^split extra has examples that are neither all in train nor all in test: call it ood"},
    ),
    "float labels": (
        changing(targets(lambda t_N: t_N.float())),
        {"labels": r"^targets of train are torch.float32: labels are whole numbers, write .long\(\)"},
    ),
    "one-hot labels": (
        changing(targets(lambda t_N: torch.nn.functional.one_hot(t_N, 2))),
        {"labels": r"^targets of train have shape \(50, 2\), not \(50,\); num_answers is 1"},
    ),
    "labels from 1": (
        changing(targets(lambda t_N: t_N + 1)),
        {"labels": "^labels of train go from 1 to 2, num_classes is 2: labels are 0 to num_classes - 1"},
    ),
    "float tokens": (
        changing(inputs(lambda x_NL: x_NL.float())),
        {"inputs": r"^inputs of train are torch.float32: tokens are whole numbers. Write .long\(\), or say"},
    ),
    "tokens outside the vocabulary": (
        changing(inputs(lambda x_NL: 2 * x_NL)),
        {"inputs": "^tokens of train go from 0 to 2, vocab_size is 2: tokens are 0 to vocab_size - 1"},
    ),
    "other lengths": (
        changing(inputs(lambda x_NL: x_NL[:, :5])),
        {
            "inputs": r"^inputs of train have shape \(50, 5\), not \(50, 7\) as num_tokens=7 says",
            "leakage": "twice|are in",
        },
    ),
    "a wrong num_train": (
        Parity(num_train=64),
        {"sizes": "^num_train is 64, train has 50 examples: make them one number"},
    ),
    "a wrong num_examples": (
        changing(lambda splits, seed: splits, num_examples=100),
        {"sizes": "^num_examples is 100, train, test and ood have 128: say at least that many"},
    ),
    "chance below a constant answer": (
        changing(MOSTLY_ONES),
        {"chance": r"^chance_accuracy is 0.5, and the commonest label is right for 70 of 78 other examples \(0.8974\)"},
    ),
    "chance below guessing": (
        Parity(chance_accuracy=0.1),
        {"chance": "^chance_accuracy is 0.1, and guessing at random reaches 0.5: say at least that"},
    ),
    "chance as a number of percent": (
        Parity(chance_accuracy=50.0),
        {"chance": "^chance_accuracy is 50.0: it is a share above 0, at most 1"},
    ),
    "the global random state": (
        changing(by_chance),
        {"seeds": r"^build\(3\) gives other data when it is called again: draw from trainables.seeds.generator"},
    ),
    "tensors that are kept": (
        changing(lambda splits, seed: KEPT if seed == 0 else splits),
        {"nothing left": "^build gives tensors that it keeps"},
    ),
    "no train split": (
        changing(lambda splits, seed: {"test": splits["test"]}),
        {"build": r'^build\(0\) gives splits test: give a dictionary with "train", and "test" or "ood"'},
    ),
    "tuples": (
        changing(lambda splits, seed: {name: tuple(split) for name, split in splits.items()}),
        {"build": r"^split train is tuple: give Split\(inputs, targets\)"},
    ),
    "an empty split": (
        changing(lambda splits, seed: splits | {"ood": Split(*(part[:0] for part in splits["test"]))}),
        {"build": "^split ood has no example: leave it out"},
    ),
    "an error": (
        changing(lambda splits, seed: splits["nothing"]),
        {"build": r"^KeyError: 'nothing' \(test_task.py, line \d+\)\.$"},
    ),
}


def test_a_task_that_works_passes():
    assert failing(task.checks(Parity())) == {}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_has_its_row(name):
    wrong, expected = WRONG[name]
    rows = failing(task.checks(wrong))
    if name == "tensors that are kept":  # and were written into by this check: once is enough
        rows = {"nothing left": rows["nothing left"]}
    assert rows.keys() == expected.keys()
    for row, detail in expected.items():
        assert re.search(detail, rows[row]), rows[row]


def test_several_answers_must_be_given_in_the_inputs():
    @dataclass(frozen=True)
    class Copy:
        shifted: bool = False
        vocab_size = num_classes = 5
        num_tokens, num_answers = 6, 3
        num_train = num_examples = 40
        chance_accuracy = 0.2

        def build(self, seed: int) -> Splits:
            tokens_NL = torch.randint(5, (40, 7), generator=generator("split", seed))
            return {"train": Split(tokens_NL[:, :-1], tokens_NL[:, -4:-1] if self.shifted else tokens_NL[:, -3:])}

    assert failing(task.checks(Copy())) == {}
    assert "inputs hold the right answers so far" in failing(task.checks(Copy(shifted=True)))["answers"]


def test_a_fixed_table_is_no_failure():
    fixed = changing(lambda splits, seed: Parity().build(0))
    [row] = [row for row in task.checks(fixed) if row.name == "seeds"]
    assert row.ok is None
    assert "train is the same for 20 seeds" in row.detail


def test_fields_that_an_id_cannot_be_made_of_are_told_with_their_line():
    @dataclass(frozen=True)
    class Listed:
        powers: list[int] = field(default_factory=lambda: [1, 2])

    @dataclass(frozen=True)
    class Hidden:
        table: Any = field(default_factory=lambda: {"a": 1})

    @dataclass
    class Thawed:
        p: int = 5

    rows = failing(fields.checks("task", Listed))
    assert re.fullmatch(
        r"field powers \(test_task.py, line \d+\) has the type list: a field is a number, .*\. Make it a tuple\.",
        rows["fields"],
    )
    assert "is dict {'a': 1}, which cannot be part of a run's id" in failing(fields.checks("task", Hidden))["fields"]
    assert "write @dataclass(frozen=True" in failing(fields.checks("task", Thawed))["dataclass"]
    assert "has no vocab_size, num_classes" in failing(fields.checks("task", Hidden))["members"]
    assert failing(fields.checks("task", Parity)) == {}
    assert fields.made(Parity) == replace(Parity())
