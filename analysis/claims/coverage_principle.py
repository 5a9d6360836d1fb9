"""The coverage principle (arXiv 2505.20278): what a network composes is what substitution of like fragments reaches.

Compositions of random tables are learned from composed examples alone. The paper says how much data that takes, which
examples are answered (trainables/coverage.py computes it without a network), and where it does not work.
"""

import math

import numpy as np

from analysis.claim import Claim, Runs
from analysis.statistics import crossing, grouped, mean, means, rank_correlation

PAPER = "Chang et al. 2025 (arXiv 2505.20278)"
STUDIES = ("coverage", "coverage_paper")
STRUCTURES = ("coverage_structures", "coverage_structures_paper")
LEVEL = 0.8
"""Test accuracy at which data is enough. The paper takes 0.99, with training until it is reached."""
LEARNED = 0.1
"""A run has learned to compose in part if it answers so many more test examples than examples with an unseen part."""
LEVELS = (0, 1, 2, 3, 5)
CUTOFFS = f"""
    select
        run_id,
        {", ".join(f"max(value) filter (where split = 'cutoff_{k}') as cutoff_{k}" for k in LEVELS)},
    from (
        select run_id, split, arg_max(value, step) as value
        from metrics where metric = 'accuracy' and starts_with(split, 'cutoff_') group by run_id, split
    )
    group by run_id"""
"""Accuracy at the end on the test examples of each k-cutoff."""
CLUSTERS = """
    select run_id, max(value) filter (where metric = 'iicg_bridge') as by_bridge
    from (
        select run_id, layer, metric, arg_max(value, step) as value
        from probes where probe = 'iicg' and position = 'x2' and layer > 0 group by run_id, layer, metric
    )
    group by run_id"""
"""The largest gap of any layer at x2, where a network can know the bridge first."""


def data_needed(runs: Runs) -> float:
    """Data size at which the mean test accuracy of these runs comes up to LEVEL; infinite where that is not seen."""
    rates = means(runs, lambda run: math.log(run["data_size"]), lambda run: run["max_test_accuracy"])
    return math.exp(crossing(rates, LEVEL))


def data_by_tokens(runs: Runs) -> dict[int, float]:
    """Data needed by number of tokens; numbers of tokens at which it is not seen are left out."""
    needed = {n: data_needed(group) for n, group in grouped(runs, lambda run: run["point"]["task.n"]).items()}
    return {n: size for n, size in needed.items() if 0 < size < math.inf}


def exponent(runs: Runs) -> float:
    """Slope of the logarithm of the data needed against that of the number of tokens; NaN for fewer than three."""
    found = data_by_tokens(runs)
    if len(found) < 3:
        return math.nan
    return float(np.polyfit(np.log(list(found)), np.log(list(found.values())), 1)[0])


def cutoff_correlation(runs: Runs) -> float:
    """Mean rank correlation of k-cutoff and accuracy, over runs that have learned in part and have three cutoffs."""
    found = []
    for run in runs:
        if run["final_test_accuracy"] < run["final_ood_accuracy"] + LEARNED:
            continue
        accuracy = {k: run[f"cutoff_{k}"] for k in LEVELS if run[f"cutoff_{k}"] is not None}
        if math.isfinite(correlation := rank_correlation(accuracy)):
            found.append(correlation)
    return mean(found)


def uncovered_gain(runs: Runs) -> float:
    """Mean accuracy on uncovered examples less that on examples with an unseen part, over runs that have both."""
    found = [run["cutoff_0"] - run["final_ood_accuracy"] for run in runs if run["cutoff_0"] is not None]
    return mean(found)


def structure(name: str, runs: Runs) -> Runs:
    """The runs of this structure."""
    return [run for run in runs if run["point"]["task.structure"] == name]


def more_for_parallel(runs: Runs) -> float:
    """Ratio of the data that two parallel hops need to what two hops need."""
    two, parallel = (data_needed(structure(name, runs)) for name in ("two_hop", "parallel_two_hop"))
    return parallel / two if two not in (0, math.inf) and parallel > 0 else math.nan


def non_tree_accuracy(runs: Runs) -> float:
    """Mean test accuracy of non-trees with the most data with which two hops were tried."""
    most = max((run["data_size"] for run in structure("two_hop", runs)), default=0)
    found = means(structure("non_tree", runs), lambda run: run["data_size"], lambda run: run["max_test_accuracy"])
    return found.get(most, math.nan)


def clusters_with_data(runs: Runs) -> float:
    """Rank correlation of data size and the gap by bridge in two hops."""
    return rank_correlation(
        means(structure("two_hop", runs), lambda run: run["data_size"], lambda run: run["by_bridge"])
    )


def cluster_gap(runs: Runs) -> float:
    """Gap by bridge of two hops less that of non-trees, means over the runs with most data."""
    found = [
        means(structure(name, runs), lambda run: run["data_size"], lambda run: run["by_bridge"])
        for name in ("two_hop", "non_tree")
    ]
    return found[0][max(found[0])] - found[1][max(found[1])] if all(found) else math.nan


CLAIMS = (
    Claim(
        name="data_grows_with_tokens",
        says="The data that two hops need grows with the number of tokens n faster than n^2 and slower than n^2.5.",
        source=f"{PAPER}, theorem and two-hop experiments",
        published="exponent 2.26 (2.13 to 2.28 by model size); n^2.5 is always enough, n^2 is not",
        studies=STUDIES,
        statistic=exponent,
        unit="exponent of the data needed",
        above=2.0,
        below=2.5,
        note=f"Enough is test accuracy {LEVEL} here, 0.99 in the paper; n is 12 to 20 instead of 50 to 200.",
    ),
    Claim(
        name="coverage_predicts_success",
        says="The more evidence covers an example, the more likely it is answered.",
        source=f"{PAPER}, accuracy by k-cutoff",
        published="examples with a low k-cutoff lag behind those with a high one for 50,000 epochs",
        studies=STUDIES,
        statistic=cutoff_correlation,
        unit="mean rank correlation of k-cutoff and accuracy within a run",
        columns=CUTOFFS,
        above=0.5,
        note=f"Over runs whose test accuracy is {LEARNED} above that on examples that nobody can know.",
    ),
    Claim(
        name="uncovered_at_chance",
        says="Examples that the training set does not cover stay at chance.",
        source=f"{PAPER}, accuracy by k-cutoff",
        published="k-cutoff 0 stays at 1/50, which is chance",
        studies=STUDIES,
        statistic=uncovered_gain,
        unit="accuracy on uncovered examples less that on examples with an unseen part",
        columns=CUTOFFS,
        below=0.1,
        note="With few tokens the last one alone tells more than chance; examples with an unseen part measure that.",
    ),
    Claim(
        name="parallel_hops_need_more",
        says="Two parallel hops, of four tokens, need more data than two hops of three.",
        source=f"{PAPER}, exponents by structure",
        published="exponent 2.43 for two parallel hops, 2.26 for two hops, 2.58 for three",
        studies=STRUCTURES,
        statistic=more_for_parallel,
        unit="data needed for parallel hops / for two hops",
        above=1.0,
    ),
    Claim(
        name="non_tree_fails",
        says="Where a token reaches the answer on two ways, networks do not generalize even with most of the data.",
        source=f"{PAPER}, path ambiguity",
        published="fails with 50,000 of 61,250 possible examples, and at 1.5 billion parameters",
        studies=STRUCTURES,
        statistic=non_tree_accuracy,
        unit="test accuracy with the most data",
        below=0.5,
    ),
    Claim(
        name="clusters_come_with_data",
        says="Fragments with one bridge come to share one state as data covers them.",
        source=f"{PAPER}, intra-inter cosine gap",
        published="the gap by bridge is high where coverage is",
        studies=STRUCTURES,
        statistic=clusters_with_data,
        unit="rank correlation of data size and gap",
        columns=CLUSTERS,
        above=0.0,
    ),
    Claim(
        name="no_clusters_in_non_trees",
        says="In non-trees no state is that of the bridge alone.",
        source=f"{PAPER}, intra-inter cosine gap",
        published="gap by bridge about 0 in non-trees, high by bridge and x2 together",
        studies=STRUCTURES,
        statistic=cluster_gap,
        unit="gap by bridge in two hops less that in non-trees",
        columns=CLUSTERS,
        above=0.0,
    ),
)
