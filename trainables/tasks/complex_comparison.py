"""Comparing entities whose values are never given: the answer must be searched for among thousands of comparisons.

Source: Wang et al. 2024, "Grokked Transformers are Implicit Reasoners" (arXiv 2405.15071), section 5, appendix F and
complex_reasoning.ipynb. Like `comparison`, except that the values of OOD entities are not in training. Instead `train`
has 3% of the comparisons of an ID with an OOD entity, beside 3% of those between ID entities. `ood` asks about pairs of
OOD entities: 50 for each label, whose answer follows from the training set but not from its comparisons alone. `test`
has held-out comparisons between ID entities. Atomic examples are [<q>, e, a, <mask>, </q>, <a>], comparisons
[a, <q>, e1, <mask>, e2, </q>, <a>].
"""

# N examples, E entities, A attributes, C comparisons (a, e1, e2), O OOD entities

from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor

from trainables.data import Split, present
from trainables.errors import SpecError
from trainables.population import Population, all_facts, check_sizes, population, shuffled
from trainables.seeds import generator
from trainables.spec import coerce
from trainables.tasks import comparison


@dataclass(frozen=True, kw_only=True)
class Task:
    """The defaults are the paper's."""

    entities: int = 1000
    attributes: int = 20
    values: int = 20
    share: float = field(default=0.03, metadata={"per_run": True})
    """Share in training of the ID comparisons that are not held out, and of those between an ID and an OOD entity."""
    ood_fraction: float = 0.1
    """Share of entities, drawn for each attribute, whose values are not in training."""
    test_fraction: float = 0.1
    """Share of the ID pairs that is held out for `test`."""
    test_size: int = 3000
    """Largest number of examples in each evaluation split except `ood`."""
    queries_per_label: int = 50
    """Hard questions for each of <, = and >; all have as many as the rarest label. With none there is no `ood`."""

    label_corruption = 0.0
    num_tokens = 7

    def __post_init__(self) -> None:
        coerce(self)
        check_sizes(self)
        if not 0 < self.share <= 1 or self.num_inferred < 1 or self.queries_per_label < 1:
            raise SpecError(
                "complex_comparison: share must be in (0, 1] and leave at least one comparison, and queries_per_label "
                f"must be 1 or larger, got share={self.share} and queries_per_label={self.queries_per_label}."
            )

    @property
    def plain(self) -> comparison.Task:
        """The comparison task over the same population."""
        sizes = ("entities", "attributes", "values", "ood_fraction", "test_fraction")
        return comparison.Task(ratio=1 / self.num_id_facts, **{name: getattr(self, name) for name in sizes})

    @property
    def num_ood(self) -> int:
        """OOD entities of each attribute."""
        return round(self.ood_fraction * self.entities)

    @property
    def num_id_facts(self) -> int:
        """Atomic facts in training."""
        return (self.entities - self.num_ood) * self.attributes

    @property
    def num_cross(self) -> int:
        """Comparisons of an ID and an OOD entity in `train`."""
        return round(self.share * 2 * self.num_id_facts * self.num_ood)

    @property
    def num_inferred(self) -> int:
        """Comparisons in `train`."""
        return round(self.share * self.plain.num_candidates) + self.num_cross

    @property
    def ratio(self) -> float:
        """Inferred over atomic examples in `train`."""
        return self.num_inferred / self.num_id_facts

    @property
    def num_train(self) -> int:
        """Examples in `train`."""
        return self.num_id_facts + self.num_inferred

    @property
    def num_examples(self) -> int:
        """Examples in all splits, at most."""
        return self.num_train + 4 * self.test_size + 3 * self.queries_per_label

    @property
    def vocab_size(self) -> int:
        """As in `comparison`."""
        return self.plain.vocab_size

    @property
    def num_classes(self) -> int:
        """Any token may be the answer."""
        return self.vocab_size

    @property
    def pad(self) -> int:
        """The token that stands before shorter examples."""
        return self.plain.pad

    @property
    def chance_accuracy(self) -> float:
        """A third: the hard questions have each answer equally often."""
        return 1 / 3

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, `test` (held-out ID pairs), `ood` (the hard questions), `train_inferred` and `id_atomic`."""
        people, trained_C3, crossed_C3 = lessons(self, seed)
        inferred = self.comparisons(people, shuffled(torch.cat([trained_C3, crossed_C3]), generator("mix", seed)))
        facts_F2 = all_facts(self.plain)
        atomic = self.atoms(people, facts_F2[~people.is_ood_AE[facts_F2[:, 0], facts_F2[:, 1]]])
        order_N = torch.randperm(self.num_train, generator=generator("order of train", seed))
        hard_C3 = hard_questions(people, trained_C3, crossed_C3, self.queries_per_label, generator("hard", seed))
        splits = {
            "train": Split(*(torch.cat(pair)[order_N] for pair in zip(atomic, inferred, strict=True))),
            "test": self.comparisons(people, people.held_out_C3[: self.test_size]),
            "ood": self.comparisons(people, hard_C3),
            "train_inferred": Split(*(part[: self.test_size] for part in inferred)),
            "id_atomic": Split(*(part[: self.test_size] for part in atomic)),
        }
        return present(splits)

    def atoms(self, people: Population, facts_N2: Tensor) -> Split:
        """Atomic examples of facts (attribute, entity), padded to the length of comparisons."""
        plain = self.plain
        inputs_NL, targets_N = plain.atoms(people, facts_N2)
        entity_N, attribute_N = inputs_NL[:, -2:].unbind(1)
        marks = (torch.full_like(entity_N, plain.special(mark)) for mark in ("q", "mask", "/q", "a"))
        q_N, mask_N, end_N, answer_N = marks
        pad_N = torch.full_like(entity_N, self.pad)
        return Split(torch.stack([pad_N, q_N, entity_N, attribute_N, mask_N, end_N, answer_N], dim=1), targets_N)

    def comparisons(self, people: Population, triples_C3: Tensor) -> Split:
        """Comparison examples of triples (attribute, first entity, second entity)."""
        inputs_CL, targets_C = self.plain.comparisons(people, triples_C3)
        ends = torch.tensor([self.plain.special("/q"), self.plain.special("a")]).expand(len(inputs_CL), 2)
        return Split(torch.cat([inputs_CL, ends], dim=1), targets_C)


@lru_cache(maxsize=4)
def lessons(task: Task, seed: int) -> tuple[Population, Tensor, Tensor]:
    """The population; the ID comparisons in training (C, 3); and those of an ID with an OOD entity (C, 3), shuffled."""
    people = population(task.plain, seed)
    pairs = []
    for attribute in range(task.attributes):
        is_ood_E = people.is_ood_AE[attribute]
        first_P, second_P = torch.cartesian_prod((~is_ood_E).nonzero()[:, 0], is_ood_E.nonzero()[:, 0]).unbind(1)
        attribute_P = torch.full_like(first_P, attribute)
        pairs += [torch.stack(p, dim=1) for p in ((attribute_P, first_P, second_P), (attribute_P, second_P, first_P))]
    crossed_C3 = shuffled(torch.cat(pairs), generator("crossed", seed))[: task.num_cross]
    return people, people.candidates_C3[: task.num_inferred - task.num_cross], crossed_C3


def hard_questions(
    people: Population, trained_C3: Tensor, crossed_C3: Tensor, per_label: int, draw: torch.Generator
) -> Tensor:
    """Pairs of OOD entities (a, e1, e2), (C, 3): equally many for each of <, = and >, at most `per_label`.

    Draw an edge x -> y for every known x >= y. A pair is solvable if paths along known values and along comparisons
    with OOD entities settle it; = takes a path in both directions. It is easy if paths along the comparisons in
    training settle it without any known value. Hard questions are solvable and not easy.
    """
    found: list[list[Tensor]] = [[], [], []]
    for attribute, (value_E, is_ood_E) in enumerate(zip(people.value_AE, people.is_ood_AE, strict=True)):
        ood_O = is_ood_E.nonzero()[:, 0]
        cross_EE = _edges(value_E, crossed_C3, attribute)
        told_EE = (value_E[:, None] >= value_E) & ~is_ood_E & ~is_ood_E[:, None]
        compared_EE = cross_EE | _edges(value_E, trained_C3, attribute)
        difference_OO = value_E[ood_O][:, None] - value_E[ood_O]
        settled = [_settled(_reachable(edges, ood_O), difference_OO) for edges in (cross_EE | told_EE, compared_EE)]
        hard_OO = settled[0] & ~settled[1] & ~torch.eye(len(ood_O), dtype=torch.bool)
        for label, sign in enumerate((-1, 0, 1)):
            first_P, second_P = (hard_OO & (difference_OO.sign() == sign)).nonzero().unbind(1)
            found[label].append(
                torch.stack([torch.full_like(first_P, attribute), ood_O[first_P], ood_O[second_P]], dim=1)
            )
    of_label = [shuffled(torch.cat(triples), draw) for triples in found]
    fewest = min(per_label, *map(len, of_label))
    return torch.cat([triples_C3[:fewest] for triples_C3 in of_label])


def _edges(value_E: Tensor, triples_C3: Tensor, attribute: int) -> Tensor:
    """edge[x, y] is True where a comparison of this attribute says that x >= y, (E, E)."""
    first_C, second_C = triples_C3[triples_C3[:, 0] == attribute][:, 1:].unbind(1)
    edge_EE = torch.zeros(len(value_E), len(value_E), dtype=torch.bool)
    edge_EE[first_C, second_C] = value_E[first_C] >= value_E[second_C]
    edge_EE[second_C, first_C] |= value_E[second_C] >= value_E[first_C]
    return edge_EE


def _reachable(edge_EE: Tensor, from_O: Tensor) -> Tensor:
    """path[o, p] is True where any number of edges leads from chosen entity o to chosen entity p, (O, O)."""
    seen_OE, steps_EE = edge_EE[from_O], edge_EE.float()
    while True:
        further_OE = seen_OE | (seen_OE.float() @ steps_EE > 0)
        if torch.equal(further_OE, seen_OE):
            return seen_OE[:, from_O]
        seen_OE = further_OE


def _settled(path_OO: Tensor, difference_OO: Tensor) -> Tensor:
    """True where paths prove the true answer: in both directions for =, in the right one for < and >, (O, O)."""
    return torch.where(difference_OO == 0, path_OO & path_OO.T, torch.where(difference_OO > 0, path_OO, path_OO.T))
