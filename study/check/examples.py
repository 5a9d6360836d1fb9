"""What an example of a task looks like: tokens or vectors, and labels or numbers."""

# N examples, L tokens, T answers

from collections.abc import Mapping
from typing import Any

import torch

from study.check.row import Wrong, require
from trainables.answers import UNSCORED, asks_for_numbers, num_answers, reads_vectors
from trainables.data import Split

Splits = Mapping[str, Split]


def inputs(task: Any, splits: Splits) -> str:
    """Tokens within the vocabulary, or vectors of its length."""
    length, words = task.num_tokens, task.vocab_size
    for name, (inputs_NL, targets_N) in splits.items():
        expected = (len(targets_N), length, words) if reads_vectors(task) else (len(targets_N), length)
        shape = tuple(inputs_NL.shape)
        require(shape == expected, f"inputs of {name} have shape {shape}, not {expected} as num_tokens={length} says.")
        if reads_vectors(task):
            require(inputs_NL.is_floating_point(), f"inputs of {name} are {inputs_NL.dtype}: vectors are floats.")
            require(inputs_NL.isfinite().all(), f"inputs of {name} hold numbers that are not finite.")
            continue
        require(
            inputs_NL.dtype == torch.int64,
            f"inputs of {name} are {inputs_NL.dtype}: tokens are whole numbers. Write .long(), "
            "or say reads_vectors = True.",
        )
        low, high = int(inputs_NL.min()), int(inputs_NL.max())
        require(
            low >= 0 and high < words,
            f"tokens of {name} go from {low} to {high}, vocab_size is {words}: tokens are 0 to vocab_size - 1.",
        )
    pad = getattr(task, "pad", None)
    require(pad is None or 0 <= pad < words, f"pad is {pad}, vocab_size is {words}: pad is a token, or None.")
    return f"({length}, {words}) floats" if reads_vectors(task) else f"{length} tokens of {words}"


def labels(task: Any, splits: Splits) -> str:
    """Classes within their number, one for each answer; or numbers, where the task asks for them."""
    answers, classes = num_answers(task), task.num_classes
    for name, (_, targets_N) in splits.items():
        shape, count = tuple(targets_N.shape), len(targets_N)
        if asks_for_numbers(task):
            require(
                targets_N.is_floating_point() and targets_N.isfinite().all(),
                f"targets of {name} are {targets_N.dtype}: chance_accuracy = None says that they are finite floats.",
            )
            wanted = (count, answers * classes)
            require(shape == wanted, f"targets of {name} have shape {shape}, not {wanted}.")
            continue
        require(
            targets_N.dtype == torch.int64,
            f"targets of {name} are {targets_N.dtype}: labels are whole numbers, write .long(); for answers that are "
            "numbers say chance_accuracy = None in the class.",
        )
        wanted = (count,) if answers == 1 else (count, answers)
        require(shape == wanted, f"targets of {name} have shape {shape}, not {wanted}; num_answers is {answers}.")
        low, high = int(targets_N.min()), int(targets_N.max())
        require(
            (UNSCORED if answers > 1 else 0) <= low and high < classes,
            f"labels of {name} go from {low} to {high}, num_classes is {classes}: labels are 0 to num_classes - 1.",
        )
        if answers > 1:
            asked = (targets_N != UNSCORED).any(1)
            require(asked.all(), f"example {int(asked.long().argmin())} of {name} asks for no answer.")
    require(
        answers <= task.num_tokens, f"num_answers is {answers}, num_tokens {task.num_tokens}: an answer for each token."
    )
    if asks_for_numbers(task):
        return f"{answers * classes} numbers"
    return f"{answers} of {classes} classes" if answers > 1 else f"{classes} classes"


def answers_given(task: Any, splits: Splits) -> str:
    """Of several answers the inputs hold the right ones so far, each one place later."""
    answers = num_answers(task)
    if answers == 1 or asks_for_numbers(task):
        return "one answer" if answers == 1 else "numbers"
    for name, (tokens_NL, targets_NT) in splits.items():
        if tokens_NL.is_floating_point():  # the answer before, one-hot, is what a vector begins with
            tokens_NL = tokens_NL[..., : task.num_classes].argmax(2)
        given_NT, asked_NT = tokens_NL[:, -answers + 1 :], targets_NT != UNSCORED
        wrong_NT = (given_NT != targets_NT[:, :-1]) & asked_NT[:, :-1] & asked_NT[:, 1:]
        if wrong_NT.any():
            n, t = wrong_NT.nonzero()[0].tolist()
            raise Wrong(
                f"example {n} of {name}: answer {t} is {int(targets_NT[n, t])}, and the token after it "
                f"{int(given_NT[n, t])}; inputs hold the right answers so far."
            )
    return f"{answers} answers, one after the other"
