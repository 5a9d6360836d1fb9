"""Huang et al. 2024 (arXiv 2402.15175): with a list to memorize as well, addition generalizes only in larger models.

The size of emergence is the smallest number of weights at which at least half of the runs answer 95% of the held-out
additions. Where there is none, the largest size that was tried stands for it, so that `postponed` is a lower bound.
"""

import math
import statistics

from analysis.claim import RATIO, Claim, Runs
from analysis.statistics import generalized, grouped

PAPER = "Huang et al. 2024 (arXiv 2402.15175)"
STUDIES = ("emergence", "emergence_paper")


def length(run: dict) -> int:
    """Pairs that the run has to memorize."""
    return run["point"]["task.memorize"]


def with_list(runs: Runs, split: bool) -> Runs:
    """The runs with a list to memorize, with split MLPs or with whole ones."""
    return [run for run in runs if length(run) > 0 and run["point"].get("model.split_mlp", False) == split]


def emergence_size(runs: Runs) -> float:
    """The number of weights from which on additions generalize; NaN without runs."""
    sizes = grouped(runs, lambda run: run["num_params"])
    shares = {size: statistics.mean(generalized(run) for run in group) for size, group in sizes.items()}
    return min((size for size, share in shares.items() if share >= 0.5), default=max(sizes, default=math.nan))


def postponed(runs: Runs) -> float:
    """Weights that additions need with a list divided by those that they need without one.

    NaN where they do not generalize without one.
    """
    alone = [run for run in runs if length(run) == 0]
    if not any(generalized(run) for run in alone):
        return math.nan
    return emergence_size(with_list(runs, split=False)) / emergence_size(alone)


def brought_back(runs: Runs) -> float:
    """With a list: weights that additions need with split MLPs, divided by those with whole ones."""
    split, whole = with_list(runs, split=True), with_list(runs, split=False)
    if not any(generalized(run) for run in split):
        return math.nan
    return emergence_size(split) / emergence_size(whole)


def longer_list(runs: Runs) -> float:
    """Size of emergence with the longest list divided by that with the shortest; NaN where either is unknown."""
    lists = list(grouped(with_list(runs, split=False), length).values())
    if not lists or not all(any(generalized(run) for run in group) for group in lists):
        return math.nan
    return emergence_size(lists[-1]) / emergence_size(lists[0])


CLAIMS = (
    Claim(
        name="memorization_postpones_generalization",
        says="With a list to memorize as well, addition generalizes only in far larger models.",
        source=f"{PAPER}, multi-task emergence",
        published="about 1570 times the size (1 layer of width 64 to 8 of width 1024)",
        studies=STUDIES,
        statistic=postponed,
        unit="weights needed with a list / weights needed without one",
        within=RATIO,
        above=1.0,
        note="A lower bound where no size generalizes with a list.",
    ),
    Claim(
        name="length_of_the_list_matters_little",
        says="The length of the list matters little.",
        source=f"{PAPER}, multi-task emergence",
        published="in words, for 3000 to 6000 pairs",
        studies=STUDIES,
        statistic=longer_list,
        unit="weights needed with the longest list / with the shortest",
        within=RATIO,
        above=0.5,
        below=2.0,
    ),
    Claim(
        name="split_mlp_brings_it_back",
        says="If each kind of example has its own half of the MLP, addition generalizes in much smaller models.",
        source=f"{PAPER}, appendix B",
        published="much earlier, in words",
        studies=STUDIES,
        statistic=brought_back,
        unit="weights needed with split MLPs / with whole ones",
        within=RATIO,
        below=1.0,
        note="One layer of widths 8 to 64 modulo 19 does not reach it in 1,000 steps (2,500 at width 32).",
    ),
)
