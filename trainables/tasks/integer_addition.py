"""a + b without a modulus: the toy task of Liu et al. 2022 (arXiv 2205.10343), with structure in one dimension.

Every pair a <= b of 0..p-1 is an example, the tokens [a, b], and the label is its sum: p (p + 1) / 2 examples with
2 p - 1 labels. An embedding E answers a pair (i, n) outside the training set if E_i + E_n = E_j + E_m for a pair (j, m)
inside it; the four embeddings then form a parallelogram. `train` and `test` are disjoint and make up all pairs; there
is no out-of-distribution split.
"""

# N examples, K parallelograms

from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor

from trainables.data import Split, present
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import coerce


@dataclass(frozen=True, kw_only=True)
class Task:
    """Sums of two numbers below `p`; the paper trains on 45 of the 55 pairs."""

    p: int = 10
    train_fraction: float = field(default=45 / 55, metadata={"per_run": True})
    """Share of the pairs in training, in (0, 1]."""

    label_corruption = 0.0
    pad = None
    num_tokens = 2

    def __post_init__(self) -> None:
        coerce(self)
        if not 2 <= self.p <= 512:
            raise SpecError(f"integer_addition.p must be in [2, 512], got {self.p}.")
        if not 0 < self.train_fraction <= 1:
            raise SpecError(f"integer_addition.train_fraction must be in (0, 1], got {self.train_fraction}.")

    num_pairs = property(lambda self: self.p * (self.p + 1) // 2)
    num_examples = property(lambda self: self.num_pairs)
    num_train = property(lambda self: max(1, round(self.train_fraction * self.num_pairs)))
    vocab_size = property(lambda self: self.p)
    num_classes = property(lambda self: 2 * self.p - 1)

    @property
    def chance_accuracy(self) -> float:
        """Share of all pairs that have the commonest sum, p - 1."""
        return ((self.p + 1) // 2) / self.num_pairs

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, and `test` unless it would be empty. The same seed gives the same data on every machine."""
        pairs_N2 = torch.combinations(torch.arange(self.p), with_replacement=True)
        pairs_N2 = pairs_N2[torch.randperm(self.num_pairs, generator=generator("split", seed))]
        parts = {"train": pairs_N2[: self.num_train], "test": pairs_N2[self.num_train :]}
        return present({name: Split(pairs, pairs.sum(1)) for name, pairs in parts.items()})

    def parallelograms(self) -> Tensor:
        """All (i, n, j, m) with i < j <= m < n and i + n = j + m, (K, 4)."""
        return all_parallelograms(self.p)


@lru_cache(maxsize=64)
def all_parallelograms(p: int) -> Tensor:
    """As `Task.parallelograms`. Shared: callers must not write into it."""
    found = [(i, n, j, i + n - j) for i in range(p) for n in range(i + 2, p) for j in range(i + 1, (i + n) // 2 + 1)]
    return torch.tensor(found, dtype=torch.long).view(-1, 4)
