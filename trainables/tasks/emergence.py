"""Addition modulo p, and pairs with random labels under an operator of their own: a rule beside a list to memorize.

Source: Huang et al. 2024 (arXiv 2402.15175), multi-task emergence: 3,000 additions modulo 113 with 3,000 to 6,000
"subtractions" whose labels are random. An example is the tokens [a, b, operator]: token p means addition, as in
`modular`, and token p + 1 marks the pairs to memorize. `train` has both kinds, `test` the remaining additions; `added`
and `memorized` are the two kinds of `train`, evaluated separately. There is no out-of-distribution split.
"""

# N examples

from dataclasses import dataclass, field

import torch

from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import coerce
from trainables.tasks import modular


@dataclass(frozen=True, kw_only=True)
class Task:
    """Trains on `train_fraction` of the additions and on `memorize` pairs with random labels."""

    p: int = 113
    train_fraction: float = field(default=0.235, metadata={"per_run": True})
    """Share of the additions in training, in (0, 1]."""
    memorize: int = field(default=3000, metadata={"per_run": True})
    """Distinct pairs with random labels, drawn from all p * p; 0 means addition only."""

    label_corruption = 0.0
    pad = None
    num_tokens = 3

    def __post_init__(self) -> None:
        coerce(self)
        if not 2 <= self.p <= 4096:
            raise SpecError(f"emergence.p must be in [2, 4096], got {self.p}.")
        if not 0 < self.train_fraction <= 1:
            raise SpecError(f"emergence.train_fraction must be in (0, 1], got {self.train_fraction}.")
        if not 0 <= self.memorize <= self.p**2:
            raise SpecError(f"emergence.memorize must be in [0, {self.p**2}] (all pairs), got {self.memorize}.")

    @property
    def additions(self) -> modular.Task:
        """The task of the additions alone."""
        return modular.Task(p=self.p, train_fraction=self.train_fraction)

    vocab_size = property(lambda self: self.p + 2)
    num_classes = property(lambda self: self.p)
    num_train = property(lambda self: self.additions.num_train + self.memorize)
    num_examples = property(lambda self: self.p**2 + self.memorize)
    chance_accuracy = property(lambda self: 1 / self.p)
    memorize_token = property(lambda self: self.p + 1)
    """The operator token of the pairs to memorize."""

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, its parts `added` and `memorized` if `memorize` is above 0, and `test` unless it would be empty.

        The same seed gives the same data on every machine.
        """
        splits = self.additions.build(seed)
        if self.memorize == 0:
            return splits
        draw = generator("memorized", seed)
        chosen_N = torch.randperm(self.p**2, generator=draw)[: self.memorize]
        operator_N = torch.full_like(chosen_N, self.memorize_token)
        inputs_NL = torch.stack([chosen_N // self.p, chosen_N % self.p, operator_N], dim=1)
        memorized = Split(inputs_NL, torch.randint(self.p, (self.memorize,), generator=draw))
        train = Split(*(torch.cat(both) for both in zip(splits["train"], memorized, strict=True)))
        return {**splits, "train": train, "added": splits["train"], "memorized": memorized}
