"""Sparse parity: of n bits, k decide the label, and nobody says which.

Sources: Barak et al. 2022 (arXiv 2207.08799) for the task; Merrill et al. 2023 (arXiv 2303.11873) for grokking on it.
"""

# N examples, L bits

from dataclasses import dataclass, field

import torch

from trainables.data import Split
from trainables.seeds import generator


@dataclass(frozen=True, kw_only=True)
class Task:
    """The parity of the first `k` of `n` random bits. Every field is part of a run's id."""

    n: int = 30
    k: int = 3
    data_size: int = field(default=500, metadata={"per_run": True})
    """Training examples. `per_run`: runs that differ in it share a shape and train side by side."""
    test_size: int = 1000

    vocab_size = 2  # a token is a bit
    num_classes = 2
    chance_accuracy = 0.5

    @property
    def num_tokens(self) -> int:
        """Bits of an example."""
        return self.n

    @property
    def num_train(self) -> int:
        """Examples in `train`."""
        return self.data_size

    @property
    def num_examples(self) -> int:
        """Examples in all splits."""
        return self.data_size + self.test_size

    def build(self, seed: int) -> dict[str, Split]:
        """`train` and `test`, all different. The same seed gives the same data."""
        draw = generator("sparse_parity", seed)
        bits_NL = torch.randint(2, (2 * self.num_examples, self.n), generator=draw).unique(dim=0)
        bits_NL = bits_NL[torch.randperm(len(bits_NL), generator=draw)[: self.num_examples]]
        labels_N = bits_NL[:, : self.k].sum(1) % 2
        train = Split(bits_NL[: self.data_size], labels_N[: self.data_size])
        return {"train": train, "test": Split(bits_NL[self.data_size :], labels_N[self.data_size :])}
