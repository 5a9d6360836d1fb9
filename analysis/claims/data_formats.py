"""Lee et al. 2023, "Teaching Arithmetic to Small Transformers" (arXiv 2307.03381): how a sum is written decides.

Samples needed to learn addition, by format: plain > reverse > simplified scratchpad > detailed scratchpad. A format is
learnt at the number of samples at which the mean test accuracy passes 0.9, linear between the sizes of the study.
"""

import math

from analysis.claim import Claim, Runs
from analysis.statistics import crossing, means

PAPER = "Lee et al. 2023 (arXiv 2307.03381)"
STUDIES = ("data_formats", "data_formats_paper")
LEARNT = 0.9


def curve(runs: Runs, format: str) -> dict[float, float]:
    """Mean final test accuracy of a format by training examples."""
    chosen = [run for run in runs if run["point"]["task.format"] == format]
    return means(chosen, lambda run: run["data_size"], lambda run: run["final_test_accuracy"])


def samples(runs: Runs, format: str) -> float:
    """Training examples at which the format is learnt: infinite if never, the smallest size if there already."""
    rates = curve(runs, format)
    if not rates:
        return math.nan
    found = crossing(rates, LEARNT)
    return min(rates) if found == -math.inf else found


def fewer(first: str, second: str, runs: Runs) -> float:
    """Samples of the first format over those of the second; NaN if neither is learnt."""
    return samples(runs, first) / samples(runs, second)


def reverse_over_plain(runs: Runs) -> float:
    """Samples of reverse over plain."""
    return fewer("reverse", "plain", runs)


def simplified_over_reverse(runs: Runs) -> float:
    """Samples of simplified scratchpads over reverse."""
    return fewer("simplified", "reverse", runs)


def detailed_over_simplified(runs: Runs) -> float:
    """Samples of detailed over simplified scratchpads."""
    return fewer("detailed", "simplified", runs)


def samples_of_reverse(runs: Runs) -> float:
    """Samples of reverse."""
    return samples(runs, "reverse")


def accuracy_of_plain(runs: Runs) -> float:
    """Mean test accuracy of plain sums with 10,000 examples."""
    return curve(runs, "plain").get(10_000, math.nan)


SMALL = "For two cores sums of two digits, in a token for each digit and one for what stands between two."

CLAIMS = (
    Claim(
        name="reverse_before_plain",
        says="Answers that begin with their last digit are learnt from fewer samples than plain ones.",
        source=f"{PAPER}, section 4",
        published="reverse: a transition at about 2500 samples to 100%; plain: about 85% with 10,000",
        studies=STUDIES,
        statistic=reverse_over_plain,
        unit="samples to test accuracy 0.9, reverse over plain",
        below=1.0,
        note=SMALL,
    ),
    Claim(
        name="simplified_before_reverse",
        says="Simplified scratchpads are learnt from fewer samples than reversed answers.",
        source=f"{PAPER}, section 5",
        published="about 2000 samples against 2500",
        studies=STUDIES,
        statistic=simplified_over_reverse,
        unit="samples to test accuracy 0.9, simplified over reverse",
        below=1.0,
        note=f"{SMALL} A scratchpad counts as right if all of it is, not its answer alone.",
    ),
    Claim(
        name="detailed_before_simplified",
        says="Detailed scratchpads are learnt from fewer samples than simplified ones.",
        source=f"{PAPER}, section 5",
        published="about 1000 samples against 2000",
        studies=STUDIES,
        statistic=detailed_over_simplified,
        unit="samples to test accuracy 0.9, detailed over simplified",
        below=1.0,
        note=f"{SMALL} A scratchpad counts as right if all of it is, not its answer alone.",
    ),
    Claim(
        name="plain_stays_behind",
        says="Plain sums of three digits are not learnt in full from 10,000 samples.",
        source=f"{PAPER}, section 4",
        published="about 85% with 10,000 samples",
        studies=("data_formats_paper",),
        statistic=accuracy_of_plain,
        unit="test accuracy of plain sums with 10,000 samples",
        below=0.95,
    ),
    Claim(
        name="reverse_at_2500",
        says="Reversed sums of three digits are learnt from about 2500 samples.",
        source=f"{PAPER}, section 4",
        published="a transition at about 2500 samples",
        studies=("data_formats_paper",),
        statistic=samples_of_reverse,
        unit="samples to test accuracy 0.9",
        above=2000.0,
        below=3000.0,
    ),
)
