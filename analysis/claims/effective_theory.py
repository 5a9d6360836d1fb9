"""Liu et al. 2022 (arXiv 2205.10343): four phases, of which only two learn representations.

A run's phase is that of the paper's table 1. Its limit of 1,000 steps between fitting and generalizing is a hundredth
of the paper's horizon, and here a hundredth of the run's.
"""

import math
import statistics

from analysis.claim import CORRELATION, Claim, Runs
from analysis.statistics import grouped, mean, rank_correlation

PAPER = "Liu et al. 2022 (arXiv 2205.10343)"
STUDIES = ("effective_theory", "effective_theory_paper")
ORDER = ("memorization", "grokking", "comprehension", "confusion")
"""Representations are learned in the middle two."""
LONGEST_DELAY = 0.01
"""The fraction of the horizon from fitting to generalizing below which a run is in comprehension."""


def phase(run: dict) -> str:
    """Table 1: whether the run fits and generalizes by its horizon, and how soon after each other."""
    train, test = run["train_step_90"], run["test_step_90"]
    if train is None:
        return "confusion"
    if test is None:
        return "memorization"
    return "comprehension" if test - train < LONGEST_DELAY * run["horizon"] else "grokking"


def num_phases(runs: Runs) -> float:
    """How many phases have a point where more than half of the runs are in them."""
    cells = grouped(runs, lambda run: (run["learning_rate"], run["weight_decay"])).values()
    shares = [{name: statistics.mean(phase(run) == name for run in cell) for name in ORDER} for cell in cells]
    return float(sum(any(share[name] > 0.5 for share in shares) for name in ORDER)) if shares else math.nan


def confusion_with_decay(runs: Runs) -> float:
    """Rank correlation of weight decay and the fraction of runs in confusion."""
    cells = grouped(runs, lambda run: run["weight_decay"])
    return rank_correlation(
        {decay: statistics.mean(phase(run) == "confusion" for run in cell) for decay, cell in cells.items()}
    )


def memorization_with_rate(runs: Runs) -> float:
    """Rank correlation of the decoder's learning rate and the fraction of memorization among the runs that fit."""
    cells = grouped([run for run in runs if phase(run) != "confusion"], lambda run: run["learning_rate"])
    return rank_correlation(
        {rate: statistics.mean(phase(run) == "memorization" for run in cell) for rate, cell in cells.items()}
    )


def place_of_grokking(runs: Runs) -> float:
    """Mean decay of grokking, on a scale from comprehension's (0) to that of what lies above (1), at the same rate.

    Above are memorization and confusion with more decay than any comprehension at this rate. The mean over rates that
    have all three; NaN where none has.
    """
    places = []
    for cell in grouped(runs, lambda run: run["learning_rate"]).values():
        found = {name: [run["weight_decay"] for run in of] for name, of in grouped(cell, phase).items()}
        if not found.keys() >= {"comprehension", "grokking"}:
            continue
        beside = [*found.get("memorization", []), *found.get("confusion", [])]
        above = [decay for decay in beside if decay > max(found["comprehension"])]
        if above:
            low, high = statistics.fmean(found["comprehension"]), statistics.fmean(above)
            places.append((statistics.fmean(found["grokking"]) - low) / (high - low))
    return mean(places)


def quality_of_generalizers(runs: Runs) -> float:
    """Mean final representation quality of runs in comprehension or grokking, minus that of all others."""
    between = [run["rqi"] for run in runs if phase(run) in ORDER[1:3] and run["rqi"] is not None]
    beside = [run["rqi"] for run in runs if phase(run) not in ORDER[1:3] and run["rqi"] is not None]
    return statistics.mean(between) - statistics.mean(beside) if between and beside else math.nan


CLAIMS = (
    Claim(
        name="four_phases",
        says="Comprehension, grokking, memorization and confusion all appear over the decoder's rate and decay.",
        source=f"{PAPER}, Figure 6 and table 1",
        published="4; of 176 cells 30 comprehension, 85 grokking, 50 memorization, 11 confusion (the authors' data)",
        studies=STUDIES,
        statistic=num_phases,
        unit="phases that most runs of some point are in",
        above=3.5,
    ),
    Claim(
        name="decay_ends_in_confusion",
        says="With ever more weight decay on the decoder, nothing is learned.",
        source=f"{PAPER}, Figure 6",
        published="in words: a fast and simple decoder is in the phase of confusion",
        studies=STUDIES,
        statistic=confusion_with_decay,
        unit="rank correlation of decay and the fraction of confusion",
        within=CORRELATION,
        above=0.8,
    ),
    Claim(
        name="fast_decoders_memorize",
        says="A decoder that learns fast compared with the representation memorizes.",
        source=f"{PAPER}, Figure 6",
        published="in words: a fast and capable decoder is in the phase of memorization",
        studies=STUDIES,
        statistic=memorization_with_rate,
        unit="rank correlation of the decoder's rate and the fraction of memorization",
        within=CORRELATION,
        above=0.8,
    ),
    Claim(
        name="grokking_between_comprehension_and_memorization",
        says="At one rate of the decoder, grokking lies between comprehension and, with more decay, memorization or "
        "confusion.",
        source=f"{PAPER}, Figure 6",
        published="in words; 0.52 and 0.58 in the authors' grids, by this statistic",
        studies=STUDIES,
        statistic=place_of_grokking,
        unit="mean decay of grokking, on a scale from comprehension (0) to what lies above it (1)",
        note="The authors' own grids have 0.52 and 0.58. Along the rate, which this claim measured before, they have "
        "-0.15, -1.29 and -0.09: it is along the decay that their maps read comprehension, grokking, memorization.",
        above=0.0,
        below=1.0,
    ),
    Claim(
        name="structure_between_memorization_and_confusion",
        says="Representations are learned only in comprehension and grokking, between memorization and confusion.",
        source=f"{PAPER}, abstract",
        published="in words: a Goldilocks zone",
        studies=STUDIES,
        statistic=quality_of_generalizers,
        unit="mean RQI of runs that generalize, minus that of the others",
        columns="select run_id, arg_max(value, step) as rqi from metrics where metric = 'rqi' group by run_id",
        above=0.0,
    ),
)
