"""Compositions of random tables, t = f2(f1(x1, x2), x3) and three variants; all examples are compositions.

Source: "The Coverage Principle" (arXiv 2505.20278) and its published code. Each primitive f is a table of uniformly
drawn outputs; training may use `seen_fraction` of its entries. An example is [x1, ..., xL]. The output of an inner
primitive is called a bridge; tokens, bridges and answers share one set of `n` values. Unlike in `composition`, no
primitive is ever shown by itself. `train` has `data_size` distinct combinations of usable entries; an entry counts as
seen if a training example uses it. `test` has other combinations of seen entries only (in distribution). `ood` has
combinations with at least one unseen entry, whose answers nothing in training determines.

`test` is also split by the k-cutoff of trainables/coverage.py, the largest of the levels CUTOFFS at which an example is
covered: `cutoff_3` has the test examples covered at k = 3 but not at 5, `cutoff_0` those not covered at all.

With a chain of thought an example is [x1, ..., xL, bridges], and the answers are the bridges followed by t; all of them
must be right. The paper's control replaces each bridge by a token without meaning.
"""

# N examples, L tokens, P primitives, K candidates

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.circuit import Circuit, choose
from trainables.components import closest
from trainables.coverage import cutoffs
from trainables.data import Split, present
from trainables.errors import SpecError
from trainables.seeds import generator
from trainables.spec import coerce
from trainables.tables import STRUCTURES, Structure, Tables, all_in, commonest_share, random_tables

CUTOFFS = (1, 2, 3, 5)
"""Levels k by which `test` is split; networks in the paper lie between k = 3 and 5."""
THOUGHTS = ("none", "bridges", "fake")
LARGEST_N = 256
"""A table of three arguments has n^3 entries."""
MARGIN = 0.9
"""The largest data size is this share of the average number of combinations, so that every seed has enough."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The defaults are those of the example in the published code."""

    structure: str = "two_hop"
    n: int = 50
    """Number of tokens, |X| in the paper."""
    data_size: int = field(default=10_000, metadata={"per_run": True})
    """Training examples."""
    seen_fraction: float = 0.7
    """Share of each primitive's entries that training may use."""
    test_size: int = 2000
    """Largest number of examples in each evaluation split."""
    chain_of_thought: str = field(default="none", metadata={"absent": "none"})
    """What comes before the answer: `none`, `bridges`, or `fake` for equally many tokens without meaning."""

    label_corruption = 0.0
    pad = None

    def __post_init__(self) -> None:
        coerce(self)
        if self.structure not in STRUCTURES:
            raise SpecError(f"hops.structure {self.structure!r} is not known. {closest(self.structure, [*STRUCTURES])}")
        if self.chain_of_thought not in THOUGHTS:
            near = closest(self.chain_of_thought, [*THOUGHTS])
            raise SpecError(f"hops.chain_of_thought {self.chain_of_thought!r} is not known. {near}")
        if not 2 <= self.n <= LARGEST_N:
            raise SpecError(f"hops.n must be in [2, {LARGEST_N}], got {self.n}.")
        if not 0 < self.seen_fraction <= 1:
            raise SpecError(f"hops.seen_fraction must be in (0, 1], got {self.seen_fraction}.")
        if self.test_size < 1:
            raise SpecError(f"hops.test_size must be 1 or larger, got {self.test_size}.")
        if not 1 <= self.data_size <= self.largest_size:
            raise SpecError(
                f"hops.data_size must be in [1, {self.largest_size}] (the combinations that n={self.n} and "
                f"seen_fraction={self.seen_fraction} leave), got {self.data_size}."
            )

    @property
    def shape(self) -> Structure:
        """Which inputs each primitive reads."""
        return STRUCTURES[self.structure]

    @property
    def fragments(self) -> tuple[tuple[int, ...], ...]:
        """Groups of positions whose tokens are substituted together, for trainables/coverage.py."""
        return self.shape.fragments

    @property
    def largest_size(self) -> int:
        """The largest `data_size` allowed."""
        return int(MARGIN * self.n**self.shape.num_tokens * self.seen_fraction ** len(self.shape.primitives))

    @property
    def num_train(self) -> int:
        """Examples in `train`."""
        return self.data_size

    @property
    def num_examples(self) -> int:
        """Examples in all splits, at most."""
        return self.data_size + 3 * self.test_size

    @property
    def num_answers(self) -> int:
        """1, or with a chain of thought one for each primitive."""
        return 1 if self.chain_of_thought == "none" else len(self.shape.primitives)

    @property
    def num_tokens(self) -> int:
        """Tokens of an example."""
        return self.shape.num_tokens + self.num_answers - 1

    vocab_size = property(lambda self: self.n + (self.chain_of_thought == "fake"))
    num_classes = property(lambda self: self.vocab_size)

    @property
    def chance_accuracy(self) -> float:
        """Accuracy of guessing with all inputs of the last primitive known but one: the commonest remaining answer."""
        return commonest_share(self.n, max(1, round(self.seen_fraction * self.n)))

    @property
    def positions(self) -> tuple[str, ...]:
        """Names of the tokens."""
        thoughts = tuple(f"thought{i + 1}" for i in range(self.num_answers - 1))
        return tuple(f"x{i + 1}" for i in range(self.shape.num_tokens)) + thoughts

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, `test`, `ood`, and `cutoff_<k>`: the test examples by their k-cutoff. Empty splits are left out.

        SpecError if the tables of this seed have fewer than `data_size` combinations.
        """
        world = self.tables(seed)
        train_N = trained_on(world, self.data_size, seed)
        if len(train_N) < self.data_size:
            raise SpecError(
                f"hops.data_size {self.data_size} is larger than {len(train_N)}, the number of combinations in the "
                f"tables of seed {seed}; use a smaller one."
            )
        used = world.used(train_N)

        def held_out(numbers_N: Tensor) -> Tensor:
            return world.allowed(numbers_N, used) & ~torch.isin(numbers_N, train_N)

        test_N = world.draw(self.test_size, held_out, "test", seed)
        ood_N = world.draw(self.test_size, lambda numbers_N: ~world.allowed(numbers_N, used), "ood", seed)
        plain = {"train": examples(world, train_N), "test": examples(world, test_N), "ood": examples(world, ood_N)}
        splits = {name: self._asked(world, split.inputs_NL) for name, split in plain.items()}
        cutoff_N = torch.from_numpy(cutoffs(plain["train"], plain["test"], self.fragments, CUTOFFS))
        for level in (0, *CUTOFFS):
            splits[f"cutoff_{level}"] = Split(*(part[cutoff_N == level] for part in splits["test"]))
        return present(splits)

    def circuit(self, seed: int, count: int) -> Circuit:
        """Up to `count` training examples; a replacement of a token leads through seen entries to another answer.

        Examples are grouped by bridge, and by the first bridge and x2 together: in `non_tree` the state after x2 may
        depend on both.
        """
        world = self.tables(seed)
        inputs_NL = world.tokens(trained_on(world, min(count, self.data_size), seed))
        _, outputs_NP = world.follow(inputs_NL)
        draw, replaced = generator("circuit", seed), {}
        kept_N = torch.ones(len(inputs_NL), dtype=torch.bool)
        for place, name in enumerate(self.positions[: self.shape.num_tokens]):
            others_NKL = inputs_NL[:, None].repeat(1, self.n, 1)
            others_NKL[:, :, place] = torch.arange(self.n)
            entries, ends = world.follow(others_NKL.flatten(0, 1))
            allowed_N = all_in(entries, world.seen) & (ends[:, -1] != outputs_NP[:, -1].repeat_interleave(self.n))
            chosen_N, some_N = choose(allowed_N.view(-1, self.n), draw)
            replaced[name] = (
                (place,),
                self._asked(world, others_NKL[torch.arange(len(inputs_NL)), chosen_N]).inputs_NL,
            )
            kept_N &= some_N
        bridges = outputs_NP[kept_N, :-1].unbind(1)
        names = ["bridge"] if len(bridges) == 1 else [f"bridge{i + 1}" for i in range(len(bridges))]
        return Circuit(
            self._asked(world, inputs_NL[kept_N]).inputs_NL,
            outputs_NP[kept_N, -1],
            self.positions,
            dict(zip(names, bridges, strict=True)) | {"answer": outputs_NP[kept_N, -1]},
            {name: (at, changed_NL[kept_N]) for name, (at, changed_NL) in replaced.items()},
            groups={f"{names[0]}_x2": bridges[0] * self.n + inputs_NL[kept_N, 1]},
        )

    def _asked(self, world: Tables, inputs_NL: Tensor) -> Split:
        """Combinations with their targets: the answer alone, or the chain of thought and the answer."""
        outputs_NP = world.follow(inputs_NL)[1]
        if self.chain_of_thought == "none":
            return Split(inputs_NL, outputs_NP[:, -1])
        thoughts = outputs_NP[:, :-1]
        if self.chain_of_thought == "fake":
            thoughts = torch.full_like(thoughts, self.n)
        return Split(torch.cat([inputs_NL, thoughts], dim=1), torch.cat([thoughts, outputs_NP[:, -1:]], dim=1))

    def tables(self, seed: int) -> Tables:
        """The tables of a seed; they do not depend on the data size."""
        return random_tables(self.structure, self.n, self.seen_fraction, seed)


def trained_on(world: Tables, count: int, seed: int) -> Tensor:
    """The numbers of the first `count` training examples, (N,)."""
    return world.draw(count, lambda numbers_N: world.allowed(numbers_N, world.seen), "train", seed)


def examples(world: Tables, numbers_N: Tensor) -> Split:
    """The combinations of these numbers with their answers."""
    inputs_NL = world.tokens(numbers_N)
    return Split(inputs_NL, world.follow(inputs_NL)[1][:, -1])
