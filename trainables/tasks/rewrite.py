"""Rewriting strings by a rule that the example states: [x > y : z =] asks for z with its leftmost x replaced by y.

Sources: Zhang et al. 2024, "Instruction Diversity Drives Generalization To Unseen Tasks" (arXiv 2402.10891), and
"Only-IF" (2410.04717): one step of a Markov algorithm. A model that trains on few rules can learn those rules; one that
trains on many has to learn to follow whatever rule is stated. `test` has new strings for the rules of `train`; `ood`
has rules that are not in `train`, other pairs (x, y) with one string each. No example occurs twice. The alphabet and
the lengths are ours, because we do not know the paper's: x and y have one length, z another.
"""

# N examples, I rules, K letters of x and of y, M letters of z, L tokens

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import at_least, coerce

MARKS = (">", ":", "=")


@dataclass(frozen=True, kw_only=True)
class Task:
    """Trains on `rules` rules, with `data_size / rules` strings for each."""

    letters: int = 26
    rule_length: int = 3
    """Letters in each of x and y."""
    length: int = 10
    """Letters in z and in the answer."""
    rules: int = field(default=500, metadata={"per_run": True})
    """Distinct pairs (x, y) in `train`; x and y always differ."""
    data_size: int = field(default=100_000, metadata={"per_run": True})
    """Examples in `train`, equally many for each rule."""
    no_op_share: float = field(default=0.0, metadata={"per_run": True})
    """Share of all examples whose z does not contain x, so that the answer is z."""
    test_size: int = 1000
    """Examples in each of `test` and `ood`."""

    pad = None
    label_corruption = 0.0

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, letters=2, rule_length=1, rules=1, test_size=1)
        if not self.rule_length <= self.length <= 60 / (self.letters - 1).bit_length():
            raise SpecError(
                f"rewrite.length must be at least rule_length={self.rule_length}, and small enough that a string of "
                f"{self.letters} different letters fits into 60 bits, got {self.length}."
            )
        if not 0 <= self.no_op_share <= 1:
            raise SpecError(f"rewrite.no_op_share must be in [0, 1], got {self.no_op_share}.")
        if self.data_size < 1 or self.data_size % self.rules:
            raise SpecError(
                f"rewrite.data_size must be a multiple of rules={self.rules}, so that each rule has equally many "
                f"examples, got {self.data_size}."
            )
        if self.rules + self.test_size > self.num_pairs_of_words:
            raise SpecError(
                f"rewrite: rules + test_size must be at most {self.num_pairs_of_words} (pairs of different words of "
                f"{self.rule_length} of {self.letters} letters), got {self.rules} + {self.test_size}."
            )
        if self.no_op_share and self.num_words < self.length - self.rule_length + 2:
            raise SpecError(
                f"rewrite.no_op_share must be 0 if almost every string contains x, got {self.no_op_share} with "
                f"letters={self.letters}, rule_length={self.rule_length}, length={self.length}."
            )
        most = self.letters ** (self.length - self.rule_length) // 2
        if self.strings_per_rule > most:
            raise SpecError(
                f"rewrite: a rule may have at most {most} strings in train and test (half of those that begin with x), "
                f"got {self.strings_per_rule} for each of {self.rules} rules. Use more rules or a larger length."
            )

    @property
    def num_words(self) -> int:
        """Words that x and y are drawn from."""
        return self.letters**self.rule_length

    @property
    def num_pairs_of_words(self) -> int:
        """Possible rules."""
        return self.num_words * (self.num_words - 1)

    @property
    def strings_per_rule(self) -> int:
        """Largest number of strings of a rule in `train` and `test` together."""
        return self.data_size // self.rules + -(-self.test_size // self.rules)

    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + 2 * self.test_size)
    vocab_size = property(lambda self: self.letters + len(MARKS))
    num_classes = property(lambda self: self.letters)
    num_answers = property(lambda self: self.length)
    num_tokens = property(lambda self: 2 * (self.rule_length + self.length) + len(MARKS) - 1)

    @property
    def chance_accuracy(self) -> float:
        """Accuracy of answering z, or of a constant answer, whichever is higher."""
        return max(self.no_op_share, self.letters**-self.length)

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, `test` (the same rules with other strings) and `ood` (other rules)."""
        draw = generator("rewrite", seed)
        drawn = different_numbers(self.rules + self.test_size, self.num_pairs_of_words, draw)
        # One string of each rule, then another of each, and so on: the first `data_size`, equally many per rule, train.
        num_seen = self.rules * self.strings_per_rule
        rules_N = torch.cat([drawn[: self.rules].repeat(self.strings_per_rule), drawn[self.rules :]])
        x_NK, y_NK = self.words(rules_N)
        z_NM = self._strings(rules_N, x_NK, draw)
        whole = self.examples(x_NK, y_NK, z_NM)
        order_N = torch.randperm(self.data_size, generator=draw)
        test = slice(self.data_size, self.data_size + self.test_size)
        parts = {"train": order_N, "test": test, "ood": slice(num_seen, None)}
        return {name: Split(*(part[chosen] for part in whole)) for name, chosen in parts.items()}

    def words(self, rules_N: Tensor) -> tuple[Tensor, Tensor]:
        """x and y of each rule, both (N, K)."""
        first_N, second_N = rules_N // (self.num_words - 1), rules_N % (self.num_words - 1)
        second_N = second_N + (second_N >= first_N)
        return self._spelt(first_N), self._spelt(second_N)

    def examples(self, x_NK: Tensor, y_NK: Tensor, z_NM: Tensor) -> Split:
        """Inputs (N, L) and answers (N, M) for these rules and strings."""
        marks_N3 = torch.arange(self.letters, self.letters + len(MARKS)).expand(len(x_NK), -1)
        answers_NM = rewritten(x_NK, y_NK, z_NM)
        first, second, third = marks_N3.split(1, dim=1)
        return Split(torch.cat([x_NK, first, y_NK, second, z_NM, third, answers_NM[:, :-1]], dim=1), answers_NM)

    def _spelt(self, numbers_N: Tensor) -> Tensor:
        places_K = self.letters ** torch.arange(self.rule_length)
        return numbers_N[:, None] // places_K % self.letters

    def _strings(self, rules_N: Tensor, x_NK: Tensor, draw: torch.Generator) -> Tensor:
        """A string for each entry of `rules_N`, (N, M); a rule has no string twice. All but `no_op_share` contain x."""
        count = len(rules_N)
        has_x_N = torch.randperm(count, generator=draw) >= round(self.no_op_share * count)
        z_NM = torch.empty(count, self.length, dtype=torch.long)
        wrong_N = torch.ones(count, dtype=torch.bool)
        while wrong_N.any():
            redone_N = wrong_N.nonzero().flatten()
            fresh_NM = torch.randint(self.letters, (len(redone_N), self.length), generator=draw)
            at_N = torch.randint(self.length - self.rule_length + 1, (len(redone_N),), generator=draw)
            places_NK = at_N[:, None] + torch.arange(self.rule_length)
            planted_NM = fresh_NM.scatter(1, places_NK, x_NK[redone_N])
            z_NM[redone_N] = torch.where(has_x_N[redone_N, None], planted_NM, fresh_NM)
            wrong_N = (places_of(x_NK, z_NM).any(1) != has_x_N) | repeated(rules_N, self._number(z_NM))
        return z_NM

    def _number(self, z_NM: Tensor) -> Tensor:
        return (z_NM * self.letters ** torch.arange(self.length)).sum(1)


def different_numbers(count: int, limit: int, draw: torch.Generator) -> Tensor:
    """`count` distinct numbers below `limit`, in random order."""
    if limit < 4 * count:
        return torch.randperm(limit, generator=draw)[:count]
    numbers = torch.randint(limit, (count,), generator=draw)
    while (again := repeated(numbers, torch.zeros_like(numbers))).any():
        numbers[again] = torch.randint(limit, (int(again.sum()),), generator=draw)
    return numbers


def places_of(x_NK: Tensor, z_NM: Tensor) -> Tensor:
    """True where x begins in z, (N, M - K + 1)."""
    return (z_NM.unfold(1, x_NK.shape[1], 1) == x_NK[:, None]).all(2)


def rewritten(x_NK: Tensor, y_NK: Tensor, z_NM: Tensor) -> Tensor:
    """z with its leftmost x replaced by y, or z itself if it has no x, (N, M)."""
    found_NP = places_of(x_NK, z_NM)
    places_NK = found_NP.int().argmax(1, keepdim=True) + torch.arange(x_NK.shape[1])
    return torch.where(found_NP.any(1, keepdim=True), z_NM.scatter(1, places_NK, y_NK), z_NM)


def repeated(first_N: Tensor, second_N: Tensor) -> Tensor:
    """True where the same pair of numbers occurs earlier in the list, (N,)."""
    order_N = torch.argsort(second_N, stable=True)
    order_N = order_N[torch.argsort(first_N[order_N], stable=True)]
    same_N = (first_N[order_N].diff() == 0) & (second_N[order_N].diff() == 0)
    return torch.zeros(len(first_N), dtype=torch.bool).index_put((order_N[1:],), same_N)
