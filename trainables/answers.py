"""What a task asks for: one class, several tokens, or numbers.

One class for each example: inputs are tokens (N, L), targets integers (N,). Several answers: targets are integers
(N, T), the right tokens after the last T of the L positions, `UNSCORED` where an example asks for fewer; the inputs
hold the right answers so far, and a causal model does not see ahead. Numbers: targets are floats (N, T).

A task that says `reads_vectors = True` has floats (N, L, V) in place of tokens, V its `vocab_size`; its answers may be
classes or numbers.
"""

# N examples, L tokens, T answers, V floats of an input vector

from typing import Any

UNSCORED = -1
"""Stands in the place of an answer that is not asked for."""


def num_answers(task: Any) -> int:
    """Positions at the end of an example that are read: 1, unless the task says that it has several."""
    return getattr(task, "num_answers", 1)


def asks_for_numbers(task: Any) -> bool:
    """True for a task whose answers are floats: its class says `chance_accuracy = None`."""
    # The class, because a property may be dear: of a large modulus it counts the labels of the whole table.
    return getattr(type(task), "chance_accuracy", 0.0) is None


def reads_vectors(task: Any) -> bool:
    """True for a task whose tokens are vectors of floats."""
    return getattr(task, "reads_vectors", False)


def example_bytes(task: Any) -> float:
    """Bytes of one example: its tokens, integers or vectors of floats, and its answers, integers or floats."""
    token = 4.0 * task.vocab_size if reads_vectors(task) else 8.0
    answer = 4.0 * task.num_classes if asks_for_numbers(task) else 8.0
    return token * task.num_tokens + answer * num_answers(task)
