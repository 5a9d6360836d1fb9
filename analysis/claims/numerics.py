"""Prieto et al. 2025 (arXiv 2501.04697): without weight decay, rounding in the softmax stops generalization.

Logits grow until the loss of an example is exactly zero (softmax collapse), which happens the sooner the fewer bits the
softmax has. Others saw float32 generalize before float64.
"""

import math
import statistics
from collections.abc import Callable

from analysis.claim import DIFFERENCE, SHARE, Claim, Runs
from analysis.statistics import mean

PAPER = "Prieto et al. 2025 (arXiv 2501.04697)"
STUDIES = ("numerics", "numerics_paper")
REPETITION = "a public repetition with the authors' script at 60% of the pairs (SantyJ/grokking_under_dp)"
QUESTION = "Does a softmax of 64 bits generalize where one of 32 bits does not?"
HIGHEST = (
    "The highest, because in trials of the small study accuracy fell after the collapse, where the paper has it stand."
)
BITS = {"cross_entropy_16": 16, "cross_entropy": 32, "cross_entropy_64": 64}
COLLAPSE = """
    select
        run_id,
        max(value) filter (where metric = 'zero_loss_16') as share_16,
        max(value) filter (where metric = 'zero_loss_32') as share_32,
        max(value) filter (where metric = 'zero_loss_64') as share_64,
        min(step) filter (where metric = 'zero_loss_16' and value >= 0.5) as collapse_16,
        min(step) filter (where metric = 'zero_loss_32' and value >= 0.5) as collapse_32,
        min(step) filter (where metric = 'zero_loss_64' and value >= 0.5) as collapse_64,
    from probes where probe = 'softmax_collapse' group by run_id"""
"""Of each run: the largest share of its training examples whose loss is zero, and the first look at which half of them
are, by the bits of a softmax of its logits."""


def of(runs: Runs, bits: int, decay: bool = False) -> Runs:
    """The runs whose softmax has so many bits, with or without weight decay."""
    return [run for run in runs if BITS[run["point"]["loss"]] == bits and (run["weight_decay"] > 0) == decay]


def share(runs: Runs, bits: int, decay: bool = False) -> float:
    """Mean over runs of the largest share of zero losses, in their own precision."""
    return mean([found for run in of(runs, bits, decay) if (found := run[f"share_{bits}"]) is not None])


def collapse_step(runs: Runs, bits: int) -> float:
    """Median step at which half of the losses are zero, in the runs' own precision; infinite for never."""
    steps = [math.inf if (step := run[f"collapse_{bits}"]) is None else step for run in of(runs, bits)]
    return statistics.median(steps) if steps else math.nan


def sooner_by_bits(runs: Runs) -> float:
    """ln(collapse step at twice the bits / at fewer), the smaller of both doublings; NaN where 32 bits do not
    collapse."""
    few, some, many = (collapse_step(runs, bits) for bits in (16, 32, 64))
    if not some < math.inf:
        return math.nan
    return -math.inf if few == math.inf else min(math.log(some / few), math.log(many / some))


def gain(many: int, few: int) -> Callable[[Runs], float]:
    """Mean highest test accuracy without decay, of more bits minus that of fewer."""

    def accuracy(runs: Runs, bits: int) -> float:
        return mean([run["max_test_accuracy"] or 0.0 for run in of(runs, bits)])

    return lambda runs: accuracy(runs, many) - accuracy(runs, few)


CLAIMS = (
    Claim(
        name="softmax_collapses",
        says="Without weight decay, the losses of most training examples become exactly zero in 32 bits.",
        source=f"{PAPER}, section 3 and Figure 2",
        published=f"as curves; 0.56 to 0.66 in {REPETITION}",
        studies=STUDIES,
        statistic=lambda runs: share(runs, 32),
        unit="largest share of examples with zero loss, mean over runs of 32 bits without decay",
        within=SHARE,
        columns=COLLAPSE,
        above=0.5,
    ),
    Claim(
        name="decay_prevents_collapse",
        says="With weight decay, the softmax of 32 bits does not collapse.",
        source=f"{PAPER}, abstract",
        published="in words: without regularization, grokking goes to the edge of numerical stability",
        studies=STUDIES,
        statistic=lambda runs: share(runs, 32) - share(runs, 32, decay=True),
        unit="largest share of examples with zero loss in 32 bits, without decay minus with it",
        within=DIFFERENCE,
        columns=COLLAPSE,
        above=0.5,
    ),
    Claim(
        name="fewer_bits_collapse_sooner",
        says="The fewer bits the softmax has, the sooner it collapses.",
        source=f"{PAPER}, Figure 2",
        published="as curves, in this order",
        studies=STUDIES,
        statistic=sooner_by_bits,
        unit="ln(step at which half of the losses are zero, 32 / 16 bits or 64 / 32 bits), the smaller of both",
        columns=COLLAPSE,
        above=math.log(1.25),
        note="Looks are 10% of the steps apart. In float16 gradients below 6e-8 are lost, too.",
    ),
    Claim(
        name="float64_generalizes_more_than_float32",
        says="Where the softmax of 32 bits has collapsed, that of 64 bits goes on to generalize.",
        question=QUESTION,
        source=f"{PAPER}, Figure 2",
        published=f"as curves; test accuracy 0.52 against 0.29 in {REPETITION}",
        studies=STUDIES,
        statistic=gain(64, 32),
        unit="highest test accuracy without decay, 64 bits minus 32",
        within=DIFFERENCE,
        above=0.1,
        note=f"{HIGHEST} The bar is half of the published difference.",
    ),
    Claim(
        name="float32_generalizes_first",
        says="A softmax of 32 bits generalizes where one of 64 bits has not yet.",
        question=QUESTION,
        source=f"{PAPER}, issue 4 of its repository",
        published="in words: float32 groks before float64, by slingshots",
        studies=STUDIES,
        statistic=gain(64, 32),
        unit="highest test accuracy without decay, 64 bits minus 32",
        within=DIFFERENCE,
        below=0.0,
        note="With epsilon 1e-8 instead of 1e-30 this is what two trial runs of each did.",
    ),
    Claim(
        name="float32_generalizes_more_than_float16",
        says="Where the softmax of 16 bits has collapsed, that of 32 bits goes on to generalize.",
        source=f"{PAPER}, Figure 2",
        published=f"as curves; test accuracy 0.29 against 0.15 in {REPETITION}",
        studies=STUDIES,
        statistic=gain(32, 16),
        unit="highest test accuracy without decay, 32 bits minus 16",
        within=DIFFERENCE,
        above=0.07,
        note=f"{HIGHEST} The bar is half of the published difference.",
    ),
)
