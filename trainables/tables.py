"""Random tables that are put one into the other: what reads what, which entries may be seen, and draws of examples."""

# N examples, L tokens, P primitives

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from trainables.seeds import generator

CHUNK = 2**16
"""Combinations drawn at a time; fixed, so that a smaller draw of a seed is the beginning of a larger one."""
MOST_CHUNKS = 256
EXHAUSTED = 16
"""Draws per combination after which there are no others: one in ten million would be missed."""


@dataclass(frozen=True)
class Structure:
    """Each primitive reads some places: those of the tokens are 0..L-1, then come the outputs of earlier primitives."""

    num_tokens: int
    primitives: tuple[tuple[int, ...], ...]
    """The last one gives the answer."""
    fragments: tuple[tuple[int, ...], ...]
    """Tokens that only some first primitives read, so that others may stand for them (in a tree)."""


STRUCTURES = {
    "two_hop": Structure(3, ((0, 1), (3, 2)), ((0, 1),)),
    "parallel_two_hop": Structure(4, ((0, 1), (2, 3), (4, 5)), ((0, 1), (2, 3))),
    "three_hop": Structure(4, ((0, 1), (4, 2), (5, 3)), ((0, 1), (0, 1, 2))),
    "non_tree": Structure(3, ((0, 1), (3, 1, 2)), ((0, 1),)),
}
"""f2(f1(x1, x2), x3); f3(f1(x1, x2), f2(x3, x4)); f3(f2(f1(x1, x2), x3), x4); and f2(f1(x1, x2), x2, x3), where x2
reaches the answer on two ways."""


@dataclass(frozen=True)
class Tables:
    """For each primitive the output of every entry, and which entries may be seen. Combinations of tokens have numbers:
    their digits to the base n."""

    structure: Structure
    n: int
    outputs: list[Tensor]
    seen: list[Tensor]

    def tokens(self, numbers_N: Tensor) -> Tensor:
        """The combination of each number: (N, L)."""
        powers_L = self.n ** torch.arange(self.structure.num_tokens - 1, -1, -1)
        return numbers_N[:, None] // powers_L % self.n

    def follow(self, inputs_NL: Tensor) -> tuple[Tensor, Tensor]:
        """The entry of each primitive that each example uses, and what it gives: both (N, P)."""
        columns, entries = list(inputs_NL.unbind(1)), []
        for places, output in zip(self.structure.primitives, self.outputs, strict=True):
            entry_N = torch.zeros(len(inputs_NL), dtype=torch.int64)
            for place in places:
                entry_N = entry_N * self.n + columns[place]
            entries.append(entry_N)
            columns.append(output[entry_N])
        return torch.stack(entries, dim=1), torch.stack(columns[self.structure.num_tokens :], dim=1)

    def allowed(self, numbers_N: Tensor, marked: list[Tensor]) -> Tensor:
        """True for the combinations of these numbers that use marked entries alone, (N,)."""
        return all_in(self.follow(self.tokens(numbers_N))[0], marked)

    def used(self, numbers_N: Tensor) -> list[Tensor]:
        """For each primitive, which entries these combinations use."""
        entries_NP, _ = self.follow(self.tokens(numbers_N))
        columns = zip(self.seen, entries_NP.unbind(1), strict=True)
        return [torch.zeros_like(seen).index_fill(0, entry_N, True) for seen, entry_N in columns]

    def draw(self, count: int, allowed: Callable[[Tensor], Tensor], purpose: str, seed: int) -> Tensor:
        """Numbers of `count` distinct allowed combinations, uniformly drawn; fewer where there are not so many."""
        draw, found_N = generator(purpose, seed), torch.zeros(0, dtype=torch.int64)
        num_combinations = self.n**self.structure.num_tokens
        for _ in range(min(MOST_CHUNKS, 1 + EXHAUSTED * num_combinations // CHUNK)):
            drawn_N = torch.randint(num_combinations, (CHUNK,), generator=draw)
            found_N = distinct(torch.cat([found_N, drawn_N[allowed(drawn_N)]]))
            if len(found_N) >= count:
                break
        return found_N[:count]


@lru_cache(maxsize=4)
def random_tables(structure: str, n: int, seen_fraction: float, seed: int) -> Tables:
    """The tables of a seed: uniform outputs, and `seen_fraction` of each table's entries seen."""
    draw, outputs, seen = generator("tables", seed), [], []
    for places in STRUCTURES[structure].primitives:
        size = n ** len(places)
        outputs.append(torch.randint(n, (size,), generator=draw))
        may_use = torch.zeros(size, dtype=torch.bool)
        may_use[torch.randperm(size, generator=draw)[: round(seen_fraction * size)]] = True
        seen.append(may_use)
    return Tables(STRUCTURES[structure], n, outputs, seen)


@lru_cache(maxsize=64)
def commonest_share(n: int, draws: int) -> float:
    """Expected share of the commonest of n values in so many uniform draws, by simulation: within 1%."""
    num_trials = 1000
    values_TD = torch.randint(n, (num_trials, draws), generator=generator("commonest", 0))
    counts_TN = torch.zeros(num_trials, n).scatter_add_(1, values_TD, torch.ones(num_trials, draws))
    return float(counts_TN.max(1).values.mean()) / draws


def all_in(entries_NP: Tensor, marked: list[Tensor]) -> Tensor:
    """True for examples whose entries are all marked, (N,)."""
    found = [mark[entry_N] for mark, entry_N in zip(marked, entries_NP.unbind(1), strict=True)]
    return torch.stack(found).all(0)


def distinct(numbers_N: Tensor) -> Tensor:
    """Each number where it stands first."""
    _, first_N = np.unique(numbers_N.numpy(), return_index=True)
    return numbers_N[torch.from_numpy(np.sort(first_N))]
