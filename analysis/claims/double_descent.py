"""Huang et al. 2024 (arXiv 2402.15175), section 4: double descent in the width as a path across the phases.

With less data than at the crossing of capacity and critical size, a growing model progresses, then memorizes, then
groks: accuracy rises, falls and rises again. With more data there is no width at which it only memorizes.
"""

import math

from analysis.claim import Claim, Runs
from analysis.claims.circuits_competition import capacities
from analysis.statistics import crossing, dip, grouped, mean, means

PAPER = "Huang et al. 2024 (arXiv 2402.15175)"
STUDIES = ("double_descent", "double_descent_paper")
ADD, TWIN = "add", "square_of_sum"
DIPS = 0.1
"""A fall of the mean accuracy by this much counts as double descent."""


def depths(runs: Runs, operation: str) -> dict[int, float]:
    """How deep the mean final test accuracy falls between smaller and larger widths, by data size."""
    runs = [run for run in runs if run["point"].get("task.operation") == operation]
    return {
        size: dip([*means(group, lambda run: run["width"], lambda run: run["final_test_accuracy"]).values()])
        for size, group in grouped(runs, lambda run: run["data_size"]).items()
    }


def crossing_size(runs: Runs) -> float:
    """Data size at which capacity, measured on random labels, reaches the critical size of a + b.

    Linear between neighbouring widths. A width that never reaches test accuracy 0.5 is passed over: it needs more data
    than it can memorize.
    """
    capacity = capacities(runs)
    sums = [run for run in runs if run["point"].get("task.operation") == ADD]
    before = None
    for width, group in grouped(sums, lambda run: run["width"]).items():
        critical = crossing(means(group, lambda run: run["data_size"], lambda run: run["final_test_accuracy"]))
        if width not in capacity or not math.isfinite(critical):
            continue
        excess = capacity[width] - critical
        if excess >= 0:
            if before is None:
                return critical
            share = before[1] / (before[1] - excess)
            return before[0] + share * (critical - before[0])
        before = (critical, excess)
    return math.nan


def dip_below(runs: Runs) -> float:
    """The smallest depth over the data sizes below the crossing."""
    return min(_depths_where(runs, below=True), default=math.nan)


def dip_above(runs: Runs) -> float:
    """The largest depth over the data sizes above the crossing."""
    return max(_depths_where(runs, below=False), default=math.nan)


def twin_dips_more(runs: Runs) -> float:
    """Depth of (a + b)^2 minus that of a + b, mean over data sizes."""
    ours, twin = depths(runs, ADD), depths(runs, TWIN)
    both = [twin[size] - depth for size, depth in ours.items() if size in twin]
    return mean(both)


def _depths_where(runs: Runs, below: bool) -> list[float]:
    middle = crossing_size(runs)
    return [] if math.isnan(middle) else [d for size, d in depths(runs, ADD).items() if (size < middle) == below]


CLAIMS = (
    Claim(
        name="below_the_crossing",
        says="Below the crossing of capacity and critical size, accuracy falls and rises again with the width.",
        source=f"{PAPER}, section 4 and Figure 6",
        published="at 2600 of 12,769 examples, from progression down to about 0 at widths 24 to 40 and up again",
        studies=STUDIES,
        statistic=dip_below,
        unit="depth of the dip of mean accuracy, smallest over data sizes",
        above=DIPS,
        note="The paper gives no number for a dip of accuracy; here a dip of 0.1 in the mean over seeds counts.",
    ),
    Claim(
        name="above_the_crossing",
        says="With data above the crossing, accuracy only rises with the width.",
        source=f"{PAPER}, section 4 and Figure 6",
        published="no double descent at 4000 and 5000 examples",
        studies=STUDIES,
        statistic=dip_above,
        unit="depth of the dip of mean accuracy, largest over data sizes",
        below=DIPS,
    ),
    Claim(
        name="harder_twin_dips_more",
        says="Double descent is stronger for (a + b)^2, which is as hard to memorize and harder to generalize.",
        source=f"{PAPER}, section 4 and Figure 7",
        published="at 3000 examples, accuracy 0 at width 24, where a + b dips a little",
        studies=STUDIES,
        statistic=twin_dips_more,
        unit="depth of the dip, (a + b)^2 minus a + b, mean over data sizes",
        above=0.0,
        note="In the study for two cores (a + b)^2 is not harder: the hidden units of its network square their inputs.",
    ),
)
