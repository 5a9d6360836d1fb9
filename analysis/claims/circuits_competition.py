"""Huang et al. 2024 (arXiv 2402.15175): circuits that memorize and circuits that generalize compete.

A model of a given size memorizes at most D_mem examples, and generalizes from D_crit examples on. The two curves cut
the plane of model size and data size into four zones: progression, ungrokking, semi-grokking and grokking.
"""

import math

from analysis.claim import CORRELATION, SHARE, Claim, Runs
from analysis.statistics import crossing, generalized, grouped, mean, means, on_random_labels, rank_correlation

PAPER = "Huang et al. 2024 (arXiv 2402.15175)"
STUDIES = ("circuits_competition", "circuits_competition_paper")
SEMI_GROKKING = 0.2
"""Data sizes within this fraction of the critical one are in no zone: there some runs generalize."""
ZONES = {
    "progression": ("progression",),
    "ungrokking": ("memorization",),
    "grokking": ("grokking", "comprehension"),
}
"""The zones, and the phases of `huang2024` that belong to each."""


def true_labels(runs: Runs) -> Runs:
    """The runs without random labels."""
    return [run for run in runs if not on_random_labels(run)]


def capacities(runs: Runs) -> dict[int, float]:
    """How many random labels a model fits, mean by width."""
    twins = [run for run in runs if on_random_labels(run)]
    return means(twins, lambda run: run["width"], lambda run: (run["final_train_accuracy"] or 0) * run["data_size"])


def critical_sizes(runs: Runs) -> dict[int, float]:
    """Data size at which half of the runs generalize, by width; left out where every size does better or worse.

    Of the runs that fitted their training set before test accuracy rose: one in progression has had no circuit that
    memorizes it, so there was no competition.
    """
    sizes, competing = {}, [run for run in true_labels(runs) if run["phase"] != "progression"]
    for width, group in grouped(competing, lambda run: run["width"]).items():
        size = crossing(means(group, lambda run: run["data_size"], generalized))
        if math.isfinite(size):
            sizes[width] = size
    return sizes


def capacity_rise(runs: Runs) -> float:
    """Rank correlation of width and capacity."""
    return rank_correlation(capacities(runs))


def critical_size_rise(runs: Runs) -> float:
    """Rank correlation of width and critical size."""
    return rank_correlation(critical_sizes(runs))


def in_their_zone(runs: Runs) -> float:
    """Fraction of the runs that show the dynamics of the zone of their width and data size."""
    capacity, critical = capacities(runs), critical_sizes(runs)
    right = []
    for run in true_labels(runs):
        if run["width"] not in capacity:
            continue
        size, most, enough = run["data_size"], capacity[run["width"]], critical.get(run["width"], math.inf)
        if size > most:
            zone = "progression"
        elif abs(size / enough - 1) < SEMI_GROKKING:
            continue
        else:
            zone = "ungrokking" if size < enough else "grokking"
        right.append(run["phase"] in ZONES[zone])
    return mean(right)


def norm_change_in_grokking(runs: Runs) -> float:
    """Mean of ln(norm at the end / norm when the training set was fitted), over runs that grok."""
    return _mean_log(runs, "grokking", "norm_at_train_step")


def norm_change_in_progression(runs: Runs) -> float:
    """Mean of ln(norm at the end / norm at the beginning), over runs that progress."""
    return _mean_log(runs, "progression", "initial_norm")


def _mean_log(runs: Runs, phase: str, since: str) -> float:
    pairs = [(run["final_norm"], run[since]) for run in true_labels(runs) if run["phase"] == phase]
    logs = [math.log(end / start) for end, start in pairs if end and start]
    return mean(logs)


PHASE = "select run_id, phase from phases where definition = 'huang2024'"

CLAIMS = (
    Claim(
        name="capacity_rises",
        says="Memorization capacity rises with the model's width.",
        source=f"{PAPER}, section 3 and Figure 4",
        published="rises over hidden sizes 4 to 100",
        studies=STUDIES,
        statistic=capacity_rise,
        unit="rank correlation of width and capacity",
        within=CORRELATION,
        above=0.8,
    ),
    Claim(
        name="critical_size_falls",
        says="The critical data size falls with the model's width.",
        source=f"{PAPER}, assumption 3.1 and Figure 3",
        published="about 4000 examples at hidden size 32, 3000 at 64",
        studies=STUDIES,
        statistic=critical_size_rise,
        unit="rank correlation of width and critical size",
        within=CORRELATION,
        columns=PHASE,
        below=-0.8,
        note="The study for two cores trains a quadratic network modulo 23, the paper a transformer modulo 113.",
    ),
    Claim(
        name="four_dynamics",
        says="Which dynamics a run shows follows from how its data size compares with capacity and critical size.",
        source=f"{PAPER}, Figures 1 and 2",
        published="every run shown; sizes within a fifth of the critical one (semi-grokking) are left out here",
        studies=STUDIES,
        statistic=in_their_zone,
        unit="fraction of the runs that are in their zone",
        within=SHARE,
        columns=PHASE,
        above=0.8,
    ),
    Claim(
        name="norm_falls_in_grokking",
        says="The weight norm falls while a network groks.",
        source=f"{PAPER}, section 3 and Figure 2",
        published="falls after the training set is fitted",
        studies=STUDIES,
        statistic=norm_change_in_grokking,
        unit="mean ln(final norm / norm at the fit)",
        columns=PHASE,
        below=0.0,
    ),
    Claim(
        name="norm_rises_in_progression",
        says="The weight norm rises in progression.",
        source=f"{PAPER}, section 3 and Figure 2",
        published="rises throughout",
        studies=STUDIES,
        statistic=norm_change_in_progression,
        unit="mean ln(final norm / initial norm)",
        columns=PHASE,
        above=0.0,
    ),
)
