"""What is said to speed grokking up, against AdamW at its own best learning rate and weight decay.

Each method has points of its own; its time is the smallest median over seeds of the step at which test accuracy reaches
0.95. A run that does not get there counts with the horizon, so a gain over a method that never groks is a lower bound.
"""

import math
import statistics
from collections.abc import Callable

from analysis.claim import Claim, Runs

LEE = "Lee et al. 2024 (arXiv 2405.20233)"
PRIETO = "Prieto et al. 2025 (arXiv 2501.04697)"
TVEIT = "Tveit et al. 2025 (arXiv 2504.16041)"
STUDIES = ("accelerators", "accelerators_paper")
GAIN = "steps of the best AdamW / steps of the best point of the method"
MUON_BAR = 1.22
"""Half of the published gain of Muon: the square root of 153.09 / 102.89."""


def method(run: dict) -> str:
    """The optimizer, or `stablemax` for AdamW on that loss."""
    return "stablemax" if run["point"].get("loss") == "stablemax" else run["optimizer"]


def points(runs: Runs, name: str, decay: float | None = None) -> list[Runs]:
    """The runs of a method, by point; with `decay`, those at this weight decay alone."""
    cells: dict[tuple, Runs] = {}
    for run in runs:
        if method(run) == name and decay in (None, run["weight_decay"]):
            cells.setdefault(tuple(run["point"].items()), []).append(run)
    return list(cells.values())


def steps(cells: list[Runs]) -> float:
    """Steps to test accuracy 0.95 at the best of the points; their horizon where no point gets there."""
    times = [statistics.median(run["test_step_95"] or run["horizon"] for run in cell) for cell in cells]
    return min(times, default=math.nan)


def gain(name: str) -> Callable[[Runs], float]:
    """How many times sooner a method groks than the tuned AdamW; NaN where AdamW never groks."""

    def ratio(runs: Runs) -> float:
        baseline = points(runs, "adamw")
        grokked = any(run["test_step_95"] for cell in baseline for run in cell)
        return steps(baseline) / steps(points(runs, name)) if grokked else math.nan

    return ratio


def gain_over_no_decay(runs: Runs) -> float:
    """How many times sooner Grokfast groks than AdamW without decay at its best rate."""
    return steps(points(runs, "adamw", decay=0)) / steps(points(runs, "grokfast"))


def grokked_without_decay(name: str) -> Callable[[Runs], float]:
    """Share of the seeds that a method groks without decay, at its best rate, less that of AdamW on cross-entropy."""

    def share(runs: Runs, of: str) -> float:
        cells = points(runs, of, decay=0)
        return max(
            (statistics.mean(run["test_step_95"] is not None for run in cell) for cell in cells), default=math.nan
        )

    return lambda runs: share(runs, name) - share(runs, "adamw")


CLAIMS = (
    Claim(
        name="grokfast_over_no_decay",
        says="Grokfast groks sooner than the same optimizer without weight decay.",
        source=f"{LEE}, Figure 1 and its repository's README",
        published="43.8 times (39,890 steps of Adam without decay, 910 of Grokfast-EMA with decay 0.005)",
        studies=STUDIES,
        statistic=gain_over_no_decay,
        unit="steps of AdamW without decay / steps of Grokfast",
        above=1.0,
        note="AdamW without decay counts with the horizon: the number is a lower bound.",
    ),
    Claim(
        name="grokfast_over_tuned_adamw",
        says="Grokfast groks sooner than an AdamW whose rate and decay are tuned.",
        question="Is Grokfast sooner than a tuned AdamW?",
        source=LEE,
        published="the paper compares with Adam without decay alone",
        studies=STUDIES,
        statistic=gain("grokfast"),
        unit=GAIN,
        above=1.0,
    ),
    Claim(
        name="tuned_adamw_over_grokfast",
        says="AdamW with decay groks where Grokfast does not.",
        question="Is Grokfast sooner than a tuned AdamW?",
        source=f"{LEE}, issue 12 of its repository",
        published="AdamW at decay 0.01 grokked where Grokfast with Adam failed",
        studies=STUDIES,
        statistic=gain("grokfast"),
        unit=GAIN,
        below=1.0,
    ),
    Claim(
        name="muon_over_tuned_adamw",
        says="Muon groks sooner than AdamW.",
        question="Does Muon's gain outlast tuning?",
        source=f"{TVEIT}, abstract",
        published="1.49 times: 102.89 epochs against 153.09, mean of all configurations of seven tasks",
        studies=STUDIES,
        statistic=gain("muon"),
        unit=GAIN,
        above=MUON_BAR,
        note="The bar is half of the published gain, on a log scale.",
    ),
    Claim(
        name="muon_gain_disappears",
        says="Over a wider range of hyperparameters Muon's advantage disappears.",
        question="Does Muon's gain outlast tuning?",
        source=f"Essential AI's blog of 2025-06-20 on {TVEIT}",
        published="in words: the advantage disappears (division modulo 97, more rates and model sizes)",
        studies=STUDIES,
        statistic=gain("muon"),
        unit=GAIN,
        below=MUON_BAR,
        note="The bar is half of the published gain, on a log scale.",
    ),
    Claim(
        name="orthogonal_gradients_without_decay",
        says="With gradients orthogonal to the weights networks grok without weight decay, else they do not.",
        source=f"{PRIETO}, abstract",
        published="in words: quick generalization, where without regularization there is none",
        studies=STUDIES,
        statistic=grokked_without_decay("orthograd"),
        unit="share of seeds that grok without decay, less AdamW's",
        above=0.5,
    ),
    Claim(
        name="stablemax_without_decay",
        says="With StableMax networks grok without weight decay, with softmax they do not.",
        source=f"{PRIETO}, abstract",
        published="in words: StableMax enables grokking without regularization (its script trains 80,000 epochs)",
        studies=STUDIES,
        statistic=grokked_without_decay("stablemax"),
        unit="share of seeds that grok without decay, less softmax's",
        above=0.5,
        note="None of 24 runs in 600 steps, nor of 6 in 1,500; the paper's script trains 80,000 epochs.",
    ),
    Claim(
        name="tuned_adamw_over_orthogonal_gradients",
        says="AdamW with tuned decay groks sooner than orthogonal gradients.",
        source=f"{PRIETO}, issue 8 of its repository",
        published="200 epochs of AdamW at rate 0.01 and decay 8, 300 of orthogonal gradients",
        studies=STUDIES,
        statistic=gain("orthograd"),
        unit=GAIN,
        below=1.0,
    ),
    Claim(
        name="tuned_adamw_over_stablemax",
        says="AdamW with tuned decay groks sooner on softmax than on StableMax.",
        source=f"{PRIETO}, issue 8 of its repository",
        published="200 epochs of AdamW at rate 0.01 and decay 8, 80,000 of StableMax without decay",
        studies=STUDIES,
        statistic=gain("stablemax"),
        unit=GAIN,
        below=1.0,
    ),
)
