"""Li, Fan, Zhou 2025 (arXiv 2506.21551): pathways of training examples through experts show generalization.

Once accuracy on held-out data rises for good, the pathways of training examples come closer to each other and change
more smoothly from layer to layer, while the training loss says little. The paper correlates both with accuracy over 4
to 6 checkpoints, which anything passes that drifts with time. Here the change of a run from its fit to its end is
compared with that of runs on random labels, which train as long and have nothing to generalize.
"""

import math
from functools import partial

from analysis.claim import DIFFERENCE, Claim, Runs
from analysis.statistics import Run, mean, on_random_labels, spearman

PAPER = "Li, Fan, Zhou 2025 (arXiv 2506.21551)"
STUDIES = ("pathways", "pathways_paper")

COLUMNS = """
    with looks as (
        select
            run_id,
            step,
            max(value) filter (metric = 'panel_distance') as distance,
            max(value) filter (metric = 'top_edits') as edits,
            max(value) filter (metric = 'pathway_smoothness') as smoothness,
            any_value(train_loss) as train_loss,
            any_value(train_accuracy) as train_accuracy,
        from probes join curves using (run_id, step) where probe = 'pathway' group by run_id, step
    ),
    fitted as (select * from looks where train_accuracy >= 0.99 and smoothness is not null),
    firsts as (select run_id, arg_min(distance, step) as first_distance from looks group by run_id)
    select
        run_id,
        arg_max(fitted.distance, step) - arg_min(fitted.distance, step) as distance_change,
        arg_max(fitted.edits, step) - arg_min(fitted.edits, step) as edits_change,
        arg_max(fitted.smoothness, step) - arg_min(fitted.smoothness, step) as smoothness_change,
        ln(arg_max(fitted.train_loss, step) / arg_min(fitted.train_loss, step)) as loss_change,
        arg_min(fitted.distance, step) - any_value(first_distance) as distance_while_fitting,
    from fitted join firsts using (run_id) group by run_id having count(*) >= 2
"""
"""Changes from the first look with training accuracy 0.99 to the last one, and to it from the first look of all."""


def labelled(runs: Runs, random: bool) -> Runs:
    """The runs on random labels, or the others; without those that never fit."""
    fitted = [run for run in runs if run["distance_change"] is not None]
    return [run for run in fitted if on_random_labels(run) == random]


def more_than_on_random_labels(column: str, sign: int, runs: Runs) -> float:
    """Mean change of the runs that have something to generalize, or this minus that of the runs on random labels:
    whichever is less in the direction of `sign`, so that both must have it."""
    true, control = (mean([run[column] for run in labelled(runs, random)]) for random in (False, True))
    return true - control if sign * (true - control) < sign * true or math.isnan(control) else true


def while_fitting(runs: Runs) -> float:
    """Mean change of the distance from the first look to the fit."""
    return mean([run["distance_while_fitting"] for run in labelled(runs, False)])


def stronger_than_loss(runs: Runs) -> float:
    """|Rank correlation over all runs of the distance's change and the final test accuracy|, minus that of the loss."""

    def with_accuracy(column: str) -> float:
        fitted: list[Run] = labelled(runs, False) + labelled(runs, True)
        return abs(spearman([run[column] for run in fitted], [run["final_test_accuracy"] for run in fitted]))

    return with_accuracy("distance_change") - with_accuracy("loss_change")


SMALL = "The study for two cores has 3 layers of 8 experts and pathways of about 15 experts, the paper 16 layers of 64."
CONTROL = "mean over runs, or this minus that on random labels if less"

CLAIMS = (
    Claim(
        name="distance_falls",
        says="After memorization, pathways of training examples come together, and more so where a network "
        "generalizes.",
        source=f"{PAPER}, Table 1 and figures of pathway distance",
        published="Pearson with accuracy -0.93 to -0.98 over 4 to 6 checkpoints of four domains",
        studies=STUDIES,
        statistic=partial(more_than_on_random_labels, "distance_change", -1),
        unit=f"change of the distance from the fit to the end, {CONTROL}",
        within=DIFFERENCE,
        columns=COLUMNS,
        below=0.0,
        note=f"{SMALL} The distance is divided by the length of the longer pathway.",
    ),
    Claim(
        name="edits_fall",
        says="After memorization, it takes fewer edits to turn pathways into each other, and more so where a network "
        "generalizes.",
        source=f"{PAPER}, Table 1",
        published="Pearson with accuracy -0.93 to -0.98 over 4 to 6 checkpoints of four domains",
        studies=STUDIES,
        statistic=partial(more_than_on_random_labels, "edits_change", -1),
        unit=f"change of the edits from the fit to the end, {CONTROL}",
        columns=COLUMNS,
        below=0.0,
        note="Of pathways with two experts of each layer: the paper's become longer as routing becomes more even.",
    ),
    Claim(
        name="smoothness_rises",
        says="After memorization, pathways change more smoothly from layer to layer, and more so where a network "
        "generalizes.",
        source=f"{PAPER}, Table 1",
        published="Pearson with accuracy +0.92 to +0.99 over 4 to 6 checkpoints, there called consistency",
        studies=STUDIES,
        statistic=partial(more_than_on_random_labels, "smoothness_change", 1),
        unit=f"change of the smoothness from the fit to the end, {CONTROL}",
        columns=COLUMNS,
        above=0.0,
        note=f"{SMALL} The paper's formula is 1 minus this and falls; in its table and figures it rises.",
    ),
    Claim(
        name="loss_tells_less",
        says="The pathways tell better than the training loss which runs generalize.",
        source=f"{PAPER}, Table 1",
        published="correlation with accuracy: training loss -0.04 to +0.79, distance -0.93 to -0.98",
        studies=STUDIES,
        statistic=stronger_than_loss,
        unit="|rank correlation of final accuracy and change of distance| minus |the same of ln(training loss)|",
        within=DIFFERENCE,
        columns=COLUMNS,
        above=0.0,
        note=f"{SMALL} Over runs on real and on random labels; the paper correlates within one run.",
    ),
    Claim(
        name="distance_rises_while_memorizing",
        says="Pathways of training examples move apart while the examples are memorized.",
        source=f"{PAPER}, figures of pathway distance",
        published="low at the first checkpoints, then rising; no number",
        studies=STUDIES,
        statistic=while_fitting,
        unit="pathway distance at the fit minus that at the first look, mean over runs",
        within=DIFFERENCE,
        columns=COLUMNS,
        above=0.0,
        note="The first look is at step 100.",
    ),
)
