"""Composing facts of a random knowledge graph: from (h, r1) -> b and (b, r2) -> t follows (h, r1, r2) -> t.

Source: Wang et al. 2024, "Grokked Transformers are Implicit Reasoners" (arXiv 2405.15071), section 3, and their
composition.ipynb. Every entity has `out_degree` facts with distinct relations and uniformly drawn tails. A random 5% of
the facts are out of distribution (OOD): trained on alone, never in a composition. Chains of in-distribution (ID) facts
are trained on (`ratio` times as many as ID facts) or held out (`test`); chains of OOD facts alone are `ood`; chains
that mix the two are dropped. Atomic examples are [h, r] and inferred ones [h, r1, ..., rk], padded at the left; the
answer is the tail. The published code also predicts an end mark after the tail, which carries no information.
"""

# N examples, C chains, E entities, R relations, O out-degree, F facts (trainables/knowledge.py numbers them)

from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.circuit import Circuit, choose
from trainables.data import Split, present
from trainables.errors import SpecError
from trainables.knowledge import Knowledge, knowledge
from trainables.seeds import generator
from trainables.spec import at_least, coerce

NUM_SPECIALS = 6
"""Marks in the published vocabulary file; ours uses one of them, for padding."""
MARGIN = 0.99
"""The largest ratio stays this far below what a graph gives on average, so that every seed's graph gives enough."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The defaults are the paper's; `ratio` is inferred over atomic facts in training, both ID."""

    entities: int = 2000
    relations: int = 200
    out_degree: int = 20
    ratio: float = field(default=7.2, metadata={"per_run": True})
    hops: int = 2
    ood_fraction: float = 0.05
    """Share of the facts that no training composition uses."""
    test_fraction: float = 0.005
    """Share of the ID chains that is held out."""
    test_size: int = 3000
    """At most so many examples in each evaluation split."""

    label_corruption = 0.0

    def __post_init__(self) -> None:
        coerce(self)
        at_least(self, entities=1, relations=1, out_degree=1, test_size=1)
        if self.out_degree > self.relations:
            raise SpecError(
                f"composition.out_degree must be at most relations={self.relations}, got {self.out_degree}."
            )
        if self.hops not in (2, 3):
            raise SpecError(f"composition.hops must be 2 or 3, got {self.hops}.")
        if not 0 <= self.ood_fraction < 1 or not 0 < self.test_fraction < 1:
            raise SpecError(
                "composition: ood_fraction must be in [0, 1) and test_fraction in (0, 1), got "
                f"{self.ood_fraction} and {self.test_fraction}."
            )
        if self.num_inferred < 1 or self.ratio > self.largest_ratio:
            raise SpecError(
                f"composition.ratio must be above 0 and at most {self.largest_ratio:.4g} (what out_degree="
                f"{self.out_degree}, ood_fraction={self.ood_fraction} and test_fraction={self.test_fraction} leave), "
                f"got {self.ratio}."
            )

    @property
    def num_facts(self) -> int:
        """Atomic facts, ID and OOD."""
        return self.entities * self.out_degree

    @property
    def num_ood_facts(self) -> int:
        """Atomic facts that no training composition uses."""
        return round(self.ood_fraction * self.num_facts)

    @property
    def num_inferred(self) -> int:
        """Inferred examples in `train`."""
        return round(self.ratio * (self.num_facts - self.num_ood_facts))

    @property
    def largest_ratio(self) -> float:
        """ID chains in training per ID fact, at most."""
        id_share = 1 - self.num_ood_facts / self.num_facts
        return MARGIN * (self.out_degree * id_share) ** (self.hops - 1) * (1 - self.test_fraction)

    @property
    def num_train(self) -> int:
        """Examples in `train`: all facts, and the inferred ones."""
        return self.num_facts + self.num_inferred

    @property
    def num_examples(self) -> int:
        """Examples in all splits, at most."""
        return self.num_train + 5 * self.test_size

    @property
    def num_tokens(self) -> int:
        """Tokens of the longest example."""
        return self.hops + 1

    @property
    def pad(self) -> int:
        """The token before shorter examples."""
        return self.entities + self.relations

    @property
    def vocab_size(self) -> int:
        """Entities, relations (token = entities + relation), and the published file's marks."""
        return self.entities + self.relations + NUM_SPECIALS

    @property
    def num_classes(self) -> int:
        """Any token may be the answer; the right one is always an entity."""
        return self.vocab_size

    @property
    def chance_accuracy(self) -> float:
        """Who knows the last relation and nothing else names the tail of one of its facts."""
        return min(1.0, self.relations / self.num_facts)

    @property
    def positions(self) -> tuple[str, ...]:
        """Names of the tokens of an inferred example."""
        return ("h", *(f"r{i + 1}" for i in range(self.hops)))

    def build(self, seed: int) -> dict[str, Split]:
        """`train`, `test` (ID) and `ood`, and for a closer look `train_inferred`, `id_atomic` and `ood_atomic`."""
        graph = knowledge(self, seed)
        draw = generator("split", seed)
        if len(graph.candidates_C) < self.num_inferred:
            raise SpecError(
                f"composition.ratio {self.ratio} needs {self.num_inferred} ID chains and the graph of seed {seed} has "
                f"{len(graph.candidates_C)}; take a smaller ratio."
            )
        inferred = self.chains(graph, graph.candidates_C[: self.num_inferred])
        atomic = self.atoms(graph, torch.arange(self.num_facts))
        order_N = torch.randperm(self.num_train, generator=draw)
        mixed_F = torch.randperm(self.num_facts, generator=generator("facts", seed))
        train = Split(*(torch.cat(pair)[order_N] for pair in zip(atomic, inferred, strict=True)))
        splits = {
            "train": train,
            "test": self.chains(graph, graph.held_out_C[: self.test_size]),
            "ood": self.chains(graph, graph.ood_C[: self.test_size]),
            "train_inferred": Split(*(part[: self.test_size] for part in inferred)),
            "id_atomic": self.atoms(graph, mixed_F[~graph.is_ood_F[mixed_F]][: self.test_size]),
            "ood_atomic": self.atoms(graph, mixed_F[graph.is_ood_F[mixed_F]][: self.test_size]),
        }
        return present(splits)

    def circuit(self, seed: int, count: int) -> Circuit:
        """Up to `count` inferred training examples, each with replacements of every token that change the answer.

        As in causal_tracing_composition.py: another head that has ID facts, from which the relations lead elsewhere or
        nowhere; another ID relation of the head, or of a later entity, from which they do not lead to the same tail.
        """
        graph, draw = knowledge(self, seed), generator("circuit", seed)
        facts_NK = graph.facts(self, graph.candidates_C[: min(count, self.num_inferred)])
        head_N, relations_NK = facts_NK[:, 0] // self.out_degree, graph.relation_F[facts_NK]
        tails_NK = graph.tail_F[facts_NK]
        nodes_NK = torch.cat([head_N[:, None], tails_NK], dim=1)
        next_ER = torch.full((self.entities, self.relations), -1)
        next_ER[torch.arange(self.num_facts) // self.out_degree, graph.relation_F] = graph.tail_F
        is_id_EO = ~graph.is_ood_F.view(self.entities, self.out_degree)
        relation_EO = graph.relation_F.view(self.entities, self.out_degree)
        inputs_NL = torch.cat([head_N[:, None], self.entities + relations_NK], dim=1)
        replaced, kept_N = {}, torch.ones(len(facts_NK), dtype=torch.bool)
        for place, name in enumerate(self.positions):
            if place == 0:
                candidates_NK = torch.arange(self.entities).expand(len(head_N), -1)
                ends_NK, allowed_NK = candidates_NK, is_id_EO.any(1).expand(len(head_N), -1)
                tokens_NK = candidates_NK
            else:
                before_N = nodes_NK[:, place - 1]
                candidates_NK, allowed_NK = relation_EO[before_N], is_id_EO[before_N]
                ends_NK = next_ER[before_N[:, None], candidates_NK]
                tokens_NK = self.entities + candidates_NK
            for relation_N in relations_NK[:, place:].unbind(1):
                ends_NK = torch.where(ends_NK < 0, -1, next_ER[ends_NK, relation_N[:, None]])
            chosen_N, some_N = choose(allowed_NK & (ends_NK != tails_NK[:, -1:]), draw)
            changed_NL = inputs_NL.clone()
            changed_NL[:, place] = tokens_NK.gather(1, chosen_N[:, None])[:, 0]
            replaced[name] = ((place,), changed_NL)
            kept_N &= some_N
        looked_for = {f"bridge{i + 1}" if self.hops > 2 else "bridge": nodes_NK[:, i + 1] for i in range(self.hops - 1)}
        looked_for |= {self.positions[-1]: inputs_NL[:, -1], "answer": tails_NK[:, -1]}
        return Circuit(
            inputs_NL[kept_N],
            tails_NK[kept_N, -1],
            self.positions,
            {name: tokens_N[kept_N] for name, tokens_N in looked_for.items()},
            {name: (at, changed_NL[kept_N]) for name, (at, changed_NL) in replaced.items()},
        )

    def atoms(self, graph: Knowledge, facts_N: Tensor) -> Split:
        """Atomic examples, padded to the length of chains."""
        pads_NP = torch.full((len(facts_N), self.hops - 1), self.pad)
        pair_N2 = torch.stack([facts_N // self.out_degree, self.entities + graph.relation_F[facts_N]], dim=1)
        return Split(torch.cat([pads_NP, pair_N2], dim=1), graph.tail_F[facts_N])

    def chains(self, graph: Knowledge, chains_C: Tensor) -> Split:
        """Inferred examples of chains, given by their numbers."""
        facts_CK = graph.facts(self, chains_C)
        relations_CK = self.entities + graph.relation_F[facts_CK]
        inputs_CL = torch.cat([facts_CK[:, :1] // self.out_degree, relations_CK], dim=1)
        return Split(inputs_CL, graph.tail_F[facts_CK[:, -1]])
