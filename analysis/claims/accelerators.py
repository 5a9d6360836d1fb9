"""Methods that are said to speed up grokking, compared with AdamW at its own best learning rate and weight decay.

Each method has its own points. The time of a point is the median over seeds of the step at which test accuracy reaches
0.95. The time of a method is that of its best point, which is chosen on one half of the seeds and judged on the other:
the best of many points on the same seeds would be lucky ones. A run that does not reach it counts with the horizon, so
a gain over a method that never groks is a lower bound.
"""

import math
import statistics
from collections.abc import Callable

from analysis.claim import DIFFERENCE, RATIO, Claim, Runs
from analysis.statistics import generalized, judged_best, mean

LEE = "Lee et al. 2024 (arXiv 2405.20233)"
PRIETO = "Prieto et al. 2025 (arXiv 2501.04697)"
TVEIT = "Tveit et al. 2025 (arXiv 2504.16041)"
STUDIES = ("accelerators", "accelerators_paper")
GAIN = "steps of AdamW at its best point / steps of the method at its best point"
MUON_BAR = 1.22
"""Half of the published gain of Muon on a log scale: the square root of 153.09 / 102.89."""


def method(run: dict) -> str:
    """The name of the optimizer, or `stablemax` for AdamW with that loss."""
    return "stablemax" if run["point"].get("loss") == "stablemax" else run["optimizer"]


def points(runs: Runs, name: str, decay: float | None = None) -> list[Runs]:
    """The runs of a method, one list for each point; with `decay`, only the points with this weight decay."""
    cells: dict[tuple, Runs] = {}
    for run in runs:
        if method(run) == name and decay in (None, run["weight_decay"]):
            cells.setdefault(tuple(run["point"].items()), []).append(run)
    return list(cells.values())


def steps_of(run: dict) -> float:
    """Steps to test accuracy 0.95, 0 among them; the horizon of a run that does not reach it."""
    return run["test_step_95"] if generalized(run) else run["horizon"]


def quotient(slower: float, faster: float) -> float:
    """How many times as many steps: without end as many as none, and unknown where both are none."""
    return slower / faster if faster else math.inf if slower else math.nan


def median_steps(cell: Runs) -> float:
    """Steps of a point."""
    return statistics.median(steps_of(run) for run in cell)


def gain(name: str, decay: float | None = None) -> Callable[[Runs], float]:
    """How many times sooner a method groks than AdamW, each at its best point, or at its best with this decay; NaN
    where AdamW never groks."""

    def ratio(runs: Runs) -> float:
        baseline = points(runs, "adamw", decay)
        grokked = any(generalized(run) for cell in baseline for run in cell)
        ours = judged_best(points(runs, name, decay), median_steps, min)
        return quotient(judged_best(baseline, median_steps, min), ours) if grokked else math.nan

    return ratio


def gain_at_equal_decay(runs: Runs) -> float:
    """How many times sooner Grokfast groks than AdamW with the same decay, each at its best rate: the geometric mean
    over the decays that both have, of those at which AdamW groks."""
    shared = {run["weight_decay"] for run in runs if method(run) == "grokfast"} - {0.0}
    ratios = [gain("grokfast", decay)(runs) for decay in sorted(shared)]
    known = [ratio for ratio in ratios if not math.isnan(ratio)]
    return statistics.geometric_mean(known) if known and all(0 < ratio < math.inf for ratio in known) else math.nan


def grokked_without_decay(name: str) -> Callable[[Runs], float]:
    """Fraction of seeds that grok without decay at the best rate of a method, minus that of AdamW on cross-entropy."""

    def share(runs: Runs, of: str) -> float:
        return judged_best(points(runs, of, decay=0), lambda cell: mean([generalized(run) for run in cell]))

    return lambda runs: share(runs, name) - share(runs, "adamw")


CLAIMS = (
    Claim(
        name="grokfast_at_equal_decay",
        says="Grokfast groks sooner than the same optimizer with the same weight decay.",
        source=f"{LEE}, Figure 1 and its repository's README",
        published="43.8 times (39,890 steps of Adam without decay, 910 of Grokfast-EMA with decay 0.005)",
        studies=STUDIES,
        statistic=gain_at_equal_decay,
        unit="steps of AdamW / steps of Grokfast with the same decay, geometric mean over decays",
        within=RATIO,
        above=1.0,
        note="Grokfast with decay against AdamW without, as the paper has it, measures the decay.",
    ),
    Claim(
        name="grokfast_over_tuned_adamw",
        says="Grokfast groks sooner than AdamW with tuned learning rate and weight decay.",
        question="Does Grokfast grok sooner than tuned AdamW?",
        source=LEE,
        published="the paper compares only with Adam without decay",
        studies=STUDIES,
        statistic=gain("grokfast"),
        unit=GAIN,
        within=RATIO,
        above=1.0,
    ),
    Claim(
        name="tuned_adamw_over_grokfast",
        says="AdamW with decay groks where Grokfast does not.",
        question="Does Grokfast grok sooner than tuned AdamW?",
        source=f"{LEE}, issue 12 of its repository",
        published="AdamW at decay 0.01 grokked where Grokfast with Adam failed",
        studies=STUDIES,
        statistic=gain("grokfast"),
        unit=GAIN,
        within=RATIO,
        below=1.0,
    ),
    Claim(
        name="muon_over_tuned_adamw",
        says="Muon groks sooner than AdamW.",
        question="Does Muon's gain outlast tuning?",
        source=f"{TVEIT}, abstract",
        published="1.49 times: 102.89 epochs against 153.09, mean over all configurations of seven tasks",
        studies=STUDIES,
        statistic=gain("muon"),
        unit=GAIN,
        within=RATIO,
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
        within=RATIO,
        below=MUON_BAR,
        note="The bar is half of the published gain, on a log scale.",
    ),
    Claim(
        name="orthogonal_gradients_without_decay",
        says="Without weight decay, networks grok if gradients are made orthogonal to the weights, and not otherwise.",
        source=f"{PRIETO}, abstract",
        published="in words: generalization is quick, where without regularization there is none",
        studies=STUDIES,
        statistic=grokked_without_decay("orthograd"),
        unit="fraction of seeds that grok without decay, minus that of AdamW",
        within=DIFFERENCE,
        above=0.5,
    ),
    Claim(
        name="stablemax_without_decay",
        says="Without weight decay, networks grok with StableMax and not with softmax.",
        source=f"{PRIETO}, abstract",
        published="in words: StableMax enables grokking without regularization (its script trains 80,000 epochs)",
        studies=STUDIES,
        statistic=grokked_without_decay("stablemax"),
        unit="fraction of seeds that grok without decay, minus that of softmax",
        within=DIFFERENCE,
        above=0.5,
        note="The paper's script trains an MLP for 80,000 epochs.",
    ),
    Claim(
        name="tuned_adamw_over_orthogonal_gradients",
        says="AdamW with tuned decay groks sooner than orthogonal gradients.",
        source=f"{PRIETO}, issue 8 of its repository",
        published="200 epochs for AdamW at rate 0.01 and decay 8, 300 for orthogonal gradients",
        studies=STUDIES,
        statistic=gain("orthograd"),
        unit=GAIN,
        within=RATIO,
        below=1.0,
    ),
    Claim(
        name="tuned_adamw_over_stablemax",
        says="AdamW with tuned decay groks sooner with softmax than with StableMax.",
        source=f"{PRIETO}, issue 8 of its repository",
        published="200 epochs for AdamW at rate 0.01 and decay 8, 80,000 for StableMax without decay",
        studies=STUDIES,
        statistic=gain("stablemax"),
        unit=GAIN,
        within=RATIO,
        below=1.0,
    ),
)
