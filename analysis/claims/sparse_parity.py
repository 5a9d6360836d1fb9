"""Barak et al. 2022 (arXiv 2207.08799) and Merrill et al. 2023 (arXiv 2303.11873) on sparse parities.

How many steps it takes to find the k bits of n that decide a parity is a power of n that grows with k; the abstract of
Barak et al. does not say which, and k - 1 is the law of a later paper for examples. With few examples a dense network
memorizes first, and grokking is a sparse one's taking over.
"""

import math
import statistics

from analysis.claim import RATIO, SHARE, Claim, Runs
from analysis.statistics import generalized, mean, power, steps_to_generalize

BARAK = "Barak et al. 2022 (arXiv 2207.08799)"
MERRILL = "Merrill et al. 2023 (arXiv 2303.11873)"
STUDIES = ("sparse_parity", "sparse_parity_paper")
LIVE_UNITS = """
    select run_id, arg_max(value, step) as live_units
    from metrics where split = 'model' and metric = 'live_units' group by run_id"""


def memorizing(runs: Runs, labels: str) -> Runs:
    """The runs with few examples, whose labels are `true` or `random`."""
    few = [run for run in runs if "task.data_size" in run["point"]]
    return [run for run in few if run["point"].get("task.labels", "true") == labels]


def exponent(runs: Runs, k: int) -> float:
    """The power of n with which median steps to generalize grow, with `k` relevant bits; NaN as in `power`."""
    fresh = [run for run in runs if "task.data_size" not in run["point"] and run["point"].get("task.k") == k]
    return power(fresh, lambda run: run["point"]["task.n"], steps_to_generalize)


def of_two(runs: Runs) -> float:
    """The exponent of n where two bits count."""
    return exponent(runs, 2)


def of_three(runs: Runs) -> float:
    """The exponent of n where three bits count."""
    return exponent(runs, 3)


def rise(runs: Runs) -> float:
    """By how much the exponent is larger with a third relevant bit."""
    return of_three(runs) - of_two(runs)


def delay(runs: Runs) -> float:
    """Median of steps to generalize over steps to fit, of the runs with few examples; NaN where most do not."""
    fitted = [run for run in memorizing(runs, "true") if run["train_step_95"] is not None]
    ratio = statistics.median(steps_to_generalize(run) / run["train_step_95"] for run in fitted) if fitted else math.nan
    return ratio if math.isfinite(ratio) else math.nan  # who only memorizes does not generalize late


def live_after_grokking(runs: Runs) -> float:
    """Mean share of live units at the end of the runs with few examples that have generalized."""
    known = [run for run in memorizing(runs, "true") if run["live_units"] is not None]
    return mean([run["live_units"] for run in known if generalized(run)])


def dense_without_rule(runs: Runs) -> float:
    """Mean share of live units of networks that memorize random labels, over that of networks that have generalized."""
    memorized = [run for run in memorizing(runs, "random") if run["live_units"] is not None]
    sparse, dense = live_after_grokking(runs), mean([run["live_units"] for run in memorized if run["train_step_95"]])
    return dense / sparse if sparse > 0 else math.nan


CLAIMS = (
    Claim(
        name="two_bits",
        says="To find 2 bits of n takes a number of steps that grows like n.",
        source=f"{BARAK}, abstract",
        published="in words: about n^O(k) steps; n^(k-1) examples for sign SGD in Kou et al. 2024 (arXiv 2404.12376)",
        studies=STUDIES,
        statistic=of_two,
        unit="power of n, k = 2",
        above=0.7,
        below=1.3,
        note="Batches of 32. The law is of examples; steps are examples over a fixed size of the batch.",
    ),
    Claim(
        name="three_bits",
        says="To find 3 bits of n takes a number of steps that grows like n^2.",
        source=f"{BARAK}, abstract",
        published="in words: about n^O(k) steps; n^(k-1) examples for sign SGD in Kou et al. 2024 (arXiv 2404.12376)",
        studies=STUDIES,
        statistic=of_three,
        unit="power of n, k = 3",
        above=1.5,
        below=2.5,
        note="By our own reckoning the power is k - 1 where the noise of small batches limits, and less without noise. "
        "Ours has batches of 32.",
    ),
    Claim(
        name="more_bits_are_steeper",
        says="The more bits count, the larger is the power of n.",
        source=f"{BARAK}, abstract",
        published="in words: about n^O(k) steps; 1 by the law n^(k-1)",
        studies=STUDIES,
        statistic=rise,
        unit="power of n with k = 3 minus that with k = 2",
        above=0.0,
    ),
    Claim(
        name="generalizes_late",
        says="With few examples a network memorizes them long before it finds the bits.",
        source=f"{MERRILL}, section 1",
        published="in words: significantly later",
        studies=STUDIES,
        statistic=delay,
        unit="median of steps to generalize / to fit",
        within=RATIO,
        above=2.0,
    ),
    Claim(
        name="few_live_units",
        says="After grokking a sparse subnetwork answers.",
        source=f"{MERRILL}, abstract",
        published="in words: a small subset of neurons grows, the others decay",
        studies=STUDIES,
        statistic=live_after_grokking,
        unit="share of the hidden units that are live",
        within=SHARE,
        columns=LIVE_UNITS,
        below=0.1,
        note="A unit is live whose weights in and out have a product of norms above a tenth of the largest. The paper "
        "prunes units instead, as long as the predictions stay.",
    ),
    Claim(
        name="memorizing_is_dense",
        says="It is the rule that needs few units: networks that memorize use many, with the same weight decay.",
        source=f"{MERRILL}, abstract",
        published="in words: a dense subnetwork dominates before the transition",
        studies=STUDIES,
        statistic=dense_without_rule,
        unit="live units with random labels / after grokking",
        within=RATIO,
        columns=LIVE_UNITS,
        above=2.0,
    ),
)
