"""What claims are made of: means over the runs of a group, rank correlation, where a rate crosses a level."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Run = dict[str, Any]


def grouped(runs: Sequence[Run], key: Callable[[Run], Any]) -> dict[Any, list[Run]]:
    """The runs by `key`, in the order of the keys; those for which it is None are left out."""
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        if (value := key(run)) is not None:
            groups.setdefault(value, []).append(run)
    return dict(sorted(groups.items()))


def means(runs: Sequence[Run], key: Callable[[Run], Any], value: Callable[[Run], float | None]) -> dict[Any, float]:
    """Mean of `value` in each group of `key`; runs without a value are left out."""
    groups = grouped([run for run in runs if value(run) is not None], key)
    return {k: sum(float(value(run) or 0) for run in group) / len(group) for k, group in groups.items()}


def mean(values: Sequence[float]) -> float:
    """Their mean, of yes and no the share of yes; NaN for none."""
    return sum(values) / len(values) if values else math.nan


def rank_correlation(pairs: Mapping[Any, float]) -> float:
    """Spearman's correlation of keys and values, ties with their mean rank; NaN for fewer than three or no spread."""
    if len(pairs) < 3:
        return math.nan
    x, y = ranks(list(pairs)), ranks(list(pairs.values()))
    spread = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / spread if spread else math.nan


def ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks less their mean; equal values share the mean of their ranks."""
    numbers = np.asarray(values, dtype=float)
    below = (numbers[None, :] < numbers[:, None]).sum(1)
    equal = (numbers[None, :] == numbers[:, None]).sum(1)
    rank = below + (equal - 1) / 2
    return rank - rank.mean()


def crossing(rates: Mapping[Any, float], level: float = 0.5) -> float:
    """The smallest key at which the rate has come up to `level`, linear between keys.

    Infinite where it never does, and minus infinity where it has from the first key on: then the place is not known.
    """
    before = None
    for key, rate in sorted(rates.items()):
        if rate >= level:
            if before is None:
                return -math.inf
            return before[0] + (key - before[0]) * (level - before[1]) / (rate - before[1])
        before = (key, rate)
    return math.inf


def dip(values: Sequence[float]) -> float:
    """How deep the values fall below what comes both before and after: max over i < j < k of min(v_i, v_k) - v_j.

    0 where they only rise, only fall, or rise and then fall: the depth of a double descent.
    """
    if not values:
        return math.nan
    numbers = np.asarray(values, dtype=float)
    before, after = np.maximum.accumulate(numbers), np.maximum.accumulate(numbers[::-1])[::-1]
    return float((np.minimum(before, after) - numbers).max())
