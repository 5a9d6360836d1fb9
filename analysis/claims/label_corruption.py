"""Doshi et al. 2023 (arXiv 2310.13061): networks that generalize although some of their labels are wrong.

Without regularization a network may memorize the wrong labels and generalize at once (coexistence). Weight decay makes
it unlearn them (inversion), and too much of it makes it forget the rule as well. How many of the wrong labels a run
keeps follows from its training accuracy: 1 where it keeps all, 1 minus the corruption where it corrects all.
"""

import math

from analysis.claim import CORRELATION, DIFFERENCE, FEW_SEEDS, SHARE, Claim, Runs
from analysis.statistics import crossing, grouped, mean, means, rank_correlation

PAPER = "Doshi et al. 2023 (arXiv 2310.13061)"
STUDIES = ("label_corruption", "label_corruption_paper")
PHASE = "select run_id, phase from phases where definition = 'doshi2023'"
HIGH = 0.9
"""The accuracy that counts as high in the paper's table 2."""
TOLD_APART = 0.15
"""Corruption from which a network that corrects all labels is told from one that keeps them: below, table 2 calls both
coexistence."""


def corruption(run: dict) -> float:
    """Share of the training labels that are wrong."""
    return run["point"]["task.label_corruption"]


def at_decay(runs: Runs, place: int) -> Runs:
    """The runs at one of the study's decays, counted in their order: 0 for the smallest, -1 for the largest."""
    by_decay = list(grouped(runs, lambda run: run["weight_decay"]).values())
    return by_decay[place] if len(by_decay) > 2 else []


def lightly_corrupted(runs: Runs) -> Runs:
    """The runs with the most data, at the two smallest corruptions that are told apart."""
    largest = max((run["train_fraction"] for run in runs), default=0)
    told_apart = [run for run in runs if run["train_fraction"] == largest and corruption(run) > TOLD_APART]
    smallest = sorted({corruption(run) for run in told_apart})[:2]
    return [run for run in told_apart if corruption(run) in smallest]


def share_in(phase: str, place: int):
    """Statistic: the share of lightly corrupted runs in a phase, at one of the decays."""
    return lambda runs: mean([run["phase"] == phase for run in lightly_corrupted(at_decay(runs, place))])


def kept(runs: Runs) -> float:
    """Mean share of the wrong labels that runs keep which generalize; NaN where fewer than five do."""
    shares = [
        1 - (1 - run["final_train_accuracy"]) / corruption(run)
        for run in lightly_corrupted(runs)
        if (run["final_test_accuracy"] or 0) >= HIGH
    ]
    return mean(shares) if len(shares) >= FEW_SEEDS else math.nan


def unlearned(runs: Runs) -> float:
    """Share of the wrong labels that generalizing runs keep without decay, minus that at the largest decay but one."""
    return kept(at_decay(runs, 0)) - kept(at_decay(runs, -2))


def fitted_before(runs: Runs) -> float:
    """Share of the runs which correct labels in the end that had fitted them before; NaN where there are none."""
    inverted = [run for run in runs if run["phase"] in ("partial_inversion", "full_inversion")]
    return mean([run["train_step_90"] is not None for run in inverted if corruption(run) > TOLD_APART])


def forgotten(runs: Runs) -> float:
    """Share of forgetting among runs whose test accuracy was high, at the largest decay minus without decay."""

    def share(group: Runs) -> float:
        return mean([run["phase"] == "forgetting" for run in group if (run["max_test_accuracy"] or 0) >= HIGH])

    return share(at_decay(runs, -1)) - share(at_decay(runs, 0))


def data_for_corruption(runs: Runs) -> float:
    """Rank correlation of corruption and the fraction of the data at which mean test accuracy reaches one half, without
    decay. Where no fraction does it is infinite, and comes last."""
    critical = {}
    for share, group in grouped(at_decay(runs, 0), corruption).items():
        critical[share] = crossing(
            means(group, lambda run: run["train_fraction"], lambda run: run["final_test_accuracy"])
        )
    return rank_correlation(critical)


CLAIMS = (
    Claim(
        name="coexistence",
        says="Without weight decay a network memorizes the corrupted labels and generalizes at once.",
        source=f"{PAPER}, abstract and Figure 3",
        published="in words: all corrupted labels memorized, and test accuracy 100%",
        studies=STUDIES,
        statistic=share_in("coexistence", 0),
        unit="share of runs in coexistence without decay, with the most data and little corruption",
        within=SHARE,
        columns=PHASE,
        above=0.5,
        note="Little corruption is the two smallest shares above 0.15; below, the paper's table does not tell whether "
        "corrupted labels are memorized. Modulo 31 there are a tenth of the paper's examples.",
    ),
    Claim(
        name="decay_unlearns_corrupted_labels",
        says="With weight decay a network that generalizes ignores the corrupted labels.",
        source=f"{PAPER}, abstract and Figure 3",
        published="training accuracy falls from 100% to 100 (1 - corruption)%: a difference of 1",
        studies=STUDIES,
        statistic=unlearned,
        unit="share of the wrong labels that generalizing runs keep, without decay minus at the largest decay but one",
        above=0.5,
    ),
    Claim(
        name="full_inversion",
        says="At a medium weight decay most networks correct all corrupted labels.",
        source=f"{PAPER}, Figure 3",
        published="in words: weight decay forces the network to ignore the corrupted data (decays 0, 5, 15 and 20)",
        studies=STUDIES,
        statistic=share_in("full_inversion", -2),
        unit="share of runs in full inversion at the largest decay but one, with the most data and little corruption",
        within=SHARE,
        columns=PHASE,
        above=0.5,
    ),
    Claim(
        name="fitted_before_corrected",
        says="The corrupted labels are fitted first, and unlearned after the network has generalized.",
        source=f"{PAPER}, abstract",
        published="in words: two consecutive stages, high training accuracy and then a sudden fall",
        studies=STUDIES,
        statistic=fitted_before,
        unit="share of the runs that end in inversion which had training accuracy 0.9 before",
        within=SHARE,
        columns=PHASE,
        above=0.5,
    ),
    Claim(
        name="too_much_decay_forgets",
        says="With too much weight decay networks that have generalized forget.",
        source=f"{PAPER}, Figure 3 and appendix C",
        published="in words: at decay 20 accuracy collapses together with the norm of the weights",
        studies=STUDIES,
        statistic=forgotten,
        unit="share of forgetting among runs whose test accuracy was 0.9, at the largest decay minus without decay",
        within=DIFFERENCE,
        columns=PHASE,
        above=0.5,
    ),
    Claim(
        name="corruption_needs_data",
        says="The more labels are corrupted, the more data a network needs to generalize.",
        source=f"{PAPER}, Figure 3",
        published="as a diagram of 17 fractions and 19 corruptions, without a number",
        studies=STUDIES,
        statistic=data_for_corruption,
        unit="rank correlation of corruption and critical fraction, without decay",
        within=CORRELATION,
        above=0.8,
    ),
)
