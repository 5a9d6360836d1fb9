"""Power et al. 2022 (arXiv 2201.02177), where grokking was first seen: operations, and steps by the share of data."""

import math
import statistics

import numpy as np

from analysis.claim import DIFFERENCE, RATIO, Claim, Runs
from analysis.statistics import generalized, grouped, mean, steps_to_generalize

PAPER = "Power et al. 2022 (arXiv 2201.02177)"
STUDIES = ("operations", "operations_paper")
HARD = "cubic_plus_b"
NEAREST = 4
"""Fractions of the table next to the smallest that generalizes, over which growth is measured."""


def gain_over_hard(runs: Runs) -> float:
    """Fraction of runs that generalize at the largest fraction of the table, mean over operations, minus that of
    a^3 + ab^2 + b."""
    most = max((run["train_fraction"] for run in runs), default=math.nan)
    largest = [run for run in runs if run["train_fraction"] == most]
    shares = {
        operation: mean([generalized(run) for run in group])
        for operation, group in grouped(largest, lambda run: run["point"].get("task.operation")).items()
    }
    hard = shares.pop(HARD, math.nan)
    return mean(list(shares.values())) - hard


def growth(runs: Runs) -> float:
    """Factor by which median steps to generalize grow with each percent of the table less: of the task that has most
    fractions, over the smallest of those at which most runs generalize. NaN where these are fewer than three."""
    by_task = grouped(runs, lambda run: run["point"].get("task.group") or run["point"].get("task.operation"))
    medians: dict[float, float] = {}
    for of_task in by_task.values():
        cells = grouped(of_task, lambda run: run["train_fraction"])
        steps = {fraction: statistics.median(map(steps_to_generalize, cell)) for fraction, cell in cells.items()}
        medians = max(medians, steps, key=len)
    nearest = [fraction for fraction, steps in medians.items() if 0 < steps < math.inf][:NEAREST]
    if len(nearest) < 3:
        return math.nan
    percent = [100 * fraction for fraction in nearest]
    return math.exp(-float(np.polyfit(percent, np.log([medians[fraction] for fraction in nearest]), 1)[0]))


CLAIMS = (
    Claim(
        name="one_operation_never",
        says="With any data, a^3 + ab^2 + b is not generalized, where other operations are.",
        source=PAPER,
        published="never within the steps, even with 95% of the pairs",
        studies=STUDIES,
        statistic=gain_over_hard,
        unit="fraction of runs that generalize, mean of the other operations minus this one, with the most data",
        within=DIFFERENCE,
        above=0.8,
    ),
    Claim(
        name="steps_grow_as_data_shrinks",
        says="Each percent of the table less takes 40 to 50% more steps.",
        source=f"{PAPER}, section 3.1.1",
        published="40 to 50% around 25 to 30% of the products of S5: a factor of 1.4 to 1.5",
        studies=STUDIES,
        statistic=growth,
        unit="growth of the median steps to test accuracy 0.95 per percent less, near the least data that generalizes",
        within=RATIO,
        above=1.2,
        below=1.75,
        note="The bar is half and one and a half of the published growth, on a logarithmic scale. One percent is five "
        "pairs in the study for two cores, and 144 in the paper.",
    ),
)
