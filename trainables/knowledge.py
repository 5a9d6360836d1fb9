"""A random knowledge graph and its chains of facts, for task `composition`: the same graph for every ratio.

Source: Wang et al. 2024 (arXiv 2405.15071), composition.ipynb.
"""

# C chains, E entities, R relations, O out-degree, F facts (fact e * O + i is the i-th of entity e)

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from trainables.seeds import generator


@dataclass(frozen=True)
class Knowledge:
    """A graph of facts and its chains. Chain c of k hops follows fact c // O^(k-1), then the facts that the digits of
    the rest to the base O choose among those of each tail."""

    relation_F: Tensor
    tail_F: Tensor
    is_ood_F: Tensor
    candidates_C: Tensor
    """ID chains that may be trained on, in random order."""
    held_out_C: Tensor
    """ID chains that are not, in random order."""
    ood_C: Tensor
    """Chains of OOD facts alone, in random order."""

    def facts(self, task: Any, chains_C: Tensor) -> Tensor:
        """The facts that each chain follows, (C, hops)."""
        return follow(self.tail_F, task, chains_C)


def follow(tail_F: Tensor, task: Any, chains_C: Tensor) -> Tensor:
    """The facts of each chain, (C, hops)."""
    below = task.out_degree ** (task.hops - 1)
    facts = [chains_C // below]
    for _ in range(task.hops - 1):
        chains_C, below = chains_C % below, below // task.out_degree
        facts.append(tail_F[facts[-1]] * task.out_degree + chains_C // below)
    return torch.stack(facts, dim=1)


def knowledge(task: Any, seed: int) -> Knowledge:
    """The graph of a seed, the same for every ratio."""
    return _knowledge(replace(task, ratio=task.largest_ratio), seed)


@lru_cache(maxsize=4)
def _knowledge(task: Any, seed: int) -> Knowledge:
    draw = generator("graph", seed)
    relation_F = torch.rand(task.entities, task.relations, generator=draw).argsort(1)[:, : task.out_degree].flatten()
    tail_F = torch.randint(task.entities, (task.num_facts,), generator=draw)
    is_ood_F = torch.zeros(task.num_facts, dtype=torch.bool)
    is_ood_F[torch.randperm(task.num_facts, generator=draw)[: task.num_ood_facts]] = True
    chains_C = torch.randperm(task.num_facts * task.out_degree ** (task.hops - 1), generator=draw)
    num_ood_C = is_ood_F[follow(tail_F, task, chains_C)].sum(1)
    id_C, ood_C = chains_C[num_ood_C == 0], chains_C[num_ood_C == task.hops]
    num_held_out = round(task.test_fraction * len(id_C))
    return Knowledge(relation_F, tail_F, is_ood_F, id_C[num_held_out:], id_C[:num_held_out], ood_C)
