"""Entities with values of their attributes, and the comparisons between them: for tasks `comparison` and
`complex_comparison`, the same for every ratio.

Source: Wang et al. 2024 (arXiv 2405.15071), comparison.ipynb.
"""

# E entities, A attributes, F facts, C comparisons (a, e1, e2)

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from trainables.errors import SpecError
from trainables.parts import name_of
from trainables.seeds import generator
from trainables.spec import at_least


@dataclass(frozen=True)
class Population:
    """Values, who is OOD, and comparisons as triples (attribute, e1, e2), each set in random order."""

    value_AE: Tensor
    is_ood_AE: Tensor
    candidates_C3: Tensor
    held_out_C3: Tensor
    ood_C3: Tensor


def check_sizes(task: Any) -> None:
    """SpecError for sizes that leave nothing to compare; for both tasks over a population."""
    name = name_of(task)
    at_least(task, entities=1, attributes=1, values=1, test_size=1)
    if not 0 <= task.num_ood <= task.entities - 2:
        raise SpecError(
            f"{name}.ood_fraction must leave 2 or more of {task.entities} entities, got {task.ood_fraction}."
        )
    if not 0 < task.test_fraction < 1:
        raise SpecError(f"{name}.test_fraction must be in (0, 1), got {task.test_fraction}.")


def all_facts(task: Any) -> Tensor:
    """Every (attribute, entity), (F, 2)."""
    return torch.cartesian_prod(torch.arange(task.attributes), torch.arange(task.entities))


def population(task: Any, seed: int) -> Population:
    """Who there is under a seed, the same for every ratio."""
    return _population(replace(task, ratio=1 / task.num_id_facts), seed)


@lru_cache(maxsize=4)
def _population(task: Any, seed: int) -> Population:
    draw = generator("population", seed)
    shape = (task.attributes, task.entities)
    value_AE = torch.randint(task.values, shape, generator=draw)
    order_AE = torch.rand(shape, generator=draw).argsort(1)
    is_ood_AE = torch.zeros(shape, dtype=torch.bool).scatter_(1, order_AE[:, : task.num_ood], True)
    ood_pairs_C3 = _pairs(order_AE[:, : task.num_ood])
    id_pairs_C3 = shuffled(_pairs(order_AE[:, task.num_ood :]), draw)
    num_held_out = round(task.test_fraction * len(id_pairs_C3))
    both = [
        shuffled(_both_orders(p), draw) for p in (id_pairs_C3[num_held_out:], id_pairs_C3[:num_held_out], ood_pairs_C3)
    ]
    return Population(value_AE, is_ood_AE, *both)


def _pairs(chosen_AE: Tensor) -> Tensor:
    """Every attribute with every unordered pair of its chosen entities, (C, 3)."""
    attributes, num = chosen_AE.shape
    first_P, second_P = torch.triu_indices(num, num, 1)
    attribute_C = torch.arange(attributes).repeat_interleave(len(first_P))
    return torch.stack([attribute_C, chosen_AE[:, first_P].flatten(), chosen_AE[:, second_P].flatten()], dim=1)


def _both_orders(triples_C3: Tensor) -> Tensor:
    return torch.cat([triples_C3, triples_C3[:, [0, 2, 1]]])


def shuffled(rows: Tensor, draw: torch.Generator) -> Tensor:
    """The rows in random order."""
    return rows[torch.randperm(len(rows), generator=draw)]
