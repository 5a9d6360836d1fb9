"""Wang et al. 2024 (arXiv 2405.15071): transformers that grok reason implicitly over the facts in their weights.

Composition generalizes in distribution long after the training set is fitted, and sooner with a larger ratio of
inferred to atomic facts. It does not generalize to facts that were never composed in training. Comparison does.
"""

import math
from functools import partial
from statistics import median

from analysis.claim import CORRELATION, DIFFERENCE, RATIO, SHARE, Claim, Runs
from analysis.statistics import grouped, mean, spearman

PAPER = "Wang et al. 2024 (arXiv 2405.15071)"
SMALL = "Two layers, width 128, 1,000 facts: a fortieth of the paper's."
TINY = "Two layers where the axis is not the layers, width 64, 170 to 340 facts about 12 to 24 entities."

LOOKS = """
    with looks as (
        select
            run_id,
            step,
            max(value) filter (metric = 'strength' and position = 'h') as strength_h,
            max(value) filter (metric = 'strength' and position = 'r1') as strength_r1,
            max(value) filter (metric = 'mrr_bridge' and position = 'r1') as bridge,
            max(value) filter (metric = 'mrr_r2' and position = 'r2') as r2,
        from probes join runs using (run_id) where layer = greatest(1, round(layers * 5 / 8)) group by run_id, step
    ),
    fitted as (select looks.*, train_step_90 from looks join outcomes using (run_id) where step >= train_step_90)
    select
        run_id,
        arg_min(strength_h, step) as strength_h_at_fit,
        arg_max(strength_h, step) as strength_h_at_end,
        arg_min(strength_r1, step) as strength_r1_at_fit,
        arg_max(strength_r1, step) as strength_r1_at_end,
        min(bridge) as least_bridge,
        arg_min(r2, step) as r2_at_fit,
        arg_max(r2, step) as r2_at_end,
    from fitted group by run_id having count(*) >= 2
"""
"""What the probes find in the states of one layer of each run, at the first look after training accuracy 0.9 and at the
last one: in the paper's layer 5 of 8, and so in layer 1 of 2."""


def steps_by(runs: Runs, column: str) -> dict[float, float]:
    """Median step at which test accuracy reaches 0.9, by the value of a column; runs that never do are the slowest."""
    groups = grouped(runs, lambda run: run[column])
    steps = {key: [run["test_step_90"] for run in group] for key, group in groups.items()}
    return {key: median(math.inf if step is None else step for step in known) for key, known in steps.items()}


def steps_with(column: str, runs: Runs) -> float:
    """Rank correlation over runs of a column and the step at which test accuracy reaches 0.9; runs that never do are
    the slowest. Over runs, because that of the medians of three values is -1, -0.87 or -0.5, and nothing between."""
    steps = [math.inf if run["test_step_90"] is None else float(run["test_step_90"]) for run in runs]
    return spearman([run[column] for run in runs], steps)


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


def over_chance_when_shared(runs: Runs) -> float:
    """Mean final out-of-distribution accuracy of the runs whose layers run twice, over chance."""
    known = [run for run in runs if run["point"]["model.loops"] > 1 and run["final_ood_accuracy"] is not None]
    return mean([run["final_ood_accuracy"] / run["chance_accuracy"] for run in known])


def grokked(runs: Runs) -> Runs:
    """The runs with looks before and after, whose test accuracy reaches 0.9 at least twice as late as training accuracy
    does."""
    looked_at = [run for run in runs if run["r2_at_end"] is not None and run["test_step_90"] is not None]
    return [run for run in looked_at if run["test_step_90"] >= 2 * run["train_step_90"]]


def strength_moves(runs: Runs) -> float:
    """Mean over grokked runs of the change of the strength at r1 minus that at h."""
    known = grokked(runs)
    r1 = mean([run["strength_r1_at_end"] - run["strength_r1_at_fit"] for run in known])
    return r1 - mean([run["strength_h_at_end"] - run["strength_h_at_fit"] for run in known])


def bridge_is_readable(runs: Runs) -> float:
    """Mean over grokked runs of the least MRR of the bridge entity at r1 in any look after the fit."""
    return mean([run["least_bridge"] for run in grokked(runs)])


def r2_becomes_readable(runs: Runs) -> float:
    """Mean over grokked runs of the change of the MRR of r2 at r2."""
    return mean([run["r2_at_end"] - run["r2_at_fit"] for run in grokked(runs)])


CLAIMS = (
    Claim(
        name="ratio_sets_the_speed",
        says="The larger the ratio of inferred to atomic facts, the sooner composition generalizes.",
        source=f"{PAPER}, section 3 and Figure 2(a)",
        published="ratio 18 reaches 0.967 before the training set is fitted, 7.2 takes about 50 times the fit",
        studies=("small_composition_ratio", "composition_ratio"),
        statistic=partial(steps_with, "ratio"),
        unit="rank correlation over runs of ratio and step of test accuracy 0.9",
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
        statistic=partial(steps_with, "weight_decay"),
        unit="rank correlation over runs of decay and step of test accuracy 0.9",
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
    Claim(
        name="deeper_is_sooner",
        says="Deeper models compose in fewer steps, and one layer, which cannot look up twice, does not.",
        source=f"{PAPER}, appendix E.1 and Figure 7",
        published="larger models converge in fewer steps; no other change",
        studies=("small_composition_layers", "composition_layers"),
        statistic=partial(steps_with, "layers"),
        unit="rank correlation over runs of layers and step of test accuracy 0.9",
        within=CORRELATION,
        below=0.0,
        note=TINY,
    ),
    Claim(
        name="sharing_is_systematic",
        says="Layers that run twice with the same weights compose facts that were never composed in training.",
        source=f"{PAPER}, appendix E.2; an independent repetition: 0.09 after 50,000 steps, 0.17 after 100,000",
        published="unlocked, and gained much more slowly than in distribution",
        studies=("small_composition_sharing", "composition_sharing"),
        statistic=over_chance_when_shared,
        unit="mean final out-of-distribution accuracy of shared layers over chance",
        within=RATIO,
        above=3.0,
        note="10,000 steps. Without shared layers, the other half of the study, composition_is_not_systematic holds.",
    ),
    Claim(
        name="strength_moves_to_r1",
        says="While a network groks, the answer comes to hang on the state at r1, which holds the bridge entity.",
        source=f"{PAPER}, section 3.3 and Figure 4",
        published="the causal strength of S[5, r1] grows sharply; after it, that of h is 0 (a repetition)",
        studies=("small_composition_ratio", "composition_ratio"),
        statistic=strength_moves,
        unit="change of the strength of S[1, r1] minus that of S[1, h], from the fit to the end, in grokked runs",
        within=(-2.0, 2.0),
        above=0.0,
        columns=LOOKS,
        note=SMALL,
    ),
    Claim(
        name="the_bridge_is_readable",
        says="The bridge entity can be read at r1 in the middle layer, before and after a network groks.",
        source=f"{PAPER}, section 3.3",
        published="its mean reciprocal rank at S[5, r1] is high throughout (1.0 in a repetition)",
        studies=("small_composition_ratio", "composition_ratio"),
        statistic=bridge_is_readable,
        unit="least MRR of the bridge entity at S[1, r1] after the fit, in grokked runs",
        within=SHARE,
        above=0.5,
        columns=LOOKS,
        note=SMALL,
    ),
    Claim(
        name="r2_becomes_readable",
        says="While a network groks, r2 comes to be readable at r2 in the middle layer, where the second hop begins.",
        source=f"{PAPER}, section 3.3 and Figure 4",
        published="its mean reciprocal rank at S[5, r2] grows",
        studies=("small_composition_ratio", "composition_ratio"),
        statistic=r2_becomes_readable,
        unit="change of the MRR of r2 at S[1, r2], from the fit to the end, in grokked runs",
        within=DIFFERENCE,
        above=0.2,
        columns=LOOKS,
        note=SMALL,
    ),
)
