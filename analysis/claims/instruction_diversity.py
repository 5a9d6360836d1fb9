"""Zhang et al. 2024 (arXiv 2402.10891, and "Only-IF", 2410.04717): the number of different instructions decides.

A model rewrites strings by a stated rule. It follows unseen rules if it was trained on enough different ones, even with
few examples of each.
"""

import math

from analysis.claim import CORRELATION, RATIO, SHARE, Claim, Runs
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
    """Rank correlation of the number of rules and accuracy on unseen rules, mean over the amounts of data."""
    values = [rank_correlation(by_rules(group)) for group in grouped(runs, lambda run: run["data_size"]).values()]
    return mean(values)


def width_of_transition(runs: Runs) -> float:
    """The number of rules at which 9 of 10 runs follow unseen rules, divided by that at which 1 of 10 does.

    Mean over the amounts of data at which both are known.
    """
    ratios = []
    for group in grouped(runs, lambda run: run["data_size"]).values():
        rates = means(group, lambda run: run["point"]["task.rules"], lambda run: follows(run["final_ood_accuracy"]))
        ratio = crossing(rates, 0.9) / crossing(rates, 0.1)
        if math.isfinite(ratio) and ratio > 0:
            ratios.append(ratio)
    return mean(ratios)


def follows(accuracy: float | None) -> bool:
    """True for an accuracy on unseen rules of at least a half."""
    return (accuracy or 0) >= 0.5


def fewest_examples_over_best(runs: Runs) -> float:
    """Accuracy on unseen rules with the fewest examples per rule, divided by the best with as much data.

    Mean over the amounts of data.
    """
    ratios = []
    for group in grouped(runs, lambda run: run["data_size"]).values():
        rates = by_rules(group)
        if any(rates.values()):
            ratios.append(rates[max(rates)] / max(rates.values()))
    return mean(ratios)


CLAIMS = (
    Claim(
        name="few_rules_never",
        says="A model trained on few rules does not follow unseen ones.",
        source=f"{PAPER}, Figure 2a",
        published="models trained on fewer than 300 rules never generalize",
        studies=STUDIES,
        statistic=accuracy_of_few_rules,
        unit="accuracy on unseen rules with the fewest rules",
        within=SHARE,
        below=0.05,
    ),
    Claim(
        name="many_rules_always",
        says="A model trained on many rules follows unseen ones.",
        source=f"{PAPER}, Figure 2a",
        published="models trained on 1000 rules and more always generalize",
        studies=STUDIES,
        statistic=accuracy_of_many_rules,
        unit="accuracy on unseen rules with the most rules",
        within=SHARE,
        above=0.9,
        note="It is 0.69 with 2048 examples, where new strings of seen rules reach only 0.72, and 0.93 with 8192.",
    ),
    Claim(
        name="diversity_at_constant_data",
        says="With the same number of examples in total, more rules generalize better.",
        source=f"{PAPER}, section 3 and Figure 2a",
        published="about a million examples throughout (S x I)",
        studies=STUDIES,
        statistic=rise_at_constant_data,
        unit="rank correlation of the number of rules and accuracy on unseen ones",
        within=CORRELATION,
        above=0.8,
    ),
    Claim(
        name="sharp_transition",
        says="The transition in the number of rules is sharp.",
        source=f"{PAPER}, Figure 2a",
        published="none below 300 rules, all from 1000 on, at about 400: a factor of 3.3",
        studies=STUDIES,
        statistic=width_of_transition,
        unit="rules at which 90% of runs follow unseen ones / rules at which 10% do",
        within=RATIO,
        below=1000 / 300,
        note="The grid's steps are factors of 2; between them the fraction of runs is taken as linear.",
    ),
    Claim(
        name="few_examples_suffice",
        says="With enough rules, few examples of each suffice.",
        source=f"{PAPER}, section 3",
        published="generalization emerges even though very few examples are provided for each rule",
        studies=STUDIES,
        statistic=fewest_examples_over_best,
        unit="accuracy with the fewest examples per rule / the best with as much data",
        within=RATIO,
        above=0.9,
        note="In the study for two cores, the fewest examples per rule are 2 of 2048 and 8 of 8192. A first form of "
        "this statistic compared these two, which are different amounts of data, and gave 0.73.",
    ),
)
