"""Li2 (Tian 2025, arXiv 2509.21519), Theorem 8: with Muon the hidden units of a network take different features.

So about as many units as features are enough. With other optimizers each unit takes a random feature, and it takes more
of them until every feature is taken. In a network that has units to spare, fewer are then in use with Muon.
"""

import math

from analysis.claim import DIFFERENCE, RATIO, Claim, Runs
from analysis.claims.feature_emergence import PAPER
from analysis.claims.sparse_parity import LIVE_UNITS
from analysis.statistics import crossing, generalized, grouped, mean, means

STUDIES = ("feature_emergence_muon",)


def of(runs: Runs, optimizer: str) -> Runs:
    """The runs with this optimizer."""
    return [run for run in runs if run["optimizer"] == optimizer]


def width_gain(runs: Runs) -> float:
    """Width at which half of the runs generalize, of AdamW divided by that of Muon; log-linear between widths.
    0 where Muon never generalizes."""
    if not of(runs, "adamw") or not of(runs, "muon"):
        return math.nan
    adamw, muon = (
        crossing(means(of(runs, name), lambda run: math.log(run["width"]), generalized)) for name in ("adamw", "muon")
    )
    return math.exp(adamw - muon)  # NaN where both never do, or both with the smallest width


def spared(runs: Runs) -> float:
    """Mean share of live units at the largest width in runs that generalize, with AdamW minus with Muon."""
    widest = list(grouped(runs, lambda run: run["width"]).values())[-1:]
    adamw, muon = (
        mean([run["live_units"] for group in widest for run in of(group, name) if generalized(run)])
        for name in ("adamw", "muon")
    )
    return adamw - muon


CLAIMS = (
    Claim(
        name="muon_needs_fewer_units",
        says="Muon needs fewer hidden units than Adam to learn all features.",
        source=f"{PAPER}, Theorem 8",
        published="about as many units as features, where random draws need a log factor more",
        studies=STUDIES,
        statistic=width_gain,
        unit="hidden units needed with AdamW / with Muon",
        within=RATIO,
        above=1.0,
        note="With the learning rates of the study; the paper compares optimizers in theory and in one figure. A test "
        "accuracy of 0.95 takes only a few of the features, so that both find enough of them.",
    ),
    Claim(
        name="muon_uses_fewer_units",
        says="Where there are units to spare, fewer of them are in use with Muon.",
        source=f"{PAPER}, Theorem 8",
        published="in words: units take different features, in place of random ones",
        studies=STUDIES,
        statistic=spared,
        unit="share of live hidden units at the largest width, AdamW minus Muon",
        within=DIFFERENCE,
        columns=LIVE_UNITS,
        above=0.1,
        note="A unit is live whose weights in and out have a product of norms above a tenth of the largest.",
    ),
)
