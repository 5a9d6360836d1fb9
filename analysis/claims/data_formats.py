"""Lee et al. 2023, "Teaching Arithmetic to Small Transformers" (arXiv 2307.03381): the format matters.

Samples needed to learn addition, by format: plain > reverse > simplified scratchpad > detailed scratchpad. A format is
learned at the number of samples at which mean test accuracy reaches 0.9, linear between the sizes of the study.
"""

import math

from analysis.claim import RATIO, SHARE, Claim, Runs
from analysis.statistics import crossing, means

PAPER = "Lee et al. 2023 (arXiv 2307.03381)"
STUDIES = ("data_formats", "data_formats_paper")
LEARNED = 0.9


def curve(runs: Runs, format: str) -> dict[float, float]:
    """Mean final test accuracy of a format, by number of training examples."""
    chosen = [run for run in runs if run["point"]["task.format"] == format]
    return means(chosen, lambda run: run["data_size"], lambda run: run["final_test_accuracy"])


def samples(runs: Runs, format: str) -> float:
    """Training examples at which the format is learned: infinity if never, the smallest size if already there."""
    rates = curve(runs, format)
    if not rates:
        return math.nan
    found = crossing(rates, LEARNED)
    return min(rates) if found == -math.inf else found


def fewer(first: str, second: str, runs: Runs) -> float:
    """Samples of the first format divided by those of the second; NaN if neither is learned."""
    return samples(runs, first) / samples(runs, second)


def reverse_over_plain(runs: Runs) -> float:
    """Samples of reversed answers divided by those of plain ones."""
    return fewer("reverse", "plain", runs)


def simplified_over_reverse(runs: Runs) -> float:
    """Samples of simplified scratchpads divided by those of reversed answers."""
    return fewer("simplified", "reverse", runs)


def detailed_over_simplified(runs: Runs) -> float:
    """Samples of detailed scratchpads divided by those of simplified ones."""
    return fewer("detailed", "simplified", runs)


def samples_of_reverse(runs: Runs) -> float:
    """Samples of reversed answers."""
    return samples(runs, "reverse")


def accuracy_of_plain(runs: Runs) -> float:
    """Mean test accuracy of plain sums with 10,000 examples."""
    return curve(runs, "plain").get(10_000, math.nan)


SMALL = "The study for two cores adds numbers of two digits; a digit is a token, and so is the text between two digits."

CLAIMS = (
    Claim(
        name="reverse_before_plain",
        says="Answers that begin with their last digit are learned from fewer samples than plain ones.",
        source=f"{PAPER}, section 4",
        published="reverse: a transition at about 2500 samples to 100%; plain: about 85% with 10,000",
        studies=STUDIES,
        statistic=reverse_over_plain,
        unit="samples to test accuracy 0.9, reverse / plain",
        within=RATIO,
        below=1.0,
        note=SMALL,
    ),
    Claim(
        name="simplified_before_reverse",
        says="Simplified scratchpads are learned from fewer samples than reversed answers.",
        source=f"{PAPER}, section 5",
        published="about 2000 samples against 2500",
        studies=STUDIES,
        statistic=simplified_over_reverse,
        unit="samples to test accuracy 0.9, simplified / reverse",
        within=RATIO,
        below=1.0,
        note=f"{SMALL} A scratchpad counts as right only if all of it is, not just its answer.",
    ),
    Claim(
        name="detailed_before_simplified",
        says="Detailed scratchpads are learned from fewer samples than simplified ones.",
        source=f"{PAPER}, section 5",
        published="about 1000 samples against 2000",
        studies=("data_formats_paper",),
        statistic=detailed_over_simplified,
        unit="samples to test accuracy 0.9, detailed / simplified",
        within=RATIO,
        below=1.0,
        note="A scratchpad counts as right only if all of it is, not just its answer.",
    ),
    Claim(
        name="plain_stays_behind",
        says="Plain sums of three digits are not learned in full from 10,000 samples.",
        source=f"{PAPER}, section 4",
        published="about 85% with 10,000 samples",
        studies=("data_formats_paper",),
        statistic=accuracy_of_plain,
        unit="test accuracy of plain sums with 10,000 samples",
        within=SHARE,
        below=0.95,
    ),
    Claim(
        name="reverse_at_2500",
        says="Reversed sums of three digits are learned from about 2500 samples.",
        source=f"{PAPER}, section 4",
        published="a transition at about 2500 samples",
        studies=("data_formats_paper",),
        statistic=samples_of_reverse,
        unit="samples to test accuracy 0.9",
        within=RATIO,
        above=2000.0,
        below=3000.0,
    ),
)
