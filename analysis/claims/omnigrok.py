"""Liu et al. 2022 (Omnigrok, arXiv 2210.01117): large initial weights make any data grok, and decay ends the wait.

A network whose weights are too large fits at once and generalizes when they have shrunk to a certain norm. AdamW
shrinks them like exp(-rate decay steps), so that the steps are ln(initial / final norm) / (rate decay).
"""

import math

from analysis.claim import DIFFERENCE, SHARE, Claim, Runs
from analysis.statistics import Run, mean, power

PAPER = "Liu et al. 2022 (arXiv 2210.01117)"
STUDIES = ("omnigrok", "omnigrok_paper")
LONGEST_DELAY = 0.01
"""The fraction of the horizon from fitting to generalizing from which on a run groks, of Liu et al.'s earlier paper
(arXiv 2205.10343, table 1)."""


def fit(run: Run) -> float:
    """Steps to training accuracy 0.95; infinity for never."""
    return math.inf if run["train_step_95"] is None else run["train_step_95"]


def generalize(run: Run) -> float:
    """Steps to test accuracy 0.9; infinity for never."""
    return math.inf if run["test_step_90"] is None else run["test_step_90"]


def groks(run: Run) -> bool:
    """True for a run that fits and generalizes, but not at once."""
    delay = generalize(run) - fit(run)  # NaN where both are never
    return math.isfinite(delay) and delay >= LONGEST_DELAY * run["horizon"]


def scale(run: Run) -> float:
    """Factor on the initial weights."""
    return run["point"]["model.init_scale"]


def at_large_scale(runs: Runs) -> Runs:
    """The runs of the largest scale."""
    largest = max(map(scale, runs), default=math.nan)
    return [run for run in runs if scale(run) == largest]


def at_small_scales(runs: Runs) -> Runs:
    """The runs of the usual initialisation and below."""
    return [run for run in runs if scale(run) <= 1]


def decay(run: Run) -> float:
    """Weight decay, an axis of the study."""
    return run["weight_decay"]


def generalizing(runs: Runs) -> float:
    """Power of the decay with which steps to generalize change at the largest scale."""
    return power(at_large_scale(runs), decay, generalize)


def fitting(runs: Runs) -> float:
    """Power of the decay with which steps to fit change at the largest scale, over that of steps to generalize."""
    of_all = generalizing(runs)
    return power(at_large_scale(runs), decay, fit) / of_all if of_all else math.nan


def prompt_at_small_scales(runs: Runs) -> float:
    """Fraction of the runs at scales up to 1 that generalize at once."""
    return mean([math.isfinite(generalize(run)) and not groks(run) for run in at_small_scales(runs)])


def grokking_by_scale(runs: Runs) -> float:
    """Fraction of the runs at the largest scale that grok, minus that at scales up to 1."""
    return mean(list(map(groks, at_large_scale(runs)))) - mean(list(map(groks, at_small_scales(runs))))


CLAIMS = (
    Claim(
        name="steps_fall_with_decay",
        says="With a large initial scale, steps to generalize are proportional to 1 / decay.",
        source=f"{PAPER}, Figure 2",
        published="power -1",
        studies=STUDIES,
        statistic=generalizing,
        unit="power of the decay, steps to generalize",
        above=-1.2,
        below=-0.8,
        note="At scale 3 and test accuracy 0.9, decays 0.05 to 0.4.",
    ),
    Claim(
        name="fitting_does_not_wait",
        says="Steps to fit do not depend on the decay.",
        source=f"{PAPER}, Figure 2",
        published="in words: independent of it, against a power of -1: 0",
        studies=STUDIES,
        statistic=fitting,
        unit="power of the decay in steps to fit / in steps to generalize",
        above=-0.2,
        below=0.2,
        note="Both at scale 3. Any learner that decay does not touch has a power of 0, so it is compared.",
    ),
    Claim(
        name="no_delay_at_small_scales",
        says="At the usual initial scale or below, generalization comes with the fit.",
        source=f"{PAPER}, section on images",
        published="in words: with the usual initialisation there is no grokking",
        studies=STUDIES,
        statistic=prompt_at_small_scales,
        unit="fraction of the runs at scales up to 1 that generalize within a hundredth of the horizon of the fit",
        within=SHARE,
        above=0.9,
    ),
    Claim(
        name="delay_comes_with_the_scale",
        says="A large initial scale makes a network grok that would not.",
        source=f"{PAPER}, abstract and section on images",
        published="in words: grokking is induced on images",
        studies=STUDIES,
        statistic=grokking_by_scale,
        unit="fraction of the runs that generalize later than that: at the largest scale, minus at scales up to 1",
        within=DIFFERENCE,
        above=0.8,
    ),
)
