"""SCAN: a command in simplified English, answered by the actions that carry it out.

    jump twice after turn left = I_TURN_LEFT I_JUMP I_JUMP end

Source: Lake & Baroni 2018, "Generalization without Systematicity" (arXiv 1711.00350): 20,910 commands with the verbs
walk, look, run and jump; the grammar is in trainables/grammar.py. Zhou et al. 2023, "Data Factors for Better
Compositional Generalization" (arXiv 2311.04420), use 2, 20 and 200 times as many verbs. A quarter of the verbs is held
out: `train` has each of them only as a command of one word, `ood` has longer commands with them. `test` has further
commands without held-out verbs.
"""

# N examples, L tokens, T answers, X places for words, signs and actions, some of them empty (holes)

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables import grammar
from trainables.answers import UNSCORED
from trainables.data import Split
from trainables.errors import SpecError
from trainables.grammar import HOLE, NOTHING, VERBS
from trainables.seeds import generator
from trainables.spec import coerce
from trainables.tasks.rewrite import different_numbers

MOST_ACTIONS = 48
"""Actions of the longest command, `jump around left thrice and jump around left thrice`."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`data_size` commands, all distinct except the single held-out verbs, which repeat."""

    primitives: int = 4
    """Number of verbs: a multiple of SCAN's four."""
    max_actions: int = MOST_ACTIONS
    """Commands with more actions than this are left out."""
    data_size: int = field(default=12_000, metadata={"per_run": True})
    alone_share: float = field(default=0.1, metadata={"per_run": True})
    """Share of `train` that is a single held-out verb, each equally often; a tenth as in SCAN."""
    test_size: int = 1000
    """Commands in each of `test` and `ood`."""

    label_corruption = 0.0
    drawn = True

    def __post_init__(self) -> None:
        coerce(self)
        if self.primitives < len(VERBS) or self.primitives % len(VERBS):
            raise SpecError(f"scan.primitives must be a multiple of {len(VERBS)}, got {self.primitives}.")
        if not 2 <= self.max_actions <= MOST_ACTIONS:
            raise SpecError(f"scan.max_actions must be in [2, {MOST_ACTIONS}], got {self.max_actions}.")
        most = min(self.num_seen - 1, self.num_unseen)
        if not 1 <= self.test_size <= most:
            raise SpecError(f"scan.test_size must be in [1, {most}], got {self.test_size}.")
        least = self.primitives // len(VERBS)
        if not least <= self.num_alone < self.data_size:
            raise SpecError(
                f"scan.alone_share must be below 1, and large enough that each of the {least} held-out verbs is among "
                f"the data_size={self.data_size} commands, got {self.alone_share}."
            )
        most = self.num_seen - self.test_size
        if self.num_different > most:
            raise SpecError(
                f"scan.data_size must need at most {most} distinct commands (all that primitives={self.primitives}, "
                f"max_actions={self.max_actions} and test_size={self.test_size} leave), got {self.data_size}."
            )

    num_train = property(lambda self: self.data_size)
    num_examples = property(lambda self: self.data_size + 2 * self.test_size)
    num_alone = property(lambda self: round(self.alone_share * self.data_size))
    num_different = property(lambda self: self.data_size - self.num_alone)
    num_seen = property(lambda self: grammar.count(self.primitives, self.max_actions, False))
    num_unseen = property(lambda self: grammar.count(self.primitives, self.max_actions, True))
    num_classes = property(lambda self: self.primitives + len(grammar.SIDES) + 1)
    pad = property(lambda self: len(grammar.vocabulary(self.primitives)))
    vocab_size = property(lambda self: self.pad + 1)
    num_tokens = property(lambda self: grammar.longest(self.max_actions)[0] + 1)
    num_answers = property(lambda self: grammar.longest(self.max_actions)[1] + 1)

    @property
    def chance_accuracy(self) -> float:
        """About the share of commands that have a given answer: few commands share one."""
        return 1 / self.num_seen

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, `test` and `ood`; `ood` does not depend on `data_size`."""
        table, draw = grammar.sentences(self.primitives), generator("scan", seed)
        ood_N3 = self._drawn(self.test_size, True, draw)
        seen_N3 = self._drawn(self.test_size + self.num_different, False, draw)
        verbs_N = (table.is_verb_S & table.held_out_S).nonzero().flatten().repeat(self.num_alone)[: self.num_alone]
        alone_N3 = torch.stack([verbs_N, torch.full_like(verbs_N, HOLE), torch.full_like(verbs_N, NOTHING)], dim=1)
        train_N3 = torch.cat([alone_N3, seen_N3[self.test_size :]])
        train_N3 = train_N3[torch.randperm(self.data_size, generator=draw)]
        commands = {"train": train_N3, "test": seen_N3[: self.test_size], "ood": ood_N3}
        return {name: self.examples(commands_N3) for name, commands_N3 in commands.items()}

    def examples(self, commands_N3: Tensor) -> Split:
        """Inputs (N, L) and answers (N, T) of commands (N, 3) as `grammar.commands` returns them."""
        table, number = grammar.sentences(self.primitives), grammar.numbers(self.primitives)
        first_N, joint_N, second_N = commands_N3.unbind(1)
        first_done_N = torch.where(joint_N == number["after"], second_N, first_N)
        last_done_N = first_N + second_N - first_done_N
        equals_N1, end_N1 = (torch.full((len(first_N), 1), number[sign]) for sign in ("=", "end"))
        command = [table.words_SW[first_N], joint_N[:, None], table.words_SW[second_N]]
        answer = [table.actions_SA[first_done_N], table.actions_SA[last_done_N], end_N1]
        text_NX = torch.cat([*command, equals_N1, *answer], dim=1)
        order_NX = (text_NX != HOLE).to(torch.uint8).argsort(dim=1, stable=True)  # holes to the left
        text_NX = text_NX.gather(1, order_NX)[:, -self.num_tokens - 1 :]
        asked_N1 = (table.lengths_S[first_N] + table.lengths_S[second_N] + 1)[:, None]
        is_asked_NT = torch.arange(self.num_answers, 0, -1) <= asked_N1
        inputs_NL, targets_NT = text_NX[:, :-1], text_NX[:, -self.num_answers :]
        return Split(inputs_NL.masked_fill(inputs_NL == HOLE, self.pad), targets_NT.masked_fill(~is_asked_NT, UNSCORED))

    def _drawn(self, count: int, with_held_out: bool, draw: torch.Generator) -> Tensor:
        """`count` distinct commands, (N, 3)."""
        kind = (self.primitives, self.max_actions, with_held_out)
        return grammar.commands(different_numbers(count, grammar.count(*kind), draw), *kind)
