"""Sparse parity: the parity of `k` bits of `n`. Which bits they are is to be found out.

Sources: Barak et al. 2022 (arXiv 2207.08799) for the task; Merrill et al. 2023 (2303.11873), who see grokking in it: 40
bits of which 3 count, 1,000 examples. The relevant bits are drawn from the data seed.
"""

# N examples, L bits, K relevant bits

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce

LABELS = ("true", "random")


@dataclass(frozen=True, kw_only=True)
class Task:
    """`data_size` examples of `n` uniform random bits to train on, and `test_size` others."""

    n: int = 40
    k: int = field(default=3, metadata={"per_run": True})
    data_size: int = field(default=1000, metadata={"per_run": True})
    test_size: int = 1000
    labels: str = field(default="true", metadata={"per_run": True})
    """`random` draws a bit for each example: there is nothing to find, only labels to memorize."""

    pad = None
    label_corruption = 0.0
    vocab_size = 2
    num_classes = 2
    chance_accuracy = 0.5
    num_tokens = property(lambda self: self.n)
    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + self.test_size)

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, n=1, k=1, data_size=1, test_size=1)
        if self.k > self.n:
            raise SpecError(f"parities.k must be at most n={self.n}, got {self.k}.")
        if self.labels not in LABELS:
            raise SpecError(f"parities.labels must be one of {', '.join(LABELS)}, got {self.labels!r}.")
        if 2 * self.num_examples > 2**self.n:
            raise SpecError(
                f"sparse_parity: {self.num_examples} different examples are more than half of the 2^{self.n} that "
                "there are. Ask for fewer, or for more bits."
            )

    def build(self, seed: int) -> dict[str, Split]:
        """`train` and `test`, all examples different. The same seed gives the same data on every machine."""
        bits_NL = different(self.num_examples, self.n, generator("sparse_parity", seed))
        labels_N = bits_NL[:, self.relevant(seed)].sum(1) % 2
        if self.labels == "random":
            labels_N = torch.randint(2, (self.num_examples,), generator=generator("sparse_parity:labels", seed))
        train, test = (slice(None, self.data_size), slice(self.data_size, None))
        return {"train": Split(bits_NL[train], labels_N[train]), "test": Split(bits_NL[test], labels_N[test])}

    def relevant(self, seed: int) -> Tensor:
        """The places of the bits that count, (K,)."""
        return torch.randperm(self.n, generator=generator("sparse_parity:relevant", seed))[: self.k]


def different(count: int, n: int, draw: torch.Generator) -> Tensor:
    """So many different rows of `n` random bits, (N, L), in random order."""
    rows_NL = torch.randint(2, (count, n), generator=draw)
    while len(kept_NL := rows_NL.unique(dim=0)) < count:
        rows_NL = torch.cat([kept_NL, torch.randint(2, (count - len(kept_NL), n), generator=draw)])
    return kept_NL[torch.randperm(count, generator=draw)]
