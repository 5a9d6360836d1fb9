"""Huang et al. 2024 (arXiv 2402.15175), section 4: double descent in the width as a path across the phases.

With less data than at the crossing of capacity and critical size, a growing model progresses, then memorizes, then
groks: accuracy rises, falls and rises again. With more data there is no width at which it only memorizes.
"""

import math

from analysis.claim import RATIO, Claim, Runs
from analysis.claims.circuits_competition import capacities
from analysis.statistics import crossing, dip, grouped, means

PAPER = "Huang et al. 2024 (arXiv 2402.15175)"
STUDIES = ("double_descent", "double_descent_paper")
TWINS = ("double_descent_twin",)
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


def twin_needs_more(runs: Runs) -> float:
    """Data size from which the mean test accuracy is a half, of (a + b)^2 over that of a + b; NaN where a + b has none
    within the study's sizes, infinity where the twin never gets there, 0 where it is there with the least."""
    of_size = {
        operation: means(group, lambda run: run["data_size"], lambda run: run["final_test_accuracy"])
        for operation, group in grouped(runs, lambda run: run["point"].get("task.operation")).items()
    }
    ours, twin = (crossing(of_size.get(operation, {})) for operation in (ADD, TWIN))
    return max(twin, 0.0) / ours if math.isfinite(ours) else math.nan


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
        name="twin_needs_more_data",
        says="(a + b)^2, which is as hard to memorize as a + b, needs more data before it generalizes.",
        source=f"{PAPER}, section 4 and Figure 7",
        published="at 3000 examples, accuracy 0 at width 24, where a + b dips a little",
        studies=TWINS,
        statistic=twin_needs_more,
        unit="data size at test accuracy 0.5, (a + b)^2 / a + b",
        within=RATIO,
        above=1.0,
        note="Of quadratic networks, as in `double_descent`, the twin is the easier one: units square their input. So "
        "this study trains one-layer transformers.",
    ),
)
