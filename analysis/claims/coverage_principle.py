"""The coverage principle (arXiv 2505.20278): networks compose what they can reach by substituting equivalent fragments.

Networks learn compositions of random tables from composed examples alone. The paper says how much data this takes,
which examples are answered (trainables/coverage.py computes this without a network), and where it fails.
"""

import math

from analysis.claim import CORRELATION, DIFFERENCE, RATIO, SHARE, Claim, Runs
from analysis.statistics import crossing, grouped, log_slope, mean, means, rank_correlation

PAPER = "Chang et al. 2025 (arXiv 2505.20278)"
STUDIES = ("coverage", "coverage_paper")
STRUCTURES = ("coverage_structures", "coverage_structures_paper")
LEVEL = 0.8
"""Data is enough at this test accuracy. The paper uses 0.99, and trains until it is reached."""
LEARNED = 0.1
"""A run has partly learned to compose if its test accuracy is this far above its accuracy on examples with an unseen
part."""
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
"""Final accuracy on the test examples of each k-cutoff."""
CLUSTERS = """
    select run_id, max(value) filter (where metric = 'iicg_bridge') as by_bridge
    from (
        select run_id, layer, metric, arg_max(value, step) as value
        from probes where probe = 'iicg' and position = 'x2' and layer > 0 group by run_id, layer, metric
    )
    group by run_id"""
"""The largest gap of any layer at x2, the first position at which a network can know the bridge."""


def data_needed(runs: Runs) -> float:
    """Data size at which the mean test accuracy of these runs reaches LEVEL.

    Infinity where no size reaches it, 0 where the smallest one does.
    """
    rates = means(runs, lambda run: math.log(run["data_size"]), lambda run: run["max_test_accuracy"])
    return math.exp(crossing(rates, LEVEL))


def data_by_tokens(runs: Runs) -> dict[int, float]:
    """Data needed by number of tokens; numbers of tokens at which it is unknown are left out."""
    needed = {n: data_needed(group) for n, group in grouped(runs, lambda run: run["point"]["task.n"]).items()}
    return {n: size for n, size in needed.items() if 0 < size < math.inf}


def exponent(runs: Runs) -> float:
    """Slope of ln(data needed) against ln(number of tokens); NaN for fewer than three numbers of tokens."""
    return log_slope(data_by_tokens(runs))


def cutoff_correlation(runs: Runs) -> float:
    """Mean rank correlation of k-cutoff and accuracy, over runs that partly compose and have three cutoffs."""
    found = []
    for run in runs:
        if run["final_ood_accuracy"] is None or run["final_test_accuracy"] < run["final_ood_accuracy"] + LEARNED:
            continue
        accuracy = {k: run[f"cutoff_{k}"] for k in LEVELS if run[f"cutoff_{k}"] is not None}
        if math.isfinite(correlation := rank_correlation(accuracy)):
            found.append(correlation)
    return mean(found)


def uncovered_gain(runs: Runs) -> float:
    """Mean accuracy on uncovered examples minus that on examples with an unseen part, over runs that have both."""
    found = [run["cutoff_0"] - run["final_ood_accuracy"] for run in runs if run["cutoff_0"] is not None]
    return mean(found)


def structure(name: str, runs: Runs) -> Runs:
    """The runs of this structure."""
    return [run for run in runs if run["point"]["task.structure"] == name]


def more_for_parallel(runs: Runs) -> float:
    """Data that two parallel hops need divided by data that two hops need."""
    two, parallel = (data_needed(structure(name, runs)) for name in ("two_hop", "parallel_two_hop"))
    return parallel / two if two not in (0, math.inf) and parallel > 0 else math.nan


def non_tree_accuracy(runs: Runs) -> float:
    """Mean test accuracy of non-trees at the largest data size of two hops."""
    most = max((run["data_size"] for run in structure("two_hop", runs)), default=0)
    found = means(structure("non_tree", runs), lambda run: run["data_size"], lambda run: run["max_test_accuracy"])
    return found.get(most, math.nan)


def clusters_with_data(runs: Runs) -> float:
    """Rank correlation of data size and the gap by bridge, in two hops."""
    return rank_correlation(
        means(structure("two_hop", runs), lambda run: run["data_size"], lambda run: run["by_bridge"])
    )


def cluster_gap(runs: Runs) -> float:
    """Mean gap by bridge of two hops minus that of non-trees, each at its largest data size."""
    found = [
        means(structure(name, runs), lambda run: run["data_size"], lambda run: run["by_bridge"])
        for name in ("two_hop", "non_tree")
    ]
    return found[0][max(found[0])] - found[1][max(found[1])] if all(found) else math.nan


CLAIMS = (
    Claim(
        name="data_grows_with_tokens",
        says="The data that two hops need grows with the number n of tokens, faster than n^2 and slower than n^2.5.",
        source=f"{PAPER}, theorem and two-hop experiments",
        published="exponent 2.26 (2.13 to 2.28 by model size); n^2.5 is always enough, n^2 is not",
        studies=STUDIES,
        statistic=exponent,
        unit="exponent of the data needed",
        above=2.0,
        below=2.5,
        note=f"Data is enough at test accuracy {LEVEL} here, at 0.99 in the paper; n is 12 to 20, in the paper 50 to "
        "200.",
    ),
    Claim(
        name="coverage_predicts_success",
        says="The more evidence covers an example, the more likely a network answers it.",
        source=f"{PAPER}, accuracy by k-cutoff",
        published="examples with a low k-cutoff lag behind those with a high one for 50,000 epochs",
        studies=STUDIES,
        statistic=cutoff_correlation,
        unit="mean rank correlation of k-cutoff and accuracy within a run",
        within=CORRELATION,
        columns=CUTOFFS,
        above=0.5,
        note=f"Only over runs whose test accuracy is at least {LEARNED} above that on examples with an unseen part.",
    ),
    Claim(
        name="uncovered_at_chance",
        says="Examples that the training set does not cover stay at chance.",
        source=f"{PAPER}, accuracy by k-cutoff",
        published="k-cutoff 0 stays at 1/50, which is chance",
        studies=STUDIES,
        statistic=uncovered_gain,
        unit="accuracy on uncovered examples minus that on examples with an unseen part",
        within=DIFFERENCE,
        columns=CUTOFFS,
        below=0.1,
        note="With few tokens, the last one alone gives more than chance; examples with an unseen part measure how "
        "much.",
    ),
    Claim(
        name="parallel_hops_need_more",
        says="Two parallel hops over four tokens need more data than two hops over three, but not n times as much.",
        source=f"{PAPER}, exponents by structure",
        published="exponent 2.43 for two parallel hops, 2.26 for two hops, 2.58 for three",
        studies=STRUCTURES,
        statistic=more_for_parallel,
        unit="data needed for parallel hops / for two hops",
        within=RATIO,
        above=1.0,
        below=4.0,
        note="There are n = 16 times as many examples, of which a table would need the same share. With the paper's "
        "exponents it is n^0.17, 1.6; the bar is the root of n, and tells from both tables and equal need.",
    ),
    Claim(
        name="non_tree_fails",
        says="Where a token reaches the answer by two paths, networks do not generalize even with most of the data.",
        source=f"{PAPER}, path ambiguity",
        published="fails with 50,000 of 61,250 possible examples, and at 1.5 billion parameters",
        studies=STRUCTURES,
        statistic=non_tree_accuracy,
        unit="test accuracy with the most data",
        within=SHARE,
        below=0.5,
    ),
    Claim(
        name="clusters_come_with_data",
        says="As more data covers them, fragments with the same bridge come to share one state.",
        source=f"{PAPER}, intra-inter cosine gap",
        published="the gap by bridge is high where coverage is high",
        studies=STRUCTURES,
        statistic=clusters_with_data,
        unit="rank correlation of data size and gap",
        within=CORRELATION,
        columns=CLUSTERS,
        above=0.8,
    ),
    Claim(
        name="no_clusters_in_non_trees",
        says="In non-trees no state represents the bridge alone.",
        source=f"{PAPER}, intra-inter cosine gap",
        published="gap by bridge about 0 in non-trees, high by bridge and x2 together",
        studies=STRUCTURES,
        statistic=cluster_gap,
        unit="gap by bridge in two hops minus that in non-trees",
        columns=CLUSTERS,
        above=0.0,
    ),
)
