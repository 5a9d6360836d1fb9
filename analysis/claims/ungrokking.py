"""Varma et al. 2023 (arXiv 2309.02390): networks grok because the circuit that generalizes is more efficient.

A network that generalizes, and then trains on D examples, stops generalizing where D is below a critical size
(ungrokking). By the paper's explanation that size does not depend on weight decay. The paper also finds that a network
needs more data to generalize from scratch.
"""

import math

from analysis.claim import DIFFERENCE, SHARE, Claim, Runs
from analysis.statistics import crossing, grouped, mean, means

PAPER = "Varma et al. 2023 (arXiv 2309.02390)"
STUDIES = ("ungrokking", "ungrokking_paper")
SETTLED = """
    select
        run_id,
        any_value(phase) as phase,
        max(test_accuracy) - min(test_accuracy) as still_moves,
    from curves join runs using (run_id) join phases using (run_id)
    where definition = 'huang2024' and step >= horizon / 2 group by run_id
"""
"""The phase of each run, and by how much its test accuracy changes in the second half of its steps."""
SETTLES = 0.05
"""A run has settled whose accuracy changes by less."""


def continued(runs: Runs) -> Runs:
    """The runs that train on all data first."""
    return [run for run in runs if run["point"]["full_data_steps"]]


def from_scratch(runs: Runs) -> Runs:
    """The runs that train on the same data from the beginning."""
    return [run for run in runs if not run["point"]["full_data_steps"]]


def final_accuracies(runs: Runs) -> dict[int, float]:
    """Mean test accuracy at the end by data size."""
    return means(runs, lambda run: run["data_size"], lambda run: run["final_test_accuracy"])


def critical_size(runs: Runs) -> float:
    """Data size at which the mean final test accuracy crosses one half; not finite where it does not."""
    return crossing(final_accuracies(runs)) if runs else math.nan


def lost(runs: Runs) -> float:
    """Final test accuracy at the largest data size minus that at the smallest, of continued runs."""
    accuracies = list(final_accuracies(continued(runs)).values())
    return accuracies[-1] - accuracies[0] if len(accuracies) > 1 else math.nan


def change_with_decay(runs: Runs) -> float:
    """ln(critical size at the largest decay / at the smallest), of continued runs."""
    by_decay = list(grouped(continued(runs), lambda run: run["weight_decay"]).values())
    return _log_ratio(by_decay[-1], by_decay[0]) if len(by_decay) > 1 else math.nan


def hysteresis(runs: Runs) -> float:
    """ln(critical size from scratch / critical size of continued runs)."""
    return _log_ratio(from_scratch(runs), continued(runs))


def semi_grokking(runs: Runs) -> float:
    """Fraction of runs from scratch that settle in semi-grokking, at the data sizes next to the critical one of their
    decay: mean over the decays that have one."""
    shares = []
    for of_decay in grouped(from_scratch(runs), lambda run: run["weight_decay"]).values():
        critical = critical_size(of_decay)
        sizes = sorted({run["data_size"] for run in of_decay})
        if math.isfinite(critical):
            near = {max(size for size in sizes if size <= critical), min(size for size in sizes if size >= critical)}
            shares.append(mean([settles_between(run) for run in of_decay if run["data_size"] in near]))
    return mean(shares)


def settles_between(run: dict) -> bool:
    """True for a run that ends in semi-grokking and has not moved for half of its steps."""
    return run["phase"] == "semi_grokking" and (run["still_moves"] or 0) < SETTLES


def _log_ratio(above: Runs, below: Runs) -> float:
    a, b = critical_size(above), critical_size(below)
    return math.log(a / b) if math.isfinite(a) and math.isfinite(b) else math.nan


CLAIMS = (
    Claim(
        name="generalization_is_lost",
        says="A network that generalizes stops doing so when training goes on with too little data.",
        source=f"{PAPER}, section 5 and Figure 7",
        published="test accuracy from about 1 to about 0 over 390 to 1494 examples of 12,769",
        studies=STUDIES,
        statistic=lost,
        unit="final test accuracy, most minus fewest examples",
        within=DIFFERENCE,
        above=0.5,
    ),
    Claim(
        name="independent_of_decay",
        says="The critical size of ungrokking does not depend on weight decay.",
        source=f"{PAPER}, section 5 and Figure 7",
        published="curves of different decays overlap",
        studies=STUDIES,
        statistic=change_with_decay,
        unit="ln(critical size at the largest decay / at the smallest)",
        above=-math.log(1.25),
        below=math.log(1.25),
        note="The paper gives no number for the overlap of its curves; here within a quarter counts as overlap.",
    ),
    Claim(
        name="hysteresis",
        says="A network needs more data to generalize from scratch than to keep generalizing.",
        source=f"{PAPER}, appendix A.2",
        published="about 2000 examples from scratch against 800 to 1000, a ln ratio of 0.7 to 0.9",
        studies=STUDIES,
        statistic=hysteresis,
        unit="ln(critical size from scratch / of continued runs)",
        above=0.2,
    ),
    Claim(
        name="semi_grokking_exists",
        says="Near the critical size some networks settle between memorization and generalization.",
        source=f"{PAPER}, section 5 and Figure 6",
        published="one run at 1532 examples: test accuracy 0.55 for ten million epochs",
        studies=STUDIES,
        statistic=semi_grokking,
        unit="fraction of the runs from scratch next to the critical size that no longer move, mean over decays",
        within=SHARE,
        columns=SETTLED,
        above=0.0,
    ),
)
