"""k-coverage: which answers follow from the training examples by putting fragments for each other that behave alike.

Source: "The Coverage Principle" (arXiv 2505.20278) and its published code. A fragment is what an example has at some of
its places (x1 and x2 of a two-hop example), and the rest of the example is its context. Two fragments are k-equivalent
if the training examples have both in k or more shared contexts, with the same label in every shared context. Examples
with one label that differ by equivalent fragments are neighbours; an example is k-covered if a path of neighbours
leads from it to a training example, and its k-cutoff is the largest k at which it is. No network and no training: this
is what learning by substitution can reach at best. As in the published code the paths go through the examples at hand
alone, and equivalence is made transitive.
"""

# N examples, L tokens, F fragments, E pairs of fragments

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from trainables.data import Split

BISECTIONS = 6
"""Of a factor of 2 in data size, in `examples_needed`: within 1%."""


def cutoffs(
    train: Split, asked: Split, fragments: Sequence[Sequence[int]], levels: Sequence[int] = range(1, 21)
) -> np.ndarray:
    """The largest of `levels` at which each asked example is covered, 0 where none is: (M,) integers.

    `fragments` are the places that are put for each other together: ((0, 1),) for the first two tokens.
    """
    inputs_NL, labels_N = (torch.cat(pair).numpy() for pair in zip(train, asked, strict=True))
    num_train = len(train.targets_N)
    views = [View(inputs_NL, labels_N, num_train, places) for places in fragments]
    found_N = np.zeros(len(labels_N), dtype=np.int64)
    for level in sorted(levels):
        left, right, num_nodes = [], [], len(labels_N)
        for view in views:  # the nodes after the examples are the buckets of each view
            bucket_N = view.buckets(level)
            left.append(np.arange(len(labels_N)))
            right.append(num_nodes + bucket_N)
            num_nodes += bucket_N.max(initial=-1) + 1
        component_N = components(num_nodes, np.concatenate(left), np.concatenate(right))[: len(labels_N)]
        found_N[np.isin(component_N, component_N[:num_train])] = level
    return found_N[num_train:]


class View:
    """Examples cut into a fragment and its context, and which fragments the training examples show to be alike."""

    def __init__(self, inputs_NL: np.ndarray, labels_N: np.ndarray, num_train: int, places: Sequence[int]) -> None:
        rest = [place for place in range(inputs_NL.shape[1]) if place not in places]
        self.fragment_N, self.context_N = numbered(inputs_NL[:, list(places)]), numbered(inputs_NL[:, rest])
        self.labels_N = labels_N
        self.num_fragments = int(self.fragment_N.max(initial=-1)) + 1
        fragment_N, context_N = self.fragment_N[:num_train], self.context_N[:num_train]
        pair_E, agreed_E = np.unique(self._pairs(num_train), return_counts=True)
        a_E, b_E = np.divmod(pair_E, self.num_fragments)
        present_FC = np.zeros((self.num_fragments, int(self.context_N.max(initial=-1)) + 1), dtype=bool)
        present_FC[fragment_N, context_N] = True
        bits_FB = np.packbits(present_FC, axis=1)
        shared_E = np.bitwise_count(bits_FB[a_E] & bits_FB[b_E]).sum(1, dtype=np.int64)
        alike_E = agreed_E == shared_E
        self.a_E, self.b_E, self.evidence_E = a_E[alike_E], b_E[alike_E], agreed_E[alike_E]

    def buckets(self, level: int) -> np.ndarray:
        """Number of each example's bucket, (N,): one class of fragments, one context, one label."""
        enough_E = self.evidence_E >= level
        class_F = components(self.num_fragments, self.a_E[enough_E], self.b_E[enough_E])
        return numbered(np.stack([class_F[self.fragment_N], self.context_N, self.labels_N], axis=1))

    def _pairs(self, num_train: int) -> np.ndarray:
        """a * F + b for each context in which the fragments a < b have one label, once for each such context."""
        answer_N = numbered(np.stack([self.context_N[:num_train], self.labels_N[:num_train]], axis=1))
        order_N = np.lexsort((self.fragment_N[:num_train], answer_N))
        answer_N, fragment_N = answer_N[order_N], self.fragment_N[:num_train][order_N]
        pairs = [np.zeros(0, dtype=np.int64)]
        for apart in range(1, int(np.bincount(answer_N).max(initial=0))):
            same_N = answer_N[apart:] == answer_N[:-apart]
            pairs.append((fragment_N[:-apart] * self.num_fragments + fragment_N[apart:])[same_N])
        return np.concatenate(pairs)


def numbered(rows_NL: np.ndarray) -> np.ndarray:
    """Equal rows get equal numbers 0, 1, 2, ...: (N,) integers."""
    number_N = np.zeros(len(rows_NL), dtype=np.int64)
    for column_N in rows_NL.T:  # renumbered column by column, so that no product overflows
        number_N = number_N * (column_N.max(initial=0) + 1) + column_N
        number_N = np.unique(number_N, return_inverse=True)[1]
    return number_N


def components(num_nodes: int, left_E: np.ndarray, right_E: np.ndarray) -> np.ndarray:
    """The smallest node that each node is connected to by edges left-right: (num_nodes,)."""
    root = np.arange(num_nodes)
    while (differ_E := root[left_E] != root[right_E]).any():
        left_E, right_E = left_E[differ_E], right_E[differ_E]
        a_E, b_E = root[left_E], root[right_E]
        np.minimum.at(root, np.maximum(a_E, b_E), np.minimum(a_E, b_E))
        while (root[root] != root).any():
            root = root[root]
    return root


def examples_needed(task: Any, seed: int, level: int, share: float = 0.99) -> float:
    """Training examples with which this share of `test` is covered at this level: what a learner by substitution needs.

    Bisection of the logarithm of `data_size`, up to the task's `largest_size`; infinite where that is not enough. The
    task has `fragments` and these two fields, as `hops` has.
    """

    def enough(size: float) -> bool:
        splits = replace(task, data_size=round(size)).build(seed)
        if "test" not in splits:
            return False
        return bool((cutoffs(splits["train"], splits["test"], task.fragments, [level]) > 0).mean() >= share)

    high = 32.0
    while not enough(min(high, task.largest_size)):
        if high >= task.largest_size:
            return math.inf
        high *= 2
    low, high = high / 2, min(high, task.largest_size)
    for _ in range(BISECTIONS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
