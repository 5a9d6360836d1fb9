"""The chance level of a task against answers that know nothing."""

# N examples

from typing import Any

from study.check.examples import Splits
from study.check.row import require
from trainables.answers import asks_for_numbers, num_answers

SURE = 1e-6
"""A constant answer that is right so often by chance once in a million times reaches more than the chance level."""


def chance(task: Any, splits: Splits) -> str:
    """`chance_accuracy` is no lower than what a constant answer and a random one reach."""
    if asks_for_numbers(task):
        return "answers are numbers"
    level, guess = task.chance_accuracy, task.num_classes ** -float(num_answers(task))
    require(level is not None, "chance_accuracy is None in one task and not in its class: say it in the class.")
    require(0 < level <= 1, f"chance_accuracy is {level}: it is a share above 0, at most 1.")
    require(
        level >= guess * (1 - 1e-9),
        f"chance_accuracy is {level:.4g}, and guessing at random reaches {guess:.4g}: say at least that.",
    )
    hits, count = constant_answer(splits)
    if count and hits:
        from scipy.special import bdtrc  # a moment to import

        require(
            bdtrc(hits - 1, count, level) > SURE,
            f"chance_accuracy is {level:.4g}, and the commonest label is right for {hits} of {count} other examples "
            f"({hits / count:.4g}): say that.",
        )
    return f"{level:.4g}; a constant answer reaches {hits / max(count, 1):.4g} of {count}, guessing {guess:.4g}"


def constant_answer(splits: Splits) -> tuple[int, int]:
    """How often the commonest answer of `train` is right in `test`, and of how many; without `test` in the other half
    of `train`, so that the answer is not chosen by the examples that it is asked on."""
    train_N = splits["train"].targets_N
    half = len(train_N) // 2
    known_N, asked_N = (train_N, splits["test"].targets_N) if "test" in splits else (train_N[:half], train_N[half:])
    if not len(known_N):
        return 0, 0
    values, counts = known_N.unique(dim=0, return_counts=True)
    right_N = (asked_N == values[counts.argmax()]).reshape(len(asked_N), -1).all(1)
    return int(right_N.sum()), len(asked_N)
