"""The next symbol of a Markov chain, where part of the training data repeats the same few examples.

Source: Hernandez et al. 2022, "Scaling Laws and Interpretability of Learning from Repeated Data" (arXiv 2205.10487).
They repeat a small subset of a language model's data while the number of tokens stays constant. Here an example is
`context` symbols of a random chain, and the label is the next symbol. Only the last symbol helps to predict it; the
others make examples distinguishable, so that a network can memorize them. `train` has `budget` examples, each to be
seen once: with batch size b the horizon is budget / b. Splits: `train`; `test`, fresh examples; `repeated`, one copy of
each example that `train` repeats.
"""

# N examples, L symbols in an example, V symbols in the alphabet

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce


@dataclass(frozen=True, kw_only=True)
class Task:
    """A share `repeated_share` of the examples consists of copies: each distinct one occurs `repeats` times."""

    symbols: int = 8
    context: int = 6
    budget: int = 32768
    """Training examples, every copy counted."""
    repeated_share: float = field(default=0.5, metadata={"per_run": True})
    repeats: int = field(default=1, metadata={"per_run": True})
    sharpness: float = 1.5
    """Standard deviation of the chain's logits; 0 makes all symbols equally likely."""
    test_size: int = 4096

    pad = None
    label_corruption = 0.0
    drawn = True
    vocab_size = property(lambda self: self.symbols)
    num_classes = property(lambda self: self.symbols)
    num_tokens = property(lambda self: self.context)
    num_train = property(lambda self: self.budget)
    num_examples = property(lambda self: self.budget + self.num_distinct + self.test_size)
    chance_accuracy = property(lambda self: 1 / self.symbols)

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, symbols=2, context=1, budget=1, repeats=1, test_size=1)
        if self.sharpness < 0:
            raise SpecError(f"repeated.sharpness must be 0 or larger, got {self.sharpness}.")
        if not 0 <= self.repeated_share < 1:
            raise SpecError(f"repeated.repeated_share must be in [0, 1), got {self.repeated_share}.")
        if self.num_repeated and self.repeats > self.num_repeated:
            raise SpecError(
                f"repeated.repeats must be at most {self.num_repeated}, the number of repeated examples with "
                f"repeated_share={self.repeated_share} and budget={self.budget}, got {self.repeats}."
            )

    @property
    def num_repeated(self) -> int:
        """Training examples that are copies of repeated ones, every copy counted."""
        return round(self.repeated_share * self.budget)

    @property
    def num_distinct(self) -> int:
        """Distinct examples among the repeated ones."""
        return round(self.num_repeated / self.repeats)

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, `test`, and `repeated` if there are any. The same seed gives the same data on every machine.

        The unique examples and the test split do not depend on `repeats`.
        """
        chain_VV, count = self.chain(seed), self.num_repeated
        fresh_NL = self._sequences(chain_VV, "fresh", seed, self.budget - count)
        repeated_NL = self._sequences(chain_VV, "repeated", seed, self.num_distinct if count else 0)
        again_NL = repeated_NL[torch.arange(count) % max(1, self.num_distinct)]
        # Shuffled, because an evaluation on part of the examples takes the first ones.
        order_N = torch.randperm(self.budget, generator=generator("repeated:order", seed))
        train = _split(torch.cat([fresh_NL, again_NL])[order_N])
        test = _split(self._sequences(chain_VV, "test", seed, self.test_size))
        return {"train": train, "test": test} | ({"repeated": _split(repeated_NL)} if count else {})

    def chain(self, seed: int) -> Tensor:
        """P(next symbol | symbol), (V, V)."""
        logits_VV = torch.randn(self.symbols, self.symbols, generator=generator("chain", seed))
        return (self.sharpness * logits_VV).softmax(1)

    def _sequences(self, chain_VV: Tensor, part: str, seed: int, count: int) -> Tensor:
        """`count` walks through the chain from random symbols, (N, L + 1)."""
        draw = generator(f"repeated:{part}", seed)
        walk_NL = torch.empty(count, self.context + 1, dtype=torch.long)
        walk_NL[:, 0] = torch.randint(self.symbols, (count,), generator=draw)
        upto_VV = chain_VV.cumsum(1)
        for place in range(1, self.context + 1):
            chance_N1 = torch.rand(count, 1, generator=draw)
            next_N = (chance_N1 > upto_VV[walk_NL[:, place - 1]]).sum(1)
            walk_NL[:, place] = next_N.clamp(max=self.symbols - 1)
        return walk_NL


def _split(walk_NL: Tensor) -> Split:
    return Split(walk_NL[:, :-1], walk_NL[:, -1])
