"""Wang et al. 2024 (arXiv 2405.15071): transformers that grok reason implicitly over the facts in their weights.

Composition generalizes in distribution long after the training set is fitted, and sooner with a larger ratio of
inferred to atomic facts. It does not generalize to facts that were never composed in training. Comparison does.
"""

import math
from statistics import median

from analysis.claim import CORRELATION, SHARE, Claim, Runs
from analysis.statistics import grouped, mean, rank_correlation

PAPER = "Wang et al. 2024 (arXiv 2405.15071)"
SMALL = "The small studies have two layers, width 64 or 128, and a fortieth of the paper's facts."


def steps_by(runs: Runs, column: str) -> dict[float, float]:
    """Median step at which test accuracy reaches 0.9, by the value of a column; runs that never do are the slowest."""
    groups = grouped(runs, lambda run: run[column])
    steps = {key: [run["test_step_90"] for run in group] for key, group in groups.items()}
    return {key: median(math.inf if step is None else step for step in known) for key, known in steps.items()}


def steps_by_ratio(runs: Runs) -> float:
    """Rank correlation of the ratio and the step of generalization."""
    return rank_correlation(steps_by(runs, "ratio"))


def steps_by_decay(runs: Runs) -> float:
    """Rank correlation of weight decay and the step of generalization."""
    return rank_correlation(steps_by(runs, "weight_decay"))


def epochs_by_size(runs: Runs) -> float:
    """ln(epochs to generalization with the most data / with the least)."""
    steps = steps_by(runs, "data_size")
    if len(steps) < 2 or not all(map(math.isfinite, steps.values())):
        return math.nan
    epochs = [step / size for size, step in steps.items()]  # all runs have batches of one size
    return math.log(epochs[-1] / epochs[0])


def ood_accuracy(runs: Runs) -> float:
    """Mean final out-of-distribution accuracy of the runs that generalize in distribution."""
    known = [run["final_ood_accuracy"] for run in runs if run["test_step_90"] is not None]
    known = [value for value in known if value is not None]
    return mean(known)


CLAIMS = (
    Claim(
        name="ratio_sets_the_speed",
        says="The larger the ratio of inferred to atomic facts, the sooner composition generalizes.",
        source=f"{PAPER}, section 3 and Figure 2(a)",
        published="ratio 18 reaches 0.967 before the training set is fitted, 7.2 takes about 50 times the fit",
        studies=("small_composition_ratio", "composition_ratio"),
        statistic=steps_by_ratio,
        unit="rank correlation of ratio and step of test accuracy 0.9",
        within=CORRELATION,
        below=0.0,
        note=SMALL,
    ),
    Claim(
        name="size_does_not",
        says="At a fixed ratio the number of facts does not matter: generalization takes the same number of epochs.",
        source=f"{PAPER}, section 3 and Figure 2(b)",
        published="no qualitative effect of 2,000 to 10,000 entities at ratio 9",
        studies=("small_composition_size", "composition_size"),
        statistic=epochs_by_size,
        unit="ln(epochs with the most data / with the least)",
        above=-math.log(1.5),
        below=math.log(1.5),
        note="The paper gives no number for what counts as no effect; here a factor below 1.5 does.",
    ),
    Claim(
        name="composition_is_not_systematic",
        says="Networks do not compose facts that were never composed in training.",
        source=f"{PAPER}, section 3 and Figure 1",
        published="accuracy 0 out of distribution, after 2 million steps",
        studies=("small_composition_ratio", "composition_ratio"),
        statistic=ood_accuracy,
        unit="mean final out-of-distribution accuracy of runs that generalize",
        within=SHARE,
        below=0.1,
    ),
    Claim(
        name="comparison_is_systematic",
        says="Networks compare facts that were never compared in training.",
        source=f"{PAPER}, section 4 and Figure 1",
        published="near 1 out of distribution",
        studies=("small_comparison_ratio", "comparison_ratio"),
        statistic=ood_accuracy,
        unit="mean final out-of-distribution accuracy of runs that generalize",
        within=SHARE,
        above=0.9,
        note="The best constant answer reaches 0.44. With 60 entities and 10 attributes, networks memorize everything.",
    ),
    Claim(
        name="decay_speeds_it_up",
        says="More weight decay makes composition generalize sooner.",
        source=f"{PAPER}, appendix E.1 and Figure 13",
        published="the larger, the sooner, and vice versa (2,000 entities, ratio 9)",
        studies=("small_composition_decay", "composition_decay"),
        statistic=steps_by_decay,
        unit="rank correlation of decay and step of test accuracy 0.9",
        within=CORRELATION,
        below=0.0,
    ),
    Claim(
        name="large_search_space",
        says="A grokked transformer answers questions that need a search through many facts.",
        source=f"{PAPER}, section 5 and Table 1",
        published="near-perfect, where prompted language models with retrieval are at or near chance",
        studies=("small_complex_reasoning", "complex_reasoning"),
        statistic=ood_accuracy,
        unit="mean final accuracy on hard questions of runs that generalize",
        within=SHARE,
        above=0.9,
    ),
)
