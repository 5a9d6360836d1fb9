"""Zhang et al. 2024 (arXiv 2402.10891, and "Only-IF", 2410.04717): the number of different instructions decides.

A model that rewrites strings by a stated rule follows unseen rules if it was trained on enough different ones, however
few examples it saw of each.
"""

import math

from analysis.claim import Claim, Runs
from analysis.statistics import crossing, grouped, mean, means, rank_correlation

PAPER = "Zhang et al. 2024 (arXiv 2402.10891)"
STUDIES = ("instruction_diversity", "instruction_diversity_paper")


def by_rules(runs: Runs) -> dict[int, float]:
    """Mean final accuracy on unseen rules, by the number of rules trained on."""
    return means(runs, lambda run: run["point"]["task.rules"], lambda run: run["final_ood_accuracy"])


def accuracy_of_few_rules(runs: Runs) -> float:
    """Mean accuracy on unseen rules of the runs with the fewest rules."""
    rates = by_rules(runs)
    return rates[min(rates)] if rates else math.nan


def accuracy_of_many_rules(runs: Runs) -> float:
    """Mean accuracy on unseen rules of the runs with the most rules."""
    rates = by_rules(runs)
    return rates[max(rates)] if rates else math.nan


def rise_at_constant_data(runs: Runs) -> float:
    """Rank correlation of rules and accuracy on unseen rules, mean over the amounts of data."""
    values = [rank_correlation(by_rules(group)) for group in grouped(runs, lambda run: run["data_size"]).values()]
    return mean(values)


def width_of_transition(runs: Runs) -> float:
    """Rules at which 9 of 10 runs follow unseen rules (accuracy of a half), over those at which 1 of 10 does.

    Mean over the amounts of data in which both are seen.
    """
    ratios = []
    for group in grouped(runs, lambda run: run["data_size"]).values():
        rates = means(group, lambda run: run["point"]["task.rules"], lambda run: follows(run["final_ood_accuracy"]))
        ratio = crossing(rates, 0.9) / crossing(rates, 0.1)
        if math.isfinite(ratio) and ratio > 0:
            ratios.append(ratio)
    return mean(ratios)


def follows(accuracy: float | None) -> bool:
    """True for a run that follows unseen rules in half of the cases."""
    return (accuracy or 0) >= 0.5


def fewest_examples_over_best(runs: Runs) -> float:
    """Accuracy on unseen rules with the fewest examples of each, over the best with as much data; mean over amounts."""
    ratios = []
    for group in grouped(runs, lambda run: run["data_size"]).values():
        rates = by_rules(group)
        if any(rates.values()):
            ratios.append(rates[max(rates)] / max(rates.values()))
    return mean(ratios)


CLAIMS = (
    Claim(
        name="few_rules_never",
        says="Trained on few rules, a model does not follow unseen ones.",
        source=f"{PAPER}, Figure 2a",
        published="models trained on fewer than 300 rules never generalize",
        studies=STUDIES,
        statistic=accuracy_of_few_rules,
        unit="accuracy on unseen rules with the fewest rules",
        below=0.05,
    ),
    Claim(
        name="many_rules_always",
        says="Trained on many rules, a model follows unseen ones.",
        source=f"{PAPER}, Figure 2a",
        published="models trained on 1000 rules and more always generalize",
        studies=STUDIES,
        statistic=accuracy_of_many_rules,
        unit="accuracy on unseen rules with the most rules",
        above=0.9,
        note="Over both amounts of data, 0.69 and 0.93. Of 2048 examples new strings of seen rules are at 0.72, too.",
    ),
    Claim(
        name="diversity_at_constant_data",
        says="With as many examples in all, more rules generalize better.",
        source=f"{PAPER}, section 3 and Figure 2a",
        published="S x I about a million examples throughout",
        studies=STUDIES,
        statistic=rise_at_constant_data,
        unit="rank correlation of rules and accuracy on unseen ones",
        above=0.0,
    ),
    Claim(
        name="sharp_transition",
        says="The transition in the number of rules is sharp.",
        source=f"{PAPER}, Figure 2a",
        published="below 300 none, from 1000 all, at about 400: a factor of 3.3",
        studies=STUDIES,
        statistic=width_of_transition,
        unit="rules at which 90% of runs follow unseen ones, over rules at which 10% do",
        below=1000 / 300,
        note="The grid's steps are factors of 2; between them the share of runs is taken as linear.",
    ),
    Claim(
        name="few_examples_suffice",
        says="With enough rules few examples of each suffice.",
        source=f"{PAPER}, section 3",
        published="generalization emerges even though very few examples are provided for each rule",
        studies=STUDIES,
        statistic=fewest_examples_over_best,
        unit="accuracy with the fewest examples per rule over the best, with as much data",
        above=0.9,
        note="For two cores the fewest are 2 of 2048 and 8 of 8192. A first form of this statistic compared these two, "
        "which are different amounts of data, and was 0.73.",
    ),
)
