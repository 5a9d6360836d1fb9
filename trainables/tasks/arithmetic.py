r"""Addition as text, in the formats of Lee et al. 2023, "Teaching Arithmetic to Small Transformers" (arXiv 2307.03381).

128 + 367 in each format; the model predicts the part after the bar:

    plain       128+367=|495\n
    reverse     $128+367=|594$\n
    simplified  Input:\n128+367\nTarget:\n|A->5 , C->1\nA->9 , C->0\nA->4 , C->0.\n495\n
    detailed    Input:\n128+367\nTarget:\n|<scratch>\n[1,2,8] has 3 digits.\n[3,6,7] has 3 digits.\n
                [1,2,8] + [3,6,7] , A=[] , C=0 , 8+7+0=15 , A->5 , C->1\n ... \n
                [] + [] , A=[4,9,5] C=0 , END\n</scratch>\n4 9 5\n

A token is one digit, or all the text between two digits; the paper's tokens are single characters, which takes more
than twice as many for the same text. `train` has all 100 sums of one-digit numbers, then 9% of its examples for each
further length below `digits`; in the rest the longer number has `digits` digits. Each number of carries occurs equally
often. `test` is drawn from the other pairs. The simplified format is that of the paper's data files, because the
published generator has a bug that makes most of its sums wrong.
"""

# N examples, L tokens, T answers, P pairs of numbers

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor

from trainables.answers import UNSCORED
from trainables.components import closest
from trainables.data import Split
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import coerce

SHARE_OF_SHORTER = 0.09
"""Share of the training examples for each length between one digit and `digits`, both excluded."""


def plain(a: int, b: int) -> tuple[str, str]:
    """Question and answer, the answer in the usual order of digits."""
    return f"{a}+{b}=", f"{a + b}\n"


def reverse(a: int, b: int) -> tuple[str, str]:
    """Question and answer, the answer from its last digit to its first."""
    return f"${a}+{b}=", f"{str(a + b)[::-1]}$\n"


def simplified(a: int, b: int) -> tuple[str, str]:
    """Question and answer, with the digit and the carry at each place before the sum."""
    lines = [f"A->{answer} , C->{carry}" for *_, answer, carry in places(a, b)]
    return f"Input:\n{a}+{b}\nTarget:\n", "\n".join(lines) + f".\n{a + b}\n"


def detailed(a: int, b: int) -> tuple[str, str]:
    """Question and answer; before the sum, each place gives the digits left to add, the digits found, sum and carry."""
    lines = [f"[{commas(number)}] has {len(number)} digits." for number in (str(a), str(b))]
    found, before = "", 0
    for place, (left, right, answer, carry) in enumerate(places(a, b)):
        rest = " + ".join(f"[{commas(number[: max(0, len(number) - place)])}]" for number in (str(a), str(b)))
        total = f"{left}+{right}+{before}={left + right + before}"
        lines.append(f"{rest} , A=[{commas(found)}] , C={before} , {total} , A->{answer} , C->{carry}")
        found, before = f"{answer}{found}", carry
    lines.append(f"[] + [] , A=[{commas(found)}] C={before} , END")
    answer = " ".join(str(a + b))
    return f"Input:\n{a}+{b}\nTarget:\n", "\n".join(["<scratch>", *lines, "</scratch>", answer]) + "\n"


FORMATS = {"plain": plain, "reverse": reverse, "simplified": simplified, "detailed": detailed}


def commas(digits: str) -> str:
    """The digits with commas between them: 1,2,8 for 128."""
    return ",".join(digits)


def places(a: int, b: int) -> Iterator[tuple[int, int, int, int]]:
    """The two digits, the answer's digit and the carry at each place of the longer number, last place first."""
    carry = 0
    for place in range(max(len(str(a)), len(str(b)))):
        left, right = a // 10**place % 10, b // 10**place % 10
        carry, answer = divmod(left + right + carry, 10)
        yield left, right, answer, carry


@dataclass(frozen=True, kw_only=True)
class Task:
    """Trains on `data_size` sums of two numbers with up to `digits` digits each."""

    digits: int = 3
    format: str = "plain"
    data_size: int = field(default=10_000, metadata={"per_run": True})
    test_size: int = 10_000
    """Held-out pairs, drawn uniformly from all pairs except those of two one-digit numbers."""

    label_corruption = 0.0

    def __post_init__(self) -> None:
        coerce(self)
        if not 2 <= self.digits <= 3:
            raise SpecError(f"arithmetic.digits must be 2 or 3, got {self.digits}.")
        if self.format not in FORMATS:
            raise SpecError(f"arithmetic.format {self.format!r} is not known. {closest(self.format, list(FORMATS))}")
        largest = rarest(self.digits) - 34
        if not 1 <= self.test_size <= largest:
            raise SpecError(
                f"arithmetic.test_size must be in [1, {largest}] with digits={self.digits}, got {self.test_size}."
            )
        most = (self.digits + 1) * (rarest(self.digits) - self.test_size)
        if not 100 <= self.data_size <= most:
            raise SpecError(
                f"arithmetic.data_size must be in [100, {most}] with digits={self.digits}, test_size={self.test_size} "
                "(it holds all sums of one-digit numbers, and each number of carries equally often), "
                f"got {self.data_size}."
            )

    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + self.test_size)
    pad = property(lambda self: len(vocabulary(self.format, self.digits)))
    num_classes = property(lambda self: self.pad)
    vocab_size = property(lambda self: self.pad + 1)

    @property
    def num_answers(self) -> int:
        """Tokens of the longest answer."""
        return len(tokens(self._longest[1]))

    @property
    def num_tokens(self) -> int:
        """Tokens of the longest example, minus its last token, which is only predicted."""
        return sum(len(tokens(part)) for part in self._longest) - 1

    @property
    def chance_accuracy(self) -> float:
        """Share of all pairs that have the commonest sum, 10^digits - 1."""
        return 10**-self.digits

    @property
    def _longest(self) -> tuple[str, str]:
        return FORMATS[self.format](10**self.digits - 1, 10**self.digits - 1)

    def build(self, seed: int) -> dict[str, Split]:
        """`train` and `test`. Neither's pairs depend on `format`, and those of `test` do not depend on `data_size`."""
        length_P, carries_P = pairs(self.digits)
        order_P = torch.randperm(len(length_P), generator=generator("arithmetic", seed))
        length_P, carries_P = length_P[order_P], carries_P[order_P]
        test = (length_P > 1).nonzero().flatten()[: self.test_size]
        free_P = torch.ones_like(length_P, dtype=torch.bool).index_fill(0, test, False)
        chosen = (length_P == 1).nonzero().flatten()
        for length in range(2, self.digits):
            shorter = (free_P & (length_P == length)).nonzero().flatten()
            shorter = shorter[: round(SHARE_OF_SHORTER * self.data_size)]
            chosen = torch.cat([chosen, shorter])[: self.data_size]
        chosen = torch.cat([chosen, self._balancing(free_P & (length_P == self.digits), carries_P, chosen)])
        chosen = chosen[torch.randperm(self.data_size, generator=generator("order of train", seed))]
        return {"train": self.examples(order_P[chosen]), "test": self.examples(order_P[test])}

    def examples(self, pairs_N: Tensor) -> Split:
        """Inputs (N, L) and answers (N, T) of these pairs; the pair (a, b) has the number a * 10^digits + b."""
        number = {text: number for number, text in enumerate(vocabulary(self.format, self.digits))}
        inputs_NL = torch.full((len(pairs_N), self.num_tokens), self.pad)
        targets_NT = torch.full((len(pairs_N), self.num_answers), UNSCORED)
        for row, pair in enumerate(pairs_N.tolist()):
            question, answer = (tokens(part) for part in FORMATS[self.format](*divmod(pair, 10**self.digits)))
            text_L = torch.tensor([number[token] for token in question + answer])
            inputs_NL[row, 1 - len(text_L) :] = text_L[:-1]
            targets_NT[row, -len(answer) :] = text_L[-len(answer) :]
        return Split(inputs_NL, targets_NT)

    def _balancing(self, free_P: Tensor, carries_P: Tensor, chosen: Tensor) -> Tensor:
        """Free pairs that fill `chosen` up to `data_size`, so that each number of carries has an equal share."""
        part = -(-self.data_size // (self.digits + 1))
        kept_P = torch.zeros_like(free_P)
        for carries in range(self.digits + 1):
            of_these = (free_P & (carries_P == carries)).nonzero().flatten()
            kept_P[of_these[: max(0, part - int((carries_P[chosen] == carries).sum()))]] = True
        return kept_P.nonzero().flatten()[: self.data_size - len(chosen)]


@lru_cache(maxsize=4)
def pairs(digits: int) -> tuple[Tensor, Tensor]:
    """Digits of the longer number, and carries, for all P = 10^(2 digits) pairs of numbers below 10^digits: both (P,).

    The tensors are shared: callers must not write into them.
    """
    numbers = torch.arange(10**digits)
    a_P, b_P = (x.flatten() for x in torch.meshgrid(numbers, numbers, indexing="ij"))
    length_P, carries_P, carry_P = torch.ones_like(a_P), torch.zeros_like(a_P), torch.zeros_like(a_P)
    for place in range(digits):
        carry_P = (a_P // 10**place % 10 + b_P // 10**place % 10 + carry_P) // 10
        carries_P = carries_P + carry_P
        length_P[torch.maximum(a_P, b_P) >= 10**place] = place + 1
    return length_P, carries_P


@lru_cache(maxsize=4)
def rarest(digits: int) -> int:
    """How many pairs whose longer number has `digits` digits have the rarest number of carries."""
    length_P, carries_P = pairs(digits)
    return int(carries_P[length_P == digits].bincount().min())


def tokens(text: str) -> list[str]:
    """The text cut into tokens: each digit, and each stretch of text between digits."""
    return re.findall(r"\d|\D+", text)


@lru_cache(maxsize=16)
def vocabulary(format: str, digits: int) -> tuple[str, ...]:
    """All tokens of a format, sorted."""
    # The text between digits depends only on how many digits the numbers and the sum have: 1s and 9s reach every case.
    numbers = [int(digit * count) for count in range(1, digits + 1) for digit in "19"]
    texts = [part for a in numbers for b in numbers for part in FORMATS[format](a, b)]
    return tuple(sorted({token for text in ("0123456789", *texts) for token in tokens(text)}))
