"""Huang et al. 2024 (arXiv 2402.15175): what has to be memorized postpones what could be generalized to larger models.

The size of emergence is the smallest number of weights at which half of the runs or more answer 95% of the held-out
additions. Where no size does, the largest that was tried stands for it, so a ratio over it is a lower bound.
"""

import math
import statistics

from analysis.claim import Claim, Runs
from analysis.statistics import grouped

PAPER = "Huang et al. 2024 (arXiv 2402.15175)"
STUDIES = ("emergence", "emergence_paper")


def length(run: dict) -> int:
    """Pairs that the run has to memorize."""
    return run["point"]["task.memorize"]


def with_list(runs: Runs, split: bool) -> Runs:
    """Runs that have something to memorize, with split MLPs or with whole ones."""
    return [run for run in runs if length(run) > 0 and run["point"].get("model.split_mlp", False) == split]


def emergence_size(runs: Runs) -> float:
    """Weights from which additions generalize; NaN without runs."""
    sizes = grouped(runs, lambda run: run["num_params"])
    shares = {size: statistics.mean(run["test_step_95"] is not None for run in group) for size, group in sizes.items()}
    return min((size for size, share in shares.items() if share >= 0.5), default=max(sizes, default=math.nan))


def postponed(runs: Runs) -> float:
    """How many times more weights additions need beside a list; NaN where they do not generalize alone."""
    alone = [run for run in runs if length(run) == 0]
    if not any(run["test_step_95"] for run in alone):
        return math.nan
    return emergence_size(with_list(runs, split=False)) / emergence_size(alone)


def brought_back(runs: Runs) -> float:
    """Weights that additions beside a list need with split MLPs, in parts of those with whole ones."""
    split, whole = with_list(runs, split=True), with_list(runs, split=False)
    if not any(run["test_step_95"] for run in split):
        return math.nan
    return emergence_size(split) / emergence_size(whole)


def longer_list(runs: Runs) -> float:
    """Size of emergence beside the longest list, in parts of that beside the shortest; NaN where there is none."""
    lists = list(grouped(with_list(runs, split=False), length).values())
    if not lists or not all(any(run["test_step_95"] for run in group) for group in lists):
        return math.nan
    return emergence_size(lists[-1]) / emergence_size(lists[0])


CLAIMS = (
    Claim(
        name="memorization_postpones_generalization",
        says="Beside a list to memorize, addition generalizes only in far larger models.",
        source=f"{PAPER}, multi-task emergence",
        published="about 1570 times the size (1 layer of width 64 to 8 of width 1024)",
        studies=STUDIES,
        statistic=postponed,
        unit="weights needed beside a list / weights needed alone",
        above=1.0,
        note="A lower bound where no size generalizes beside a list.",
    ),
    Claim(
        name="length_of_the_list_matters_little",
        says="How much is to be memorized matters little.",
        source=f"{PAPER}, multi-task emergence",
        published="in words, for 3000 to 6000 pairs",
        studies=STUDIES,
        statistic=longer_list,
        unit="weights needed beside the longest list / beside the shortest",
        above=0.5,
        below=2.0,
    ),
    Claim(
        name="split_mlp_brings_it_back",
        says="With an MLP of which each kind of example has a half, generalization comes at much smaller models.",
        source=f"{PAPER}, appendix B",
        published="much earlier, in words",
        studies=STUDIES,
        statistic=brought_back,
        unit="weights needed with split MLPs / with whole ones",
        below=1.0,
        note="One layer of widths 8 to 64 modulo 19, 1,000 steps (2,500 at width 32), does not reach it.",
    ),
)
