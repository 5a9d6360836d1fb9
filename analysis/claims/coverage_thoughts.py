"""The coverage principle (arXiv 2505.20278) with a chain of thought: networks say the bridge before the answer.

Each step is then a table of its own, and less has to be covered. Where the state after a step depends on more than the
bridge, saying the bridge does not help.
"""

import math

from analysis.claim import DIFFERENCE, Claim, Runs
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
    """Mean ln(data needed with the bridge / without), over the numbers of tokens where both are known."""
    without, with_bridge = (data_by_tokens(two_hops(runs, name)) for name in ("none", "bridges"))
    return mean([math.log(with_bridge[n] / without[n]) for n in without.keys() & with_bridge.keys()])


def exponent_saved(runs: Runs) -> float:
    """Exponent of the data needed with the bridge minus that without."""
    return exponent(two_hops(runs, "bridges")) - exponent(two_hops(runs, "none"))


def non_tree_behind(runs: Runs) -> float:
    """Mean test accuracy of non-trees with the bridge minus that of two hops over as many tokens: non-trees with their
    most data, two hops with the most that is no more than that."""
    trained = [run for run in runs if run["max_test_accuracy"] is not None]
    non_trees = [run for run in trained if run["point"].get("task.structure") == "non_tree"]
    if not non_trees:
        return math.nan
    largest, tokens = max((run["data_size"], run["point"]["task.n"]) for run in non_trees)
    trees = [run for run in two_hops(trained, "bridges") if run["point"]["task.n"] == tokens]
    sizes = means(trees, lambda run: run["data_size"], lambda run: run["max_test_accuracy"])
    known = [size for size in sizes if size <= largest]
    of_non_trees = mean([run["max_test_accuracy"] for run in non_trees if run["data_size"] == largest])
    return of_non_trees - sizes[max(known)] if known else math.nan


CLAIMS = (
    Claim(
        name="thoughts_save_data",
        says="With a chain of thought, two hops are learned from less data.",
        source=f"{PAPER}, chain of thought",
        published="exponent 2.09 instead of 2.26: at 50 tokens about half of the data",
        studies=STUDIES,
        statistic=data_saved,
        unit="mean ln(data needed with the bridge / without)",
        below=0.0,
        note="With a chain of thought, an example counts as right only if both bridge and answer are.",
    ),
    Claim(
        name="thoughts_lower_the_exponent",
        says="With a chain of thought, the data needed grows more slowly with the number of tokens.",
        source=f"{PAPER}, chain of thought",
        published="exponent 2.09 instead of 2.26",
        studies=STUDIES,
        statistic=exponent_saved,
        unit="exponent with the bridge minus that without",
        below=0.0,
    ),
    Claim(
        name="non_tree_stays_behind_with_thoughts",
        says="With a chain of thought, too, networks generalize worse where a token reaches the answer by two paths.",
        source=f"{PAPER}, path ambiguity",
        published="also fails with a chain of thought",
        studies=STUDIES,
        statistic=non_tree_behind,
        unit="test accuracy of non-trees minus that of two hops, with as much data",
        within=DIFFERENCE,
        below=-0.1,
        note="With 83% of all examples over 16 tokens, every bridge of the test was trained on with its x2 and x3, and "
        "a table of these is enough. The paper's second version says that thoughts do not resolve the ambiguity.",
    ),
)
