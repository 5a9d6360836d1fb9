"""Multiplication in a finite group: the Cayley table of all pairs (a, b) with label ab.

Source: Tian 2025, "Provable Scaling Laws of Feature Emergence" (Li2, arXiv 2509.21519), which trains a two-layer
network on cyclic groups, their products and non-abelian groups. It states that training keeps features that generalize
once the training set has a fraction c ln(M) / M of the M^2 pairs; c is 2.7482 in its code. A group is written as `Z23`
(cyclic, order 23), `S4` (symmetric, all permutations of 4 things, order 24), `D5` (dihedral, the symmetries of a
pentagon, order 10), or as a product of these, such as `Z2xZ3xZ4`. An example is the tokens [a, b, =] as in `modular`,
whose operation `add` is the group `Z<p>`. `train` and `test` are disjoint and make up the whole table.
"""

# N examples, M elements

import itertools
import math
import re
from dataclasses import dataclass, field
from functools import lru_cache, reduce

import torch
from torch import Tensor

from trainables.data import Split, present
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import coerce
from trainables.tasks.modular import amount, check_amount

LARGEST_ORDER = 1024


@dataclass(frozen=True, kw_only=True)
class Task:
    """All pairs of a group's elements. Set one of `train_fraction` and `data_size`, and the other to None."""

    group: str = "Z71"
    """`Z23`, `S4`, `D5` or a product of these, such as `Z2xZ3xZ4`."""
    train_fraction: float | None = field(default=0.4, metadata={"per_run": True})
    """Share of the table in training, in (0, 1]."""
    data_size: int | None = field(default=None, metadata={"per_run": True})
    """Number of training examples."""

    label_corruption = 0.0
    pad = None
    num_tokens = 3

    def __post_init__(self) -> None:
        coerce(self)
        if not 2 <= self.p <= LARGEST_ORDER:
            raise SpecError(f"group.group must have 2 to {LARGEST_ORDER} elements, got {self.group!r}.")
        check_amount(self)

    @property
    def p(self) -> int:
        """The order M of the group, its number of elements; `mlp` and the probes use it as they use a modulus."""
        return math.prod(order for _, order in factors(self.group))

    num_pairs = property(lambda self: self.p**2)
    num_examples = property(lambda self: self.p**2)
    vocab_size = property(lambda self: self.p + 1)
    num_classes = property(lambda self: self.p)

    @property
    def num_train(self) -> int:
        """Examples in `train`."""
        return amount(self)

    @property
    def chance_accuracy(self) -> float:
        """1/M: every element is the answer equally often."""
        return 1 / self.p

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, and `test` unless it would be empty. The same seed gives the same data on every machine."""
        a_N, b_N = (x.flatten() for x in torch.meshgrid(*[torch.arange(self.p)] * 2, indexing="ij"))
        order_N = torch.randperm(self.num_pairs, generator=generator("split", seed))
        inputs_NL = torch.stack([a_N, b_N, torch.full_like(a_N, self.p)], dim=1)[order_N]
        labels_N = cayley_table(self.group).flatten()[order_N]
        size = self.num_train
        splits = {"train": Split(inputs_NL[:size], labels_N[:size]), "test": Split(inputs_NL[size:], labels_N[size:])}
        return present(splits)

    def fourier_order(self) -> Tensor | None:
        """The elements of a cyclic group in an order that turns multiplication into a shift; None for other groups."""
        return torch.arange(self.p) if re.fullmatch(r"Z\d+", self.group) else None


@lru_cache(maxsize=64)
def cayley_table(group: str) -> Tensor:
    """The element ab at [a, b], (M, M); 0 is the neutral element. Shared: callers must not write into it."""
    return reduce(product, (TABLES[kind](int(size)) for kind, size in parts(group)))


def cyclic(n: int) -> Tensor:
    """Addition modulo n."""
    return (torch.arange(n)[:, None] + torch.arange(n)) % n


def symmetric(n: int) -> Tensor:
    """Permutations of n things in lexicographic order; ab applies b first, then a."""
    permutations_MK = torch.tensor(list(itertools.permutations(range(n))))
    number = {tuple(permutation): i for i, permutation in enumerate(permutations_MK.tolist())}
    return torch.tensor([[number[tuple(row)] for row in a_K[permutations_MK].tolist()] for a_K in permutations_MK])


def dihedral(n: int) -> Tensor:
    """Symmetries of a regular polygon with n corners: element i + n j mirrors j times, then turns by i corners."""
    turn_M, mirrored_M = torch.arange(2 * n) % n, torch.arange(2 * n) // n
    turn_MM = turn_M[:, None] + torch.where(mirrored_M == 1, -1, 1)[:, None] * turn_M
    return turn_MM % n + n * ((mirrored_M[:, None] + mirrored_M) % 2)


def product(left: Tensor, right: Tensor) -> Tensor:
    """The direct product: the pair of elements (a, b) has the number a * len(right) + b."""
    blocks = left[:, None, :, None] * len(right) + right[None, :, None, :]
    return blocks.reshape(len(left) * len(right), -1)


TABLES = {"Z": cyclic, "S": symmetric, "D": dihedral}
ORDERS = {"Z": lambda n: n, "S": math.factorial, "D": lambda n: 2 * n}


@lru_cache(maxsize=256)
def parts(group: str) -> tuple[tuple[str, str], ...]:
    """Kind and size of each factor, as text; SpecError for a name that is not a group."""
    if not re.fullmatch(r"[ZSD][1-9]\d{0,3}(x[ZSD][1-9]\d{0,3})*", group):
        raise SpecError(f"group.group {group!r} is not known. Write Z23, S4, D5 or a product such as Z2xZ3xZ4.")
    return tuple((factor[0], factor[1:]) for factor in group.split("x"))


def factors(group: str) -> list[tuple[str, int]]:
    """Kind and order of each factor."""
    return [(kind, ORDERS[kind](min(int(size), LARGEST_ORDER))) for kind, size in parts(group)]
