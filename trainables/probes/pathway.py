"""Which experts training examples use, how different their pathways are, and how smooth these are between layers.

Source: Li, Fan, Zhou 2025, "Grokking in LLM Pretraining?" (arXiv 2506.21551), whose two metrics tell from training data
alone that a mixture of experts generalizes. Pathway: for each layer, sort the experts by their mean share over the
example's tokens, largest first, and keep them until their shares sum to more than 0.7; join the lists of all layers.
Distance: the Levenshtein distance between the pathways of two examples, expert by expert, divided by the length of the
longer one. Smoothness: a layer's routing embedding is the sum of the router's expert vectors weighted by the mean
shares; smoothness is the mean cosine of adjacent layers over the largest one. The paper calls 1 minus this
`consistency` and says that it is higher for erratic transitions, yet lets it rise with generalization; the names here
are therefore `pathway_smoothness` and `pathway_erratic`.

Two differences from the paper. There a sample counts as memorized from the step after which its loss stays small until
the end of training; a probe sees one state, so here an example is memorized while its answer is right with a small
loss. And the smoothness of all examples is their median, because the ratio is unbounded where the largest cosine is
near 0, which is not rare with few layers. In the last layer only the position that is read goes through the experts, so
only its shares count there.
"""

# N examples, P pairs, L tokens, K experts, E entries of a pathway, D width

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from trainables.answers import asks_for_numbers, num_answers
from trainables.circuit import Circuit
from trainables.edits import edit_distances
from trainables.errors import SpecError
from trainables.probes import Finding
from trainables.step import correctness, example_losses

PANEL = 256
"""Largest number of training examples examined; they have 32,640 pairs."""
COVERED = 0.7
"""Routing share above which a layer's list of experts ends; values from 0.5 to 0.8 make no difference in the paper."""
TOP = 2
"""Experts of each layer in the pathway of fixed length."""
MEMORIZED = 0.5
"""Largest loss, in nats, at which a right answer counts as memorized; strong weight decay keeps losses above 0.1."""


def check(spec: Any) -> None:
    """SpecError unless the model has two or more experts and an example has one answer."""
    if getattr(spec.model, "experts", 0) < 2:
        raise SpecError(f"probe 'pathway' needs experts, got {spec.model!r}. Use 'transformer' with experts=4, say.")
    if num_answers(spec.task) > 1 or asks_for_numbers(spec.task):
        raise SpecError(f"probe 'pathway' needs a task with one answer, got {spec.task!r}.")


def examine(module: Any, circuit: Circuit) -> Iterator[Finding]:
    """Means over memorized examples or their pairs, at position `all`, the mean over tokens.

    For each layer: `routing_entropy`, as a share of the largest possible, and `layer_distance`. For the whole network,
    at its last layer: `pathway_distance`, also within classes (`_same`) and between them (`_different`);
    `pathway_edits`, the distance before the division by the length; `pathway_length`; `pathway_erratic` (the paper's
    C), `pathway_smoothness` (1 - C) and `routing_cosine`, from three layers on. Over all examples are the share
    `memorized`, `panel_distance`, and `top_edits`: the edits between pathways of the TOP experts of each layer, which
    do not become longer where routing becomes more even. A mean over no example or pair is left out.
    """
    inputs_NL, targets_N = circuit.inputs_NL[:PANEL], circuit.targets_N[:PANEL]
    logits_NC, share_layers = routing(module, inputs_NL)
    right_N = correctness(logits_NC, targets_N)["accuracy"] > 0
    memorized_N = right_N & (example_losses(logits_NC, targets_N, "cross_entropy") <= MEMORIZED)
    values = {"memorized": memorized_N.float()}
    layers = [chosen_experts(share_NK) for share_NK in share_layers]
    kept = memorized_N.cpu().numpy()
    for layer, (share_NK, experts_NE) in enumerate(zip(share_layers, layers, strict=True), 1):
        entropy_N = -torch.xlogy(share_NK, share_NK).sum(1) / np.log(share_NK.shape[1])
        yield from findings(layer, {"routing_entropy": entropy_N[memorized_N]})
        yield from findings(layer, {"layer_distance": pairs(distances(experts_NE)[1], kept)})
    path_NE = pathways(layers)
    top_NE = np.concatenate([share_NK.topk(TOP).indices.cpu().numpy() for share_NK in share_layers], axis=1)
    edits_NN, distance_NN = distances(path_NE)
    same_NN = (targets_N[:, None] == targets_N).cpu().numpy()
    values |= {
        "pathway_distance": pairs(distance_NN, kept),
        "pathway_distance_same": pairs(distance_NN, kept, same_NN),
        "pathway_distance_different": pairs(distance_NN, kept, ~same_NN),
        "pathway_edits": pairs(edits_NN, kept),
        "pathway_length": torch.from_numpy((path_NE >= 0).sum(1)[kept]).float(),
        "panel_distance": pairs(distance_NN, np.ones_like(kept)),
        "top_edits": pairs(distances(top_NE)[0], np.ones_like(kept)),
    }
    if module.depth > 2:  # two layers have a single cosine, whose mean equals its maximum
        vectors = [block.router.weight.float() for block in module.blocks]
        cosine_NL = transitions([share @ vector.T for share, vector in zip(share_layers, vectors, strict=True)])
        smooth_N = (cosine_NL.mean(1) / (cosine_NL.amax(1) + 1e-8))[memorized_N]
        values["routing_cosine"] = cosine_NL.mean(1)[memorized_N]
        if len(smooth_N):
            smoothness = smooth_N.median()[None]
            values |= {"pathway_smoothness": smoothness, "pathway_erratic": 1 - smoothness}
    yield from findings(module.depth, values)


def findings(layer: int, values: dict[str, Tensor]) -> Iterator[Finding]:
    """A finding with the mean of each metric that has any value."""
    yield from (Finding(layer, "all", name, float(of.mean())) for name, of in values.items() if len(of))


def routing(module: Any, inputs_NL: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits (N, C), and for each layer the mean share of every expert over the tokens computed there, (N, K)."""
    shares: list[Tensor] = []
    hooks = [block.router.register_forward_hook(lambda _, given, out: shares.append(out)) for block in module.blocks]
    logits_NC = module(inputs_NL).float()
    for hook in hooks:
        hook.remove()
    token_NL = torch.ones_like(inputs_NL) if module.pad is None else inputs_NL != module.pad
    weights = [token_NL[:, -share_NQK.shape[1] :, None].float() for share_NQK in shares]
    return logits_NC, [(w * share).sum(1) / w.sum(1) for w, share in zip(weights, shares, strict=True)]


def chosen_experts(share_NK: Tensor) -> np.ndarray:
    """Each example's experts, largest share first, until the shares sum to more than COVERED; then -1. (N, K)."""
    sorted_NK, expert_NK = share_NK.sort(dim=1, descending=True, stable=True)
    before_NK = sorted_NK.cumsum(1) - sorted_NK
    return torch.where(before_NK <= COVERED, expert_NK, -1).cpu().numpy()


def pathways(layers: list[np.ndarray]) -> np.ndarray:
    """The lists of all layers joined, (N, E); -1 after the end."""
    path_NE = np.concatenate(layers, axis=1)
    return np.take_along_axis(path_NE, (path_NE < 0).argsort(1, kind="stable"), axis=1)


def distances(path_NE: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levenshtein distances between all pathways, and these over the length of the longer pathway: (N, N) each."""
    path_UE, number_N = np.unique(path_NE, axis=0, return_inverse=True)  # few are distinct
    first_P, second_P = np.triu_indices(len(path_UE), 1)
    edits_UU = np.zeros((len(path_UE), len(path_UE)))
    edits_UU[first_P, second_P] = edits_UU[second_P, first_P] = edit_distances(path_UE[first_P], path_UE[second_P])
    length_U = (path_UE >= 0).sum(1)
    pair = np.ix_(number_N, number_N)
    return edits_UU[pair], (edits_UU / np.maximum(length_U[:, None], length_U))[pair]


def pairs(value_NN: np.ndarray, kept_N: np.ndarray, kind_NN: np.ndarray | None = None) -> Tensor:
    """The values of all pairs of distinct examples in `kept_N`, and where `kind_NN` is True if it is given, (P,)."""
    wanted_NN = np.triu(kept_N[:, None] & kept_N, 1)
    return torch.from_numpy(value_NN[wanted_NN if kind_NN is None else wanted_NN & kind_NN])


def transitions(embeddings: list[Tensor]) -> Tensor:
    """Cosines of the routing embeddings (N, D) of adjacent layers, (N, layers - 1)."""
    return torch.stack([F.cosine_similarity(a, b, dim=1) for a, b in pairwise(embeddings)], dim=1)
