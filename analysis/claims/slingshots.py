"""Slingshots: late spikes of the training loss under Adam without weight decay, and what makes them.

Thilak et al. 2022 (arXiv 2206.04817) see them with a small epsilon, and say that grokking comes with them. Liu et al.
2026 (arXiv 2605.06152) put them down to rounding: once the loss of an example is zero in float32, the gradients of its
logits no longer add up to zero.
"""

import math
from collections.abc import Callable

from analysis.claim import DIFFERENCE, Claim, Runs
from analysis.statistics import mean

THILAK = "Thilak et al. 2022 (arXiv 2206.04817)"
LIU = "Liu et al. 2026 (arXiv 2605.06152)"
STUDIES = ("slingshots", "slingshots_paper")
RISE = """
    select run_id, max(ln(greatest(value, 1e-6)) - ln(greatest(lowest, 1e-6))) as rise
    from (
        select run_id, train_loss as value, min(train_loss) over (partition by run_id order by step) as lowest
        from curves join outcomes using (run_id) where step >= train_step_99
    ) group by run_id"""
"""How far ln(training loss) rises above its lowest value before, after the fit. Losses below 1e-6 count as 1e-6: there
float32 has only steps of 1e-7."""
SPIKE = math.log(10)
"""The rise that counts as a spike."""


def of(runs: Runs, epsilon: float, loss: str) -> Runs:
    """The runs with this epsilon and this loss."""
    return [run for run in runs if run["point"]["optimizer.epsilon"] == epsilon and run["point"]["loss"] == loss]


def spiked(run: dict) -> bool:
    """True for a run whose training loss rose tenfold after the fit."""
    return run["rise"] is not None and run["rise"] >= SPIKE


def fewer_spikes(epsilon: float, loss: str) -> Callable[[Runs], float]:
    """Fraction of runs with a spike at epsilon 1e-8 in 32 bits, minus that of others."""

    def fraction(runs: Runs) -> float:
        return mean([spiked(run) for run in runs])

    return lambda runs: fraction(of(runs, 1e-8, "cross_entropy")) - fraction(of(runs, epsilon, loss))


def accuracy_gain(runs: Runs) -> float:
    """Mean final test accuracy in 32 bits, at epsilon 1e-8 minus at 1e-5."""
    small, large = (
        mean([run["final_test_accuracy"] or 0.0 for run in of(runs, epsilon, "cross_entropy")])
        for epsilon in (1e-8, 1e-5)
    )
    return small - large


CLAIMS = (
    Claim(
        name="small_epsilon_makes_spikes",
        says="The training loss has late spikes where Adam's epsilon is small, and none where it is large.",
        source=THILAK,
        published="in words: spikes at epsilon 1e-8, none at 1e-5",
        studies=STUDIES,
        statistic=fewer_spikes(1e-5, "cross_entropy"),
        unit="fraction of runs whose loss rises tenfold after the fit, at epsilon 1e-8 minus at 1e-5",
        within=DIFFERENCE,
        columns=RISE,
        above=0.5,
    ),
    Claim(
        name="rounding_makes_spikes",
        says="The spikes come from rounding in float32: with a softmax in float64 there are none in as many steps.",
        source=f"{LIU}, abstract",
        published="in words: the spikes are a result of the limits of floating-point precision",
        studies=STUDIES,
        statistic=fewer_spikes(1e-8, "cross_entropy_64"),
        unit="fraction of runs whose loss rises tenfold after the fit at epsilon 1e-8, in 32 bits minus in 64",
        within=DIFFERENCE,
        columns=RISE,
        above=0.5,
        note="In 64 bits losses come as near to zero only later; the study ends before.",
    ),
    Claim(
        name="grokking_comes_with_spikes",
        says="Without weight decay, networks generalize with the spikes and not without them.",
        source=f"{THILAK}, abstract",
        published="in words: grokking almost exclusively happens at the onset of slingshots and is absent without them",
        studies=STUDIES,
        statistic=accuracy_gain,
        unit="final test accuracy in 32 bits, at epsilon 1e-8 minus at 1e-5",
        within=DIFFERENCE,
        above=0.1,
        note="At 65% of the pairs modulo 19 test accuracy stays near one half by step 1,500.",
    ),
)
