"""A task: what is in a split, how many, with which labels; from its seed alone; and a chance level that is one."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from study.check.chance import chance
from study.check.examples import Splits, answers_given, inputs, labels
from study.check.leakage import APART, leakage
from study.check.row import Check, Skipped, Wrong, outcome, require
from trainables.data import Split

SEEDS = range(3, 23)


def checks(task: Any) -> Iterator[Check]:
    """All checks of one task; when it builds nothing, no others follow."""
    splits: dict[str, Split] = {}
    first = outcome("build", lambda: _named(splits, built(task)))
    yield first
    for name, check in CHECKS.items() if first.ok else ():
        yield outcome(name, check, task, splits)


def _named(found: dict[str, Split], splits: Splits) -> str:
    found.update(splits)
    return ", ".join(f"{name} {len(split.targets_N):,}" for name, split in splits.items())


def built(task: Any) -> dict[str, Split]:
    """The splits of seed 0: pairs of equally many inputs and targets."""
    splits = task.build(0)
    if not isinstance(splits, Mapping) or "train" not in splits:
        said = f"splits {', '.join(map(str, splits))}" if isinstance(splits, Mapping) else type(splits).__name__
        raise Wrong(f'build(0) gives {said}: give a dictionary with "train", and "test" or "ood".')
    for name, split in splits.items():
        if not isinstance(split, Split) or not all(isinstance(tensor, Tensor) for tensor in split):
            raise Wrong(f"split {name} is {type(split).__name__}: give Split(inputs, targets) of two tensors.")
        inputs, targets = len(split.inputs_NL), len(split.targets_N)
        require(
            inputs == targets, f"split {name} has {inputs} inputs and {targets} targets: one target for each input."
        )
        require(inputs, f"split {name} has no example: leave it out (trainables.data.present does).")
    return dict(splits)


def sizes(task: Any, splits: Splits) -> str:
    """`num_train` and `num_examples` say what is there."""
    train = len(splits["train"].targets_N)
    require(
        train == task.num_train, f"num_train is {task.num_train}, train has {train} examples: make them one number."
    )
    count = sum(len(splits[name].targets_N) for name in APART if name in splits)
    require(
        count <= task.num_examples,
        f"num_examples is {task.num_examples}, train, test and ood have {count}: say at least that many.",
    )
    return f"num_train {train:,}; {count:,} of at most {task.num_examples:,} examples"


def twice(task: Any, splits: Splits) -> str:
    """The data of a seed are the same when they are built again."""
    first, again = task.build(SEEDS[0])["train"], dataclasses.replace(task).build(SEEDS[0])["train"]
    if not (first.inputs_NL.equal(again.inputs_NL) and first.targets_N.equal(again.targets_N)):
        raise Wrong(
            f"build({SEEDS[0]}) gives other data when it is called again: draw from "
            'trainables.seeds.generator("split", seed) and nothing else.'
        )
    return "the same data when it is built again"


def seeds(task: Any, splits: Splits) -> str:
    """The same seed gives the same data, another one another split."""
    twice(task, splits)
    first = task.build(SEEDS[0])["train"]
    for seed in SEEDS[1:]:
        if not task.build(seed)["train"].inputs_NL.equal(first.inputs_NL):
            return "data follow the seed"
    raise Skipped(f"train is the same for {len(SEEDS)} seeds: fine for a fixed table; data_seed then changes nothing")


def nothing_left(task: Any, splits: Splits) -> str:
    """Whoever writes into what was built changes nothing that is built later."""
    before = task.build(0)["train"].targets_N.clone()
    for split in task.build(0).values():
        split.inputs_NL.zero_()
        split.targets_N.zero_()
    again = task.build(0)["train"].targets_N
    if again.any() and not again.equal(before):
        raise Skipped("build(0) is another one each time, see seeds")
    require(
        again.equal(before),
        "build gives tensors that it keeps: whoever writes into them changes the next run. Clone them.",
    )
    return "built anew each time"


CHECKS = {
    "sizes": sizes,
    "inputs": inputs,
    "labels": labels,
    "answers": answers_given,
    "leakage": leakage,
    "chance": chance,
    "seeds": seeds,
    "nothing left": nothing_left,
}
