"""Comparing attributes of two entities: from (e1, a) -> v1 and (e2, a) -> v2 follows (a, e1, e2) -> <, = or >.

Source: Wang et al. 2024, "Grokked Transformers are Implicit Reasoners" (arXiv 2405.15071), section 4, and their
comparison.ipynb. For each attribute a random 10% of the entities are out of distribution (OOD): their value is trained
on, no comparison is. Pairs of ID entities are trained on or held out (`test`, both orders on the same side), pairs of
OOD entities are `ood`, mixed pairs are dropped. Atomic examples are [e, a], padded at the left; comparisons are
[a, <q>, e1, <mask>, e2]. The three answers of an attribute are tokens of its own.
"""

# N examples, E entities, A attributes, C comparisons (a, e1, e2)

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.circuit import Circuit, choose
from trainables.data import Split, present
from trainables.errors import SpecError
from trainables.population import Population, all_facts, check_sizes, population, shuffled
from trainables.seeds import generator
from trainables.spec import coerce

SPECIALS = ("mask", "sep", "a", "/a", "q", "/q")
"""The published vocabulary file's marks; `sep`, which no example of theirs uses, is our padding."""
NUM_LABELS = 3


@dataclass(frozen=True, kw_only=True)
class Task:
    """The defaults are the paper's; `ratio` is inferred over atomic facts in training, both ID."""

    entities: int = 1000
    attributes: int = 20
    values: int = 20
    ratio: float = field(default=7.2, metadata={"per_run": True})
    ood_fraction: float = 0.1
    """Share of an attribute's entities whose value no training comparison uses."""
    test_fraction: float = 0.1
    """Share of the ID pairs that is held out."""
    test_size: int = 3000
    """At most so many examples in each evaluation split."""

    label_corruption = 0.0
    num_tokens = 5
    positions = ("a", "<q>", "e1", "<mask>", "e2")

    def __post_init__(self) -> None:
        coerce(self)
        check_sizes(self)
        if not 1 <= self.num_inferred <= self.num_candidates:
            raise SpecError(
                f"comparison.ratio must be above 0 and at most {self.num_candidates / self.num_id_facts:.4g} "
                f"(the pairs of ID entities), got {self.ratio}."
            )

    @property
    def num_ood(self) -> int:
        """OOD entities of each attribute."""
        return round(self.ood_fraction * self.entities)

    @property
    def num_id_facts(self) -> int:
        """Atomic facts that training comparisons may use."""
        return (self.entities - self.num_ood) * self.attributes

    @property
    def num_candidates(self) -> int:
        """Comparisons that may be trained on: both orders of the ID pairs that are not held out."""
        num_id = self.entities - self.num_ood
        pairs = num_id * (num_id - 1) // 2 * self.attributes
        return 2 * (pairs - round(self.test_fraction * pairs))

    @property
    def num_inferred(self) -> int:
        """Comparisons in `train`."""
        return round(self.ratio * self.num_id_facts)

    @property
    def num_train(self) -> int:
        """Examples in `train`: all facts, and the comparisons."""
        return self.entities * self.attributes + self.num_inferred

    @property
    def num_examples(self) -> int:
        """Examples in all splits, at most."""
        return self.num_train + 5 * self.test_size

    @property
    def vocab_size(self) -> int:
        """Entities, attributes, values, the marks, and three labels for each attribute."""
        return self.entities + self.attributes + self.values + len(SPECIALS) + NUM_LABELS * self.attributes

    @property
    def num_classes(self) -> int:
        """Any token may be the answer."""
        return self.vocab_size

    @property
    def pad(self) -> int:
        """The token before shorter examples."""
        return self.special("sep")

    @property
    def chance_accuracy(self) -> float:
        """The better constant answer to comparisons, < or >."""
        return (1 - 1 / self.values) / 2

    def special(self, mark: str) -> int:
        """Token of a mark."""
        return self.entities + self.attributes + self.values + SPECIALS.index(mark)

    def label_tokens(self, attribute_N: Tensor, first_N: Tensor, second_N: Tensor) -> Tensor:
        """The answer for two values: the attribute's token for <, = or >."""
        relation_N = 1 + (first_N - second_N).sign()
        return self.special("/q") + 1 + NUM_LABELS * attribute_N + relation_N

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, `test` (ID) and `ood`, and for a closer look `train_inferred`, `id_atomic` and `ood_atomic`."""
        people = population(self, seed)
        inferred = self.comparisons(people, people.candidates_C3[: self.num_inferred])
        atomic = self.atoms(people, all_facts(self))
        order_N = torch.randperm(self.num_train, generator=generator("order of train", seed))
        train = Split(*(torch.cat(pair)[order_N] for pair in zip(atomic, inferred, strict=True)))
        facts_F2 = shuffled(all_facts(self), generator("facts", seed))
        is_ood_F = people.is_ood_AE[facts_F2[:, 0], facts_F2[:, 1]]
        splits = {
            "train": train,
            "test": self.comparisons(people, people.held_out_C3[: self.test_size]),
            "ood": self.comparisons(people, people.ood_C3[: self.test_size]),
            "train_inferred": Split(*(part[: self.test_size] for part in inferred)),
            "id_atomic": self.atoms(people, facts_F2[~is_ood_F][: self.test_size]),
            "ood_atomic": self.atoms(people, facts_F2[is_ood_F][: self.test_size]),
        }
        return present(splits)

    def circuit(self, seed: int, count: int) -> Circuit:
        """Up to `count` training comparisons, with replacements that change the answer, as in
        causal_tracing_comparison.py: another entity with the other's value (one off where the two were equal), patched
        at its own position and, for e1, at the mask after it; another attribute, patched at the first two positions.
        """
        people, draw = population(self, seed), generator("circuit", seed)
        triples_N3 = people.candidates_C3[: min(count, self.num_inferred)]
        attribute_N, first_N, second_N = triples_N3.unbind(1)
        inputs_NL, targets_N = self.comparisons(people, triples_N3)
        values_NE, is_id_NE = people.value_AE[attribute_N], ~people.is_ood_AE[attribute_N]
        v1_N, v2_N = (people.value_AE[attribute_N, entity_N] for entity_N in (first_N, second_N))
        replaced, kept_N = {}, torch.ones(len(triples_N3), dtype=torch.bool)
        for name, places, value_N, other_N in (("e1", (2, 3), v2_N, second_N), ("e2", (4,), v1_N, first_N)):
            distance_NE = (values_NE - value_N[:, None]).abs()
            wanted_NE = is_id_NE & (distance_NE == (v1_N == v2_N).long()[:, None])
            wanted_NE &= torch.arange(self.entities) != other_N[:, None]
            chosen_N, some_N = choose(wanted_NE, draw)
            changed_NL = inputs_NL.clone()
            changed_NL[:, places[0]] = chosen_N
            replaced[name] = (places, changed_NL)
            kept_N &= some_N
        others_NA = torch.arange(self.attributes) != attribute_N[:, None]
        chosen_N, some_N = choose(others_NA, draw)
        changed_NL = inputs_NL.clone()
        changed_NL[:, 0] = self.entities + chosen_N
        replaced["a"] = ((0, 1), changed_NL)
        kept_N &= some_N
        value_token = self.entities + self.attributes
        looked_for = {"v1": value_token + v1_N, "v2": value_token + v2_N, "answer": targets_N}
        labels_N3 = self.special("/q") + 1 + NUM_LABELS * attribute_N[:, None] + torch.arange(NUM_LABELS)
        return Circuit(
            inputs_NL[kept_N],
            targets_N[kept_N],
            self.positions,
            {name: tokens_N[kept_N] for name, tokens_N in looked_for.items()},
            {name: (at, changed_NL[kept_N]) for name, (at, changed_NL) in replaced.items()},
            {"labels": labels_N3[kept_N]},
        )

    def atoms(self, people: Population, facts_N2: Tensor) -> Split:
        """Atomic examples of facts (attribute, entity), padded to the length of comparisons."""
        attribute_N, entity_N = facts_N2.unbind(1)
        inputs_NL = torch.full((len(facts_N2), self.num_tokens), self.pad)
        inputs_NL[:, -2:] = torch.stack([entity_N, self.entities + attribute_N], dim=1)
        return Split(inputs_NL, self.entities + self.attributes + people.value_AE[attribute_N, entity_N])

    def comparisons(self, people: Population, triples_C3: Tensor) -> Split:
        """Comparison examples of triples (attribute, first entity, second entity)."""
        attribute_C, first_C, second_C = triples_C3.unbind(1)
        inputs_CL = torch.empty(len(triples_C3), self.num_tokens, dtype=torch.long)
        inputs_CL[:, 0], inputs_CL[:, 1] = self.entities + attribute_C, self.special("q")
        inputs_CL[:, 2], inputs_CL[:, 3], inputs_CL[:, 4] = first_C, self.special("mask"), second_C
        values = (people.value_AE[attribute_C, entity_C] for entity_C in (first_C, second_C))
        return Split(inputs_CL, self.label_tokens(attribute_C, *values))
