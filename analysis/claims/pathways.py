"""Li, Fan, Zhou 2025 (arXiv 2506.21551): pathways of training examples through experts show generalization.

Once accuracy on held-out data rises for good, the pathways of memorized training examples come closer to each other and
change more smoothly from layer to layer, while the training loss says little. The rise of a run goes from the last look
with test accuracy below 0.1 to the first look with its maximum, and has at least four looks; the paper's correlations
are over 4 to 6 checkpoints.
"""

import math
from functools import partial

from analysis.claim import CORRELATION, DIFFERENCE, Claim, Runs
from analysis.statistics import mean

PAPER = "Li, Fan, Zhou 2025 (arXiv 2506.21551)"
STUDIES = ("pathways", "pathways_paper")

COLUMNS = """
    with found as (
        select
            run_id,
            step,
            max(value) filter (metric = 'pathway_distance') as distance,
            max(value) filter (metric = 'pathway_edits') as edits,
            max(value) filter (metric = 'pathway_smoothness') as smoothness,
            max(value) filter (metric = 'panel_distance') as of_panel,
        from probes where probe = 'pathway' group by run_id, step
    ),
    looks as (
        select run_id, step, distance, edits, smoothness, of_panel, test_accuracy, train_loss
        from found join curves using (run_id, step)
    ),
    rises as (
        select run_id, max(step) filter (test_accuracy < 0.1) as onset, arg_max(step, (test_accuracy, -step)) as top
        from looks group by run_id having top > onset
    ),
    correlations as (
        select
            run_id,
            corr(distance, test_accuracy) as distance_with_accuracy,
            corr(edits, test_accuracy) as edits_with_accuracy,
            corr(smoothness, test_accuracy) as smoothness_with_accuracy,
            corr(train_loss, test_accuracy) as loss_with_accuracy,
        from looks join rises using (run_id)
        where step between onset and top and distance is not null group by run_id having count(*) >= 4
    )
    select
        run_id,
        min_by(of_panel, step) as distance_at_first,
        max(of_panel) filter (step = onset) as distance_at_onset,
        max(of_panel) filter (step = top) as distance_at_top,
        any_value(distance_with_accuracy) as distance_with_accuracy,
        any_value(edits_with_accuracy) as edits_with_accuracy,
        any_value(smoothness_with_accuracy) as smoothness_with_accuracy,
        any_value(loss_with_accuracy) as loss_with_accuracy,
    from looks join rises using (run_id) left join correlations using (run_id) group by run_id
"""


def mean_of(column: str, runs: Runs) -> float:
    """Mean of a column over the runs that have it."""
    return mean([run[column] for run in runs if known(run, column)])


def known(run: dict, *columns: str) -> bool:
    """True for a run that has all of these numbers."""
    return all(run.get(column) is not None and math.isfinite(run[column]) for column in columns)


def stronger_than_loss(runs: Runs) -> float:
    """Mean over runs of |correlation of the distance| minus |correlation of the training loss|."""
    both = ("distance_with_accuracy", "loss_with_accuracy")
    return mean([abs(run[both[0]]) - abs(run[both[1]]) for run in runs if known(run, *both)])


def change(first: str, second: str, runs: Runs) -> float:
    """Mean over runs of the second column minus the first."""
    return mean([run[second] - run[first] for run in runs if known(run, first, second)])


SMALL = "The study for two cores has 3 layers of 8 experts and pathways of about 15 experts, the paper 16 layers of 64."
FIXED = "Over all examples of the panel, memorized or not: in these runs all of them are memorized at the end."

CLAIMS = (
    Claim(
        name="distance_falls_with_accuracy",
        says="While test accuracy rises, pathways of memorized training examples come closer to each other.",
        source=f"{PAPER}, Table 1",
        published="Pearson -0.93 to -0.98 over 4 to 6 checkpoints of four domains",
        studies=STUDIES,
        statistic=partial(mean_of, "distance_with_accuracy"),
        unit="correlation of pathway distance and test accuracy over the rise, mean over runs",
        within=CORRELATION,
        columns=COLUMNS,
        below=0.0,
        note=f"{SMALL} The distance is divided by the length of the longer pathway; edits_fall_with_accuracy has it as "
        "printed.",
    ),
    Claim(
        name="edits_fall_with_accuracy",
        says="While test accuracy rises, it takes fewer edits to turn pathways of memorized examples into each other.",
        source=f"{PAPER}, Table 1",
        published="Pearson -0.93 to -0.98 over 4 to 6 checkpoints of four domains",
        studies=STUDIES,
        statistic=partial(mean_of, "edits_with_accuracy"),
        unit="correlation of Levenshtein's distance and test accuracy over the rise, mean over runs",
        within=CORRELATION,
        columns=COLUMNS,
        below=0.0,
        note="The distance is as the paper prints it, not divided by the length. This claim was added after the first "
        "results. With weight decay routing becomes more even here, so pathways become longer and edits more.",
    ),
    Claim(
        name="smoothness_rises_with_accuracy",
        says="While test accuracy rises, pathways of memorized examples change more smoothly from layer to layer.",
        source=f"{PAPER}, Table 1",
        published="Pearson +0.92 to +0.99 over 4 to 6 checkpoints of four domains, there called consistency",
        studies=STUDIES,
        statistic=partial(mean_of, "smoothness_with_accuracy"),
        unit="correlation of pathway smoothness and test accuracy over the rise, mean over runs",
        within=CORRELATION,
        columns=COLUMNS,
        above=0.0,
        note=f"{SMALL} The paper's formula is 1 minus this and falls; in its table and figures it rises.",
    ),
    Claim(
        name="loss_tells_less",
        says="The training loss correlates less with test accuracy than pathway distance does.",
        source=f"{PAPER}, Table 1",
        published="training loss -0.04 to +0.79, distance -0.93 to -0.98",
        studies=STUDIES,
        statistic=stronger_than_loss,
        unit="|correlation of distance| minus |correlation of training loss|, mean over runs",
        within=DIFFERENCE,
        columns=COLUMNS,
        above=0.0,
        note=f"{SMALL} The loss falls while test accuracy rises and so correlates with it, as anything does that "
        "drifts with time.",
    ),
    Claim(
        name="distance_rises_while_memorizing",
        says="Pathways of training examples move apart while the examples are memorized.",
        source=f"{PAPER}, figures of pathway distance",
        published="low at the first checkpoints, then rising; no number",
        studies=STUDIES,
        statistic=partial(change, "distance_at_first", "distance_at_onset"),
        unit="pathway distance as test accuracy begins to rise, minus that at the first look, mean over runs",
        columns=COLUMNS,
        above=0.0,
        note=f"{FIXED} The first look is at step 100.",
    ),
    Claim(
        name="distance_falls_afterwards",
        says="After memorization, pathways of training examples come together again.",
        source=f"{PAPER}, figures of pathway distance",
        published="falling from memorization to the end of pretraining; no number",
        studies=STUDIES,
        statistic=partial(change, "distance_at_onset", "distance_at_top"),
        unit="pathway distance where test accuracy is highest, minus that where it begins to rise, mean over runs",
        columns=COLUMNS,
        below=0.0,
        note=f"{FIXED} In six runs of `pathways` on random labels it falls by 0.01.",
    ),
)
