"""Nanda et al. 2023 (arXiv 2301.05217): grokking is the gradual growth of a circuit, which progress measures show.

A network first memorizes, then forms a circuit of a few waves in a + b while nothing is seen from outside, and at last
cleans up what it had memorized. Restricted loss is that of these waves alone, excluded loss that without them
(trainables/probes/progress_measures.py). A run's fit is its first look with training accuracy 0.99 or more, its eve the
last look before test accuracy passes one half, its end the last look.
"""

import math

from analysis.claim import DIFFERENCE, Claim, Runs
from analysis.statistics import mean, on_random_labels

PAPER = "Nanda et al. 2023 (arXiv 2301.05217)"
STUDIES = ("progress_measures", "progress_measures_paper")

COLUMNS = """
    with looks as (
        select
            run_id,
            step,
            max(value) filter (metric = 'key_frequencies') as key_frequencies,
            max(value) filter (metric = 'restricted_loss') as restricted,
            max(value) filter (metric = 'excluded_loss') as excluded,
            max(value) filter (metric = 'gini') as gini,
        from probes where probe = 'progress_measures' group by run_id, step
    ),
    half_known as (
        select run_id, min(step) as test_loss_step
        from curves join outcomes using (run_id)
        where step >= train_step_99 and test_loss < -ln(chance_accuracy) / 2 group by run_id
    )
    select
        run_id,
        arg_max(restricted, step) filter (step < test_step_50) as restricted_on_eve,
        arg_min(excluded - train_loss, step) filter (step >= train_step_99) as excluded_at_fit,
        arg_max(excluded - train_loss, step) filter (step >= train_step_99 and step < test_step_50)
            as excluded_on_eve,
        arg_max(key_frequencies, step) as final_key_frequencies,
        arg_max(gini, step) - arg_min(gini, step) filter (step >= train_step_99) as gini_rise,
        min(step) filter (step >= train_step_99 and restricted < -ln(chance_accuracy) / 2) as restricted_step,
        any_value(test_loss_step) as test_loss_step,
    from looks join curves using (run_id, step) join outcomes using (run_id) left join half_known using (run_id)
    group by run_id
"""
"""Guessing costs -ln(chance accuracy) nats."""


def generalizing(runs: Runs) -> Runs:
    """The runs that pass one half of the test split after a look at which they had fitted."""
    return [run for run in runs if run["test_step_50"] and run["excluded_on_eve"] is not None]


def hidden_progress(runs: Runs) -> float:
    """Mean share of the loss of guessing that restricted loss has lost on the eve."""
    return mean([1 + run["restricted_on_eve"] / math.log(run["chance_accuracy"]) for run in generalizing(runs)])


def lead(runs: Runs) -> float:
    """Mean ln(steps until test loss is half that of guessing / until restricted loss is)."""
    both = [run for run in generalizing(runs) if run["restricted_step"] and run["test_loss_step"]]
    return mean([math.log(run["test_loss_step"] / run["restricted_step"]) for run in both])


def excluded_rise(runs: Runs) -> float:
    """Mean rise from the fit to the eve of excluded loss above the training loss, in nats."""
    return mean([run["excluded_on_eve"] - run["excluded_at_fit"] for run in generalizing(runs)])


def key_frequencies(runs: Runs) -> float:
    """Mean number of key frequencies at the end of true labels."""
    return mean([run["final_key_frequencies"] for run in runs if not on_random_labels(run) and run["test_step_50"]])


def gini_gain(runs: Runs) -> float:
    """Mean rise of the Gini coefficient after the fit in runs that generalize, minus that with random labels."""
    true = mean([run["gini_rise"] for run in generalizing(runs) if run["gini_rise"] is not None])
    return true - mean([run["gini_rise"] for run in runs if on_random_labels(run) and run["gini_rise"] is not None])


CLAIMS = (
    Claim(
        name="restricted_loss_falls_unseen",
        says="The loss of the circuit's waves alone has fallen while test accuracy is still below one half.",
        source=f"{PAPER}, progress measures",
        published="in words: restricted loss falls before test accuracy passes one half",
        studies=STUDIES,
        statistic=hidden_progress,
        unit="share of the loss of guessing that restricted loss has lost on the eve",
        columns=COLUMNS,
        above=0.5,
        note="Test loss is above that of guessing then.",
    ),
    Claim(
        name="restricted_loss_leads",
        says="Restricted loss falls before test loss.",
        source=f"{PAPER}, progress measures",
        published="in words",
        studies=STUDIES,
        statistic=lead,
        unit="mean ln(steps until test loss is half that of guessing / until restricted loss is)",
        columns=COLUMNS,
        above=0.0,
        note="Looks begin at step 100, so a restricted loss that has fallen before that counts as later than it was.",
    ),
    Claim(
        name="excluded_loss_rises",
        says="The loss without the circuit's waves rises while the training loss stays where it is.",
        source=f"{PAPER}, progress measures",
        published="in words: it rises while training loss is flat",
        studies=STUDIES,
        statistic=excluded_rise,
        unit="mean rise of excluded loss above training loss from the fit to the eve, nats",
        columns=COLUMNS,
        above=0.5,
    ),
    Claim(
        name="few_key_frequencies",
        says="A network that generalizes uses a few frequencies of all.",
        source=f"{PAPER}, the algorithm of the network",
        published="about 5 of 56 at p = 113",
        studies=STUDIES,
        statistic=key_frequencies,
        unit="mean number of key frequencies at the end",
        columns=COLUMNS,
        above=1.5,
        below=7.0,
        note="Of 18 frequencies at the small size. Who memorizes has none or one, and so has who uses all alike.",
    ),
    Claim(
        name="gini_rises",
        says="The embedding becomes sparse in Fourier space after the fit.",
        source=f"{PAPER}, progress measures",
        published="in words: it rises",
        studies=STUDIES,
        statistic=gini_gain,
        unit="rise of the Gini coefficient after the fit minus that with random labels",
        within=DIFFERENCE,
        columns=COLUMNS,
        above=0.1,
    ),
)
