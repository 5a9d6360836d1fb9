"""The coverage principle (arXiv 2505.20278) with a chain of thought: a network that says the bridge before the answer.

Then each step is a table by itself, and what must be covered is less. Where the state after a step depends on more than
the bridge, saying the bridge is no remedy.
"""

import math

from analysis.claim import Claim, Runs
from analysis.claims.coverage_principle import PAPER, data_by_tokens, exponent
from analysis.statistics import mean, means

STUDIES = ("coverage_thoughts", "coverage_thoughts_paper")


def two_hops(runs: Runs, thoughts: str) -> Runs:
    """The runs of two hops with this chain of thought."""
    return [
        run
        for run in runs
        if run["point"]["task.chain_of_thought"] == thoughts and run["point"].get("task.structure") is None
    ]


def data_saved(runs: Runs) -> float:
    """Mean ln(data needed with the bridge / without), over numbers of tokens where both are seen."""
    without, with_bridge = (data_by_tokens(two_hops(runs, name)) for name in ("none", "bridges"))
    return mean([math.log(with_bridge[n] / without[n]) for n in without.keys() & with_bridge.keys()])


def exponent_saved(runs: Runs) -> float:
    """Exponent of the data needed with the bridge less that without."""
    return exponent(two_hops(runs, "bridges")) - exponent(two_hops(runs, "none"))


def non_tree_accuracy(runs: Runs) -> float:
    """Mean test accuracy of non-trees with the bridge and the most data."""
    non_trees = [run for run in runs if run["point"].get("task.structure") == "non_tree"]
    found = means(non_trees, lambda run: run["data_size"], lambda run: run["max_test_accuracy"])
    return found[max(found)] if found else math.nan


CLAIMS = (
    Claim(
        name="thoughts_save_data",
        says="With a chain of thought two hops are learned from less data.",
        source=f"{PAPER}, chain of thought",
        published="exponent 2.09 instead of 2.26: at 50 tokens about half of the data",
        studies=STUDIES,
        statistic=data_saved,
        unit="mean ln(data needed with the bridge / without)",
        below=0.0,
        note="With a chain of thought the bridge must be right as well as the answer.",
    ),
    Claim(
        name="thoughts_lower_the_exponent",
        says="With a chain of thought the data needed grows more slowly with the number of tokens.",
        source=f"{PAPER}, chain of thought",
        published="exponent 2.09 instead of 2.26",
        studies=STUDIES,
        statistic=exponent_saved,
        unit="exponent with the bridge less that without",
        below=0.0,
    ),
    Claim(
        name="non_tree_fails_with_thoughts",
        says="A chain of thought does not make networks generalize where a token reaches the answer on two ways.",
        source=f"{PAPER}, path ambiguity",
        published="fails with a chain of thought, too",
        studies=STUDIES,
        statistic=non_tree_accuracy,
        unit="test accuracy with the most data",
        below=0.5,
        note="For two cores most is 83% of the examples that there are, over 16 tokens.",
    ),
)
