"""Binary operations modulo p: all pairs (a, b) with the label a o b. Grokking was discovered on this task.

Sources: Power et al. 2022 (arXiv 2201.02177) for the task; Huang et al. 2024 (2402.15175) for the random-label twin
that measures memorization capacity; Doshi et al. 2023 (2310.13061) for label corruption. An example is the tokens
[a, b, =], where '=' is token p; a and b range over 0..p-1, except that the divisor b of `div` ranges over 1..p-1.
`train` and `test` are disjoint and make up the whole table. There is no out-of-distribution split.
"""

# N examples

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from trainables.components import closest
from trainables.data import Split, present
from trainables.errors import SpecError
from trainables.parts import name_of
from trainables.seeds import generator
from trainables.spec import coerce

OPERATIONS = {
    "add": lambda a, b, p: a + b,
    "sub": lambda a, b, p: a - b,
    "mul": lambda a, b, p: a * b,
    "div": lambda a, b, p: a * inverses(p)[b],
    "sum_of_squares": lambda a, b, p: a * a + b * b,
    "square_of_sum": lambda a, b, p: (a + b) * (a + b),
    "quadratic": lambda a, b, p: a * a + a * b + b * b,
    "cubic": lambda a, b, p: a * a % p * a + a * b % p * b,
    "cubic_plus_b": lambda a, b, p: a * a % p * a + a * b % p * b + b,
}
"""a o b before the reduction modulo p, by name; `quadratic` is a^2 + ab + b^2, `cubic` is a^3 + ab^2, and
`cubic_plus_b` is a^3 + ab^2 + b."""
COMMUTATIVE = ("add", "mul", "sum_of_squares", "square_of_sum", "quadratic")
LABELS = ("true", "random")


@dataclass(frozen=True, kw_only=True)
class Task:
    """All pairs modulo `p`. Set one of `train_fraction` and `data_size`, and the other to None."""

    p: int = 97
    operation: str = field(default="add", metadata={"per_run": True, "probed": True})
    train_fraction: float | None = field(default=0.5, metadata={"per_run": True})
    """Share of the table in training, in (0, 1]."""
    data_size: int | None = field(default=None, metadata={"per_run": True})
    """Number of training examples."""
    labels: str = field(default="true", metadata={"per_run": True})
    """`random` draws one label for each unordered pair {a, b}: there is no rule to learn, only labels to memorize."""
    label_corruption: float = field(default=0.0, metadata={"per_run": True})
    """Share of the training examples that get one of the p - 1 wrong labels; test labels stay true."""
    pairs_together: bool = field(default=False, metadata={"per_run": True})
    """True keeps (a, b) and (b, a) in the same split, so that commutativity gives away no test answer."""

    def __post_init__(self) -> None:
        coerce(self)
        if self.operation not in OPERATIONS:
            raise SpecError(
                f"modular.operation {self.operation!r} is not known. {closest(self.operation, list(OPERATIONS))}"
            )
        if not 2 <= self.p <= 4096:
            raise SpecError(f"modular.p must be in [2, 4096], got {self.p}.")
        if self.operation == "div" and not is_prime(self.p):
            raise SpecError(f"modular.p must be prime for operation 'div', got {self.p}.")
        if self.labels not in LABELS:
            raise SpecError(f"modular.labels must be one of {', '.join(LABELS)}, got {self.labels!r}.")
        check_amount(self)
        if not 0 <= self.label_corruption <= 1:
            raise SpecError(f"modular.label_corruption must be in [0, 1], got {self.label_corruption}.")

    pad = None

    @property
    def num_pairs(self) -> int:
        """Examples in the whole table."""
        return self.p * (self.p - 1) if self.operation == "div" else self.p * self.p

    @property
    def num_examples(self) -> int:
        """Examples in all splits."""
        return self.num_pairs

    @property
    def num_train(self) -> int:
        """Examples in `train`."""
        return amount(self)

    vocab_size = property(lambda self: self.p + 1)
    num_classes = property(lambda self: self.p)
    num_tokens = 3

    @property
    def chance_accuracy(self) -> float:
        """Accuracy of the best constant answer on the whole table."""
        return 1 / self.p if self.labels == "random" else commonest_label(self.p, self.operation) / self.num_pairs

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, and `test` unless it would be empty. The same seed gives the same data on every machine."""
        a_N, b_N, labels_N = table(self.p, self.operation)
        if self.labels == "random":
            drawn = torch.randint(self.p, (self.p, self.p), generator=generator("labels", seed))
            labels_N = drawn[torch.minimum(a_N, b_N), torch.maximum(a_N, b_N)]
        order_N = self._order(a_N, b_N, seed)
        inputs_NL = torch.stack([a_N, b_N, torch.full_like(a_N, self.p)], dim=1)[order_N]
        labels_N = labels_N[order_N]
        train = Split(inputs_NL[: self.num_train], self._corrupted(labels_N[: self.num_train], seed))
        return present({"train": train, "test": Split(inputs_NL[self.num_train :], labels_N[self.num_train :])})

    def fourier_order(self) -> Tensor | None:
        """Residues in an order that turns the operation into a shift; None for products modulo a composite number.

        0..p-1 for all but products; powers of a primitive root for products, which leaves out 0.
        """
        if self.operation not in ("mul", "div"):
            return torch.arange(self.p)
        return primitive_powers(self.p) if is_prime(self.p) else None

    def _order(self, a_N: Tensor, b_N: Tensor, seed: int) -> Tensor:
        """A random order of the table whose first `num_train` examples are the training split."""
        order_N = torch.randperm(len(a_N), generator=generator("split", seed))
        if not self.pairs_together:
            return order_N
        # Sort by the place of (min, max): (a, b) and (b, a) become neighbours, and (a, a) comes as early as any.
        place = torch.empty(self.p, self.p, dtype=torch.long)
        place[a_N[order_N], b_N[order_N]] = torch.arange(len(a_N))
        place_N = place[torch.minimum(a_N, b_N), torch.maximum(a_N, b_N)][order_N]
        order_N = order_N[place_N.sort(stable=True).indices]
        # If the cut falls inside a pair, the nearest pair of equals (a, a), which stands alone, moves across it.
        cut = self.num_train
        if cut < len(a_N) and a_N[order_N[cut - 1]] == b_N[order_N[cut]] and b_N[order_N[cut - 1]] == a_N[order_N[cut]]:
            alone = (a_N[order_N] == b_N[order_N]).nonzero().flatten()
            move = int(alone[(2 * alone - 2 * cut + 1).abs().argmin()])
            moved = order_N[move]
            order_N = torch.cat([order_N[:move], order_N[move + 1 :]])
            target = cut if move < cut else cut - 1
            order_N = torch.cat([order_N[:target], moved[None], order_N[target:]])
        return order_N

    def _corrupted(self, labels_N: Tensor, seed: int) -> Tensor:
        count = round(self.label_corruption * len(labels_N))
        draw = generator("corruption", seed)
        chosen = torch.randperm(len(labels_N), generator=draw)[:count]
        shift = torch.randint(1, self.p, (count,), generator=draw)
        return labels_N.index_put((chosen,), (labels_N[chosen] + shift) % self.p)


def amount(task: Any) -> int:
    """Number of training examples of a task over `num_pairs` pairs, from its `data_size` or its `train_fraction`."""
    if task.data_size is not None:
        return task.data_size
    return max(1, round((task.train_fraction or 0) * task.num_pairs))


def check_amount(task: Any) -> None:
    """SpecError unless exactly one of `train_fraction` and `data_size` is set, and is in its range."""
    name = name_of(task)
    if (task.train_fraction is None) == (task.data_size is None):
        raise SpecError(
            f"{name}: set one of train_fraction and data_size, and the other to None, got "
            f"train_fraction={task.train_fraction}, data_size={task.data_size}."
        )
    if task.train_fraction is not None and not 0 < task.train_fraction <= 1:
        raise SpecError(f"{name}.train_fraction must be in (0, 1], got {task.train_fraction}.")
    if not 1 <= task.num_train <= task.num_pairs:
        raise SpecError(f"{name}.data_size must be in [1, {task.num_pairs}] (all pairs), got {task.num_train}.")


@lru_cache(maxsize=64)
def table(p: int, operation: str) -> tuple[Tensor, Tensor, Tensor]:
    """All a, all b and their labels, in the order of (a, b), each (N,). Shared: callers must not write into them."""
    b_values = torch.arange(1 if operation == "div" else 0, p)
    a_N, b_N = (x.flatten() for x in torch.meshgrid(torch.arange(p), b_values, indexing="ij"))
    return a_N, b_N, OPERATIONS[operation](a_N, b_N, p) % p


@lru_cache(maxsize=64)
def commonest_label(p: int, operation: str) -> int:
    """How many examples of the table have the commonest label."""
    return int(table(p, operation)[2].bincount().max())


def is_prime(n: int) -> bool:
    """True for a prime, by trial division: p is at most a few thousand."""
    return n >= 2 and all(n % d for d in range(2, int(n**0.5) + 1))


def inverses(p: int) -> Tensor:
    """The multiplicative inverse of each residue modulo a prime p, (p,); 0 for 0."""
    return torch.tensor([0] + [pow(b, -1, p) for b in range(1, p)])


def primitive_powers(p: int) -> Tensor:
    """1, g, g^2, ... for the smallest primitive root g of the prime p: all p - 1 nonzero residues."""
    for g in range(1, p):
        powers = [1]
        while (power := powers[-1] * g % p) != 1:
            powers.append(power)
        if len(powers) == p - 1:
            return torch.tensor(powers)
    raise AssertionError(f"{p} is not prime")
