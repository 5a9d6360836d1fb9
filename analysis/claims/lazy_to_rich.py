"""Kumar et al. 2023 (arXiv 2310.06110): networks grok where they begin lazy and become rich.

A lazy network fits with the kernel that it began with, which does not know the task; once features are learned, it
generalizes. How lazy it is, is set by a factor on its output, with no weight decay anywhere. The delay of a run is its
steps to test accuracy 0.95 divided by those to training accuracy 0.95.
"""

import math
from statistics import median

from analysis.claim import DIFFERENCE, RATIO, SHARE, Claim, Runs
from analysis.statistics import generalized, mean, on_random_labels

PAPER = "Kumar et al. 2023 (arXiv 2310.06110)"
STUDIES = ("lazy_to_rich", "lazy_to_rich_paper")
SCALE, RATE = "model.output_scale", "optimizer.learning_rate"
LONG = 1.5
"""A test set that takes more than so many times the steps of the training set is answered late."""

COLUMNS = """
    with losses as (
        select
            run_id,
            min(step) filter (train_loss < 0.75) as train_loss_step,
            min(step) filter (test_loss < 0.75) as test_loss_step,
        from curves group by run_id
    ),
    looks as (
        select
            run_id,
            arg_min(value, step) as alignment_at_first,
            arg_min(value, step) filter (step >= train_step_95) as alignment_at_fit,
            arg_max(value, step) filter (step <= coalesce(test_step_95, step)) as alignment_at_passage,
        from probes join outcomes using (run_id) where probe = 'kernel_alignment' group by run_id
    )
    select * from losses join looks using (run_id)
"""
"""The passage of a run that does not generalize is its last look. Losses are squared errors, 1 for no answer at all."""


def with_rule(runs: Runs) -> Runs:
    """The runs with true labels whose rate belongs to their scale: at each scale those of the largest rate."""
    true = [run for run in runs if not on_random_labels(run)]
    largest: dict[float, float] = {}
    for run in true:
        scale, rate = run["point"][SCALE], run["point"][RATE]
        largest[scale] = max(rate, largest.get(scale, 0.0))
    return [run for run in true if run["point"][RATE] == largest[run["point"][SCALE]]]


def laziest(runs: Runs) -> Runs:
    """The runs of the largest scale, with true labels and random ones."""
    scale = max((run["point"][SCALE] for run in runs), default=0.0)
    return [run for run in runs if run["point"][SCALE] == scale]


def richest(runs: Runs) -> Runs:
    """The runs of the smallest scale with the rate that belongs to it."""
    scale = min((run["point"][SCALE] for run in runs), default=0.0)
    return [run for run in with_rule(runs) if run["point"][SCALE] == scale]


def slow(runs: Runs) -> Runs:
    """The runs of the smallest scale with the rate of the largest."""
    rates = {run["point"][RATE] for run in laziest(runs)}
    scale = min((run["point"][SCALE] for run in runs), default=0.0)
    return [run for run in runs if run["point"][SCALE] == scale and run["point"][RATE] in rates]


def delay(runs: Runs, fit: str = "train_step_95", passage: str = "test_step_95") -> float:
    """Median over runs of passage / fit, infinite for a run that never passes; NaN where half have not fitted."""
    ratios = [(run[passage] or math.inf) / run[fit] for run in runs if run[fit]]
    return median(ratios) if 2 * len(ratios) > len(runs) else math.nan


def gain(above: Runs, below: Runs, *steps: str) -> float:
    """How many times as long the delay of the one is as that of the other; NaN where neither ever generalizes."""
    a, b = delay(above, *steps), delay(below, *steps)
    return a / b if math.isfinite(a) or math.isfinite(b) else math.nan


def with_scale(runs: Runs) -> float:
    """Delay at the largest scale / at the smallest, by accuracy."""
    return gain(with_rule(laziest(runs)), richest(runs))


def with_scale_by_loss(runs: Runs) -> float:
    """The same by the steps to a loss of three quarters of that of no answer."""
    return gain(with_rule(laziest(runs)), richest(runs), "train_loss_step", "test_loss_step")


def with_scale_at_one_rate(runs: Runs) -> float:
    """Delay at the largest scale / at the smallest with the same rate."""
    return gain(with_rule(laziest(runs)), slow(runs))


def late_without_decay(runs: Runs) -> float:
    """Share of the fitted runs with a rule that generalize late; none has weight decay."""
    fitted = [run for run in with_rule(runs) if run["train_step_95"]]
    return mean([generalized(run) and run["test_step_95"] > LONG * run["train_step_95"] for run in fitted])


def norm_rise(runs: Runs) -> float:
    """Mean ln(weight norm when a lazy network generalizes / when it has fitted)."""
    lazy = [run for run in with_rule(laziest(runs)) if run["norm_at_test_step"] and run["norm_at_train_step"]]
    return mean([math.log(run["norm_at_test_step"] / run["norm_at_train_step"]) for run in lazy])


def aligned(run: dict) -> bool:
    """True for a run whose kernel was looked at before it generalized, and after its fit."""
    return run["alignment_at_fit"] is not None and run["alignment_at_passage"] is not None


def after_fit(run: dict) -> float:
    """How much the alignment rises from the fit to the passage."""
    return run["alignment_at_passage"] - run["alignment_at_fit"]


def late_alignment(runs: Runs) -> float:
    """Mean of the rise after the fit minus the rise before it, of lazy runs minus those of the smallest scale."""

    def late(group: Runs) -> float:
        known = [run for run in group if aligned(run)]
        return mean([after_fit(run) - (run["alignment_at_fit"] - run["alignment_at_first"]) for run in known])

    return late(with_rule(laziest(runs))) - late(richest(runs))


def alignment_with_rule(runs: Runs) -> float:
    """Mean rise after the fit of lazy runs with a rule minus that with random labels."""
    lazy = [run for run in laziest(runs) if aligned(run)]
    true, others = ([after_fit(run) for run in lazy if on_random_labels(run) == given] for given in (False, True))
    return mean(true) - mean(others)


CLAIMS = (
    Claim(
        name="delay_rises_with_scale",
        says="The larger the scale of the output, the longer generalizing lags behind fitting.",
        source=f"{PAPER}, abstract and section 5",
        published="in words",
        studies=STUDIES,
        statistic=with_scale,
        unit="delay at the largest scale / at the smallest, medians over seeds",
        within=RATIO,
        above=2.0,
    ),
    Claim(
        name="delay_of_the_loss_rises_with_scale",
        says="So does the delay of test loss behind training loss.",
        source=f"{PAPER}, abstract and section 5",
        published="in words; the paper reads loss curves rather than accuracies",
        studies=STUDIES,
        statistic=with_scale_by_loss,
        unit="delay at the largest scale / at the smallest, by steps to a loss of 0.75",
        within=RATIO,
        columns=COLUMNS,
        above=1.5,
    ),
    Claim(
        name="scale_and_not_rate",
        says="It is the scale that delays, and not the smaller learning rate that goes with it.",
        source=f"{PAPER}, section 5",
        published="in words",
        studies=STUDIES,
        statistic=with_scale_at_one_rate,
        unit="delay at the largest scale / at the smallest with the same learning rate",
        within=RATIO,
        above=2.0,
    ),
    Claim(
        name="no_decay_is_needed",
        says="Networks generalize late without any weight decay.",
        source=f"{PAPER}, abstract",
        published="in words: without regularization",
        studies=STUDIES,
        statistic=late_without_decay,
        unit=f"share of the runs that generalize, in more than {LONG} times the steps of the fit",
        within=SHARE,
        above=0.8,
    ),
    Claim(
        name="norm_rises",
        says="The weight norm rises from the fit to generalization, so that its fall cannot be what generalizes.",
        source=f"{PAPER}, Figure 1",
        published="in words: the norm of the parameters increases",
        studies=STUDIES,
        statistic=norm_rise,
        unit="mean ln(weight norm at test accuracy 0.95 / at training accuracy 0.95), largest scale",
        above=0.1,
        note="Without decay the norm also rises where labels are random, so it is no sign of generalization.",
    ),
    Claim(
        name="kernel_turns_after_the_fit",
        says="The tangent kernel of a lazy network turns to the labels after the fit, later than that of a rich one.",
        source=f"{PAPER}, section 5",
        published="in words: features are learned late, once training loss is low",
        studies=STUDIES,
        statistic=late_alignment,
        unit="rise of the alignment after the fit minus that before it, largest scale minus smallest",
        columns=COLUMNS,
        above=0.0,
        note="Looks begin at step 100, where the fit takes about 240 at the small size.",
    ),
    Claim(
        name="kernel_turns_to_a_rule",
        says="It turns so where there is a rule to learn, and not where labels are random.",
        source=f"{PAPER}, section 5",
        published="in words",
        studies=STUDIES,
        statistic=alignment_with_rule,
        unit="rise of the alignment after the fit minus that with random labels, largest scale",
        within=DIFFERENCE,
        columns=COLUMNS,
        above=0.02,
    ),
)
