"""Li, Fan, Zhou 2025 (arXiv 2506.21551): training examples' pathways through experts tell that a model generalizes.

After accuracy on held-out data has begun its sustained rise, the pathways of memorized training examples come closer to
each other and go more smoothly from layer to layer, while the training loss says little. The rise of a run: from the
last look at which test accuracy is below 0.1 to the first at which it is as high as it will be, four looks at least;
the paper's correlations fit 4 to 6 checkpoints.
"""

import math
from functools import partial

from analysis.claim import Claim, Runs
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
    """Whether a run has all of these numbers."""
    return all(run.get(column) is not None and math.isfinite(run[column]) for column in columns)


def stronger_than_loss(runs: Runs) -> float:
    """Mean over runs of |correlation of the distance| less |correlation of the training loss|."""
    both = ("distance_with_accuracy", "loss_with_accuracy")
    return mean([abs(run[both[0]]) - abs(run[both[1]]) for run in runs if known(run, *both)])


def change(first: str, second: str, runs: Runs) -> float:
    """Mean over runs of the distance at the second place less that at the first."""
    return mean([run[second] - run[first] for run in runs if known(run, first, second)])


SMALL = "For two cores three layers of 8 experts and pathways of about 15; the paper's model has 16 layers of 64."
FIXED = "Of all examples of the panel, memorized or not: in these runs all are memorized in the end."

CLAIMS = (
    Claim(
        name="distance_falls_with_accuracy",
        says="While test accuracy rises, pathways of memorized training examples come closer to each other.",
        source=f"{PAPER}, Table 1",
        published="Pearson -0.93 to -0.98 over 4 to 6 checkpoints of four domains",
        studies=STUDIES,
        statistic=partial(mean_of, "distance_with_accuracy"),
        unit="correlation of pathway distance and test accuracy over the rise, mean over runs",
        columns=COLUMNS,
        below=0.0,
        note=f"{SMALL} Over the length of the longer pathway; see edits_fall_with_accuracy for what is printed.",
    ),
    Claim(
        name="edits_fall_with_accuracy",
        says="While test accuracy rises, fewer edits turn pathways of memorized training examples into each other.",
        source=f"{PAPER}, Table 1",
        published="Pearson -0.93 to -0.98 over 4 to 6 checkpoints of four domains",
        studies=STUDIES,
        statistic=partial(mean_of, "edits_with_accuracy"),
        unit="correlation of Levenshtein's distance and test accuracy over the rise, mean over runs",
        columns=COLUMNS,
        below=0.0,
        note="The distance as the paper prints it, not over the length; as a claim of its own it was added after the "
        "first results. With decay routing gets more even here, so pathways get longer and edits more.",
    ),
    Claim(
        name="smoothness_rises_with_accuracy",
        says="While test accuracy rises, pathways of memorized training examples go more smoothly from layer to layer.",
        source=f"{PAPER}, Table 1",
        published="Pearson +0.92 to +0.99 over 4 to 6 checkpoints of four domains, there called consistency",
        studies=STUDIES,
        statistic=partial(mean_of, "smoothness_with_accuracy"),
        unit="correlation of pathway smoothness and test accuracy over the rise, mean over runs",
        columns=COLUMNS,
        above=0.0,
        note=f"{SMALL} The formula of the paper is 1 less this and falls; its table and figures have it rise.",
    ),
    Claim(
        name="loss_tells_less",
        says="The training loss goes with test accuracy less closely than pathway distance does.",
        source=f"{PAPER}, Table 1",
        published="training loss -0.04 to +0.79, distance -0.93 to -0.98",
        studies=STUDIES,
        statistic=stronger_than_loss,
        unit="|correlation of distance| less |correlation of training loss|, mean over runs",
        columns=COLUMNS,
        above=0.0,
        note=f"{SMALL} Here the loss falls while test accuracy rises; so does all that drifts with time.",
    ),
    Claim(
        name="distance_rises_while_memorizing",
        says="Pathways of training examples go apart while the examples are memorized.",
        source=f"{PAPER}, figures of pathway distance",
        published="low at the first checkpoints, then rising; no number",
        studies=STUDIES,
        statistic=partial(change, "distance_at_first", "distance_at_onset"),
        unit="pathway distance as test accuracy begins to rise, less that at the first look, mean over runs",
        columns=COLUMNS,
        above=0.0,
        note=f"{FIXED} The first look is at step 100.",
    ),
    Claim(
        name="distance_falls_afterwards",
        says="After memorization pathways of training examples come together again.",
        source=f"{PAPER}, figures of pathway distance",
        published="falling from memorization to the end of pretraining; no number",
        studies=STUDIES,
        statistic=partial(change, "distance_at_onset", "distance_at_top"),
        unit="pathway distance where test accuracy is highest, less that where it begins to rise, mean over runs",
        columns=COLUMNS,
        below=0.0,
        note=f"{FIXED} In six runs of `pathways` on random labels it falls by 0.01.",
    ),
)
