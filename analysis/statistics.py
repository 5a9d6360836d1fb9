"""What the statistics of claims are made of: means of groups, rank correlation, where a rate reaches a level."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

Run = dict[str, Any]


def generalized(run: Run) -> bool:
    """True for a run that reaches test accuracy 0.95."""
    return run["test_step_95"] is not None


def steps_to_generalize(run: Run) -> float:
    """Steps to test accuracy 0.95; infinity for never."""
    return run["test_step_95"] if generalized(run) else math.inf


def on_random_labels(run: Run) -> bool:
    """True for a run that has nothing to learn but labels."""
    return run["point"].get("task.labels") == "random"


def grouped(runs: Sequence[Run], key: Callable[[Run], Any]) -> dict[Any, list[Run]]:
    """The runs by `key`, in the order of the keys; runs whose key is None are left out."""
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        if (value := key(run)) is not None:
            groups.setdefault(value, []).append(run)
    return dict(sorted(groups.items()))


def means(runs: Sequence[Run], key: Callable[[Run], Any], value: Callable[[Run], float | None]) -> dict[Any, float]:
    """The mean of `value` in each group of `key`; runs whose key or value is None are left out."""
    groups = grouped([run for run in runs if value(run) is not None], key)
    return {k: sum(float(value(run) or 0) for run in group) / len(group) for k, group in groups.items()}


def mean(values: Sequence[float]) -> float:
    """The mean of numbers, or the fraction of True among booleans; NaN for none."""
    return sum(values) / len(values) if values else math.nan


def judged_best(
    cells: Sequence[list[Run]],
    value: Callable[[list[Run]], float],
    best: Callable[..., list[list[Run]]] = max,
) -> float:
    """The largest `value` of a cell, or the smallest with `best=min`, where the cell is chosen on the even seeds and
    judged on the odd ones, and the other way round: the mean of both. The best of many on the same seeds would be a
    lucky one. NaN without cells that have both.
    """
    halves = [[[run for run in cell if run["seed"] % 2 == half] for half in (0, 1)] for cell in cells]
    both = [pair for pair in halves if all(pair)]
    if not both:
        return math.nan
    return mean([value(best(both, key=lambda pair: value(pair[half]))[1 - half]) for half in (0, 1)])


def rank_correlation(pairs: Mapping[Any, float]) -> float:
    """Spearman's correlation of keys and values; ties share their mean rank.

    NaN for fewer than three pairs, and for values that are all equal.
    """
    return spearman(list(pairs), list(pairs.values()))


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's correlation of two lists, as `rank_correlation` of pairs; here numbers may come back in both."""
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return math.nan
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def power(runs: Sequence[Run], key: Callable[[Run], Any], steps: Callable[[Run], float]) -> float:
    """The power of `key` with which steps grow: the slope of ln(median steps) in ln(key) over the groups of `key`.

    Steps may be infinite, for never. NaN below three keys, and where the median at some key is infinite.
    """
    medians = {k: statistics.median(map(steps, group)) for k, group in grouped(runs, key).items()}
    return math.nan if math.inf in medians.values() else log_slope(medians)


def log_slope(pairs: Mapping[Any, float]) -> float:
    """Slope of ln(value) against ln(key); NaN for fewer than three pairs."""
    if len(pairs) < 3:
        return math.nan
    return float(np.polyfit(np.log(list(pairs)), np.log(list(pairs.values())), 1)[0])


def crossing(rates: Mapping[Any, float], level: float = 0.5) -> float:
    """The smallest key at which the rate reaches `level`, linear between keys.

    Infinity where no rate reaches it. Minus infinity where the first one does: then the place is unknown.
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
    """How deep the values fall between higher ones: the maximum over i < j < k of min(v_i, v_k) - v_j.

    This is the depth of a double descent. It is 0 for values that only rise, only fall, or rise and then fall.
    """
    if not values:
        return math.nan
    numbers = np.asarray(values, dtype=float)
    before, after = np.maximum.accumulate(numbers), np.maximum.accumulate(numbers[::-1])[::-1]
    return float((np.minimum(before, after) - numbers).max())
