"""The grammar of SCAN (Lake & Baroni 2018, arXiv 1711.00350): its sentences, and its commands by number.

    command   = sentence | sentence and sentence | sentence after sentence
    sentence  = phrase | phrase twice | phrase thrice
    phrase    = verb | subject side | subject opposite side | subject around side
    subject   = verb | turn                      side = left | right

Commands are too many to write down: with 800 verbs half a billion. They are counted, and made from their numbers.
"""

# N commands, S sentences, F and G some of them, W words, A actions

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

VERBS = ("walk", "look", "run", "jump")
SIDES = ("left", "right")
WORDS = ("turn", *SIDES, "opposite", "around", "twice", "thrice", "and", "after")
HOLE = -1
"""Stands where a sentence has no further word or action, and where a command has no `and` or `after`."""
NOTHING = 0
"""The number of the empty sentence: the second one of a command of one sentence."""

Texts = tuple[str, ...]


class Sentences(NamedTuple):
    """The empty sentence, and then all of the grammar, the fewest actions first. Callers must not write."""

    words_SW: Tensor
    actions_SA: Tensor
    lengths_S: Tensor
    """Actions of each."""
    held_out_S: Tensor
    """True for one with a held-out verb."""
    is_verb_S: Tensor
    """True for a verb alone."""


class Part(NamedTuple):
    """Commands: each of `first_F`, `joint`, each of the first `counts_F` of `second_G`. Callers must not write."""

    joint: int
    first_F: Tensor
    second_G: Tensor
    counts_F: Tensor


def verbs(primitives: int) -> Texts:
    """walk, look, run, jump; of more walk1, walk2 and so on to jump1, jump2 and so on."""
    copies = primitives // len(VERBS)
    return VERBS if copies == 1 else tuple(f"{verb}{copy + 1}" for verb in VERBS for copy in range(copies))


def held_out(primitives: int) -> Texts:
    """The last quarter of the verbs: jump, or jump1, jump2 and so on."""
    return verbs(primitives)[-(primitives // len(VERBS)) :]


def action(word: str) -> str:
    """What is done at a verb or a side."""
    return f"I_TURN_{word.upper()}" if word in SIDES else f"I_{word.upper()}"


@lru_cache(maxsize=8)
def vocabulary(primitives: int) -> Texts:
    """The texts of all tokens, those of answers first."""
    names = verbs(primitives)
    return (*map(action, (*names, *SIDES)), "end", "=", *names, *WORDS)


@lru_cache(maxsize=8)
def numbers(primitives: int) -> dict[str, int]:
    """The token of each text."""
    return {text: token for token, text in enumerate(vocabulary(primitives))}


def sentence_texts(verbs: Sequence[str]) -> list[tuple[Texts, Texts]]:
    """Words and actions of every sentence."""
    phrases: list[tuple[Texts, Texts]] = [((verb,), (action(verb),)) for verb in verbs]
    for subject in (*verbs, "turn"):
        then = () if subject == "turn" else (action(subject),)
        for side in SIDES:
            turn = (action(side),)
            phrases.append(((subject, side), turn + then))
            phrases.append(((subject, "opposite", side), 2 * turn + then))
            phrases.append(((subject, "around", side), 4 * (turn + then)))
    often = (((), 1), (("twice",), 2), (("thrice",), 3))
    return [(words + more, times * actions) for words, actions in phrases for more, times in often]


@lru_cache(maxsize=8)
def sentences(primitives: int) -> Sentences:
    """The table that commands are made from."""
    texts = sorted(sentence_texts(verbs(primitives)), key=lambda text: len(text[1]))
    number, missing = numbers(primitives), set(held_out(primitives))
    words, actions = zip(((), ()), *texts, strict=True)

    def table(rows: Sequence[Texts]) -> Tensor:
        width = max(map(len, rows))
        return torch.tensor([[*(number[text] for text in row), *[HOLE] * (width - len(row))] for row in rows])

    return Sentences(
        table(words),
        table(actions),
        torch.tensor([len(row) for row in actions]),
        torch.tensor([not missing.isdisjoint(row) for row in words]),
        torch.tensor([len(row) == 1 for row in words]),
    )


@lru_cache(maxsize=16)
def parts(primitives: int, max_actions: int, with_held_out: bool) -> tuple[Part, ...]:
    """All commands with a held-out verb but not it alone, or all without; each once."""
    table, number = sentences(primitives), numbers(primitives)
    every_F = torch.arange(1, len(table.lengths_S))
    held_F, free_F = every_F[table.held_out_S[1:]], every_F[~table.held_out_S[1:]]
    single_F = held_F[~table.is_verb_S[held_F]] if with_held_out else free_F
    pairs = ((held_F, every_F), (free_F, held_F)) if with_held_out else ((free_F, free_F),)
    chosen = [(HOLE, single_F, torch.tensor([NOTHING]))]
    chosen += [(number[joint], *pair) for joint in ("and", "after") for pair in pairs]
    return tuple(Part(*part, fitting(table.lengths_S, max_actions, *part[1:])) for part in chosen)


def fitting(lengths_S: Tensor, max_actions: int, first_F: Tensor, second_G: Tensor) -> Tensor:
    """How many of the second sentences, shortest first, leave a command at most `max_actions`, (F,)."""
    return torch.searchsorted(lengths_S[second_G], max_actions - lengths_S[first_F], right=True)


def count(primitives: int, max_actions: int, with_held_out: bool) -> int:
    """How many commands there are."""
    return sum(int(part.counts_F.sum()) for part in parts(primitives, max_actions, with_held_out))


def commands(number_N: Tensor, primitives: int, max_actions: int, with_held_out: bool) -> Tensor:
    """First sentence, `and` or `after` or HOLE, and second sentence of commands by their number, (N, 3)."""
    found_N3, before = torch.empty(len(number_N), 3, dtype=torch.long), 0
    for part in parts(primitives, max_actions, with_held_out):
        ends_F = before + part.counts_F.cumsum(0)
        here_N = ((number_N >= before) & (number_N < ends_F[-1])).nonzero().flatten()
        row_N = torch.searchsorted(ends_F, number_N[here_N], right=True)
        second_N = part.second_G[number_N[here_N] - (ends_F - part.counts_F)[row_N]]
        found_N3[here_N] = torch.stack([part.first_F[row_N], torch.full_like(row_N, part.joint), second_N], dim=1)
        before = int(ends_F[-1])
    return found_N3


@lru_cache(maxsize=8)
def longest(max_actions: int) -> tuple[int, int]:
    """Words of the longest command and its actions together, and most actions, whatever the number of verbs."""
    table = sentences(len(VERBS))
    words_S, actions_S = (table.words_SW != HOLE).sum(1)[1:], table.lengths_S[1:]
    words_SS, actions_SS = words_S[:, None] + 1 + words_S, actions_S[:, None] + actions_S
    both, most = (
        torch.cat([words_SS + actions_SS, (words_S + actions_S)[None]]),
        torch.cat([actions_SS, actions_S[None]]),
    )
    return int(both[most <= max_actions].max()), int(most[most <= max_actions].max())
