"""Raventos et al. 2023 (arXiv 2306.15063), Panwar et al. 2023 (2306.04891): in-context regression by number of tasks.

Two oracles answer examples of new tasks. The memorizer (dMMSE) is the posterior mean over the training tasks, and the
generalizer is ridge regression, the posterior mean over all tasks. A distance to an oracle is the mean squared
difference from its answers. The share of ridge is the place of a network on the line between both: 0 at the memorizer,
1 at ridge, above 1/2 nearer to ridge. Ridge is optimal on new tasks, so the distance to it is also the excess of the
loss over ridge.
"""

import math
from typing import Any

from analysis.claim import SHARE, Claim, Runs
from analysis.statistics import crossing, grouped, judged_best, mean, means

PAPER = "Raventos et al. 2023 (arXiv 2306.15063)"
STUDIES = ("in_context_regression", "in_context_regression_paper")

DISTANCES = """
    with distances as (
        select
            run_id, step,
            max(value) filter (where split = 'memorizer') as to_memorizer,
            max(value) filter (where split = 'generalizer') as to_ridge,
            max(value) filter (where split = 'midway') as to_midway,
            max(value) filter (where split = 'ood') as new_task_loss,
        from metrics where metric = 'loss' group by run_id, step
    ),
    separated as (
        select *, 2 * (to_memorizer + to_ridge) - 4 * to_midway as separation,
            first_value(to_ridge) over (partition by run_id order by step) as to_ridge_untrained,
        from distances
    ),
    placed as (
        select *, 0.5 + (to_memorizer - to_ridge) / nullif(2 * separation, 0) as ridge_share from separated
    )
    select
        run_id,
        arg_max(to_ridge, step) as to_ridge,
        arg_max(separation, step) as separation,
        arg_max(new_task_loss, step) as new_task_loss,
        arg_max(ridge_share, step) as ridge_share,
        max(ridge_share) filter (where to_ridge < to_ridge_untrained / 2) as highest_ridge_share,
    from placed group by run_id"""
"""The final distances of each run. `highest_ridge_share` is the maximum over the steps at which the distance to ridge
is less than half of its first value: an untrained network answers nearly 0, which may be nearer to either oracle."""


def tasks(run: dict[str, Any]) -> int:
    """How many tasks the run was trained on."""
    return run["point"]["task.num_tasks"]


def ridge_shares(runs: Runs) -> dict[int, float]:
    """Mean share of ridge at the end by number of tasks."""
    return means(runs, tasks, lambda run: run["ridge_share"])


def share_of_few(runs: Runs) -> float:
    """Share of ridge with the fewest tasks."""
    shares = ridge_shares(runs)
    return shares[min(shares)] if shares else math.nan


def share_of_many(runs: Runs) -> float:
    """Share of ridge with the most tasks."""
    shares = ridge_shares(runs)
    return shares[max(shares)] if shares else math.nan


def threshold(runs: Runs) -> float:
    """log2 of the number of tasks from which on networks are nearer to ridge; NaN where they always or never are."""
    found = crossing({math.log2(count): share for count, share in ridge_shares(runs).items()})
    return found if math.isfinite(found) else math.nan


def memorizers_excess(runs: Runs) -> float:
    """ln(excess loss over ridge on new tasks, memorizer / network), mean over the numbers of tasks at which networks
    are nearer to ridge."""
    memorizer = means(runs, tasks, lambda run: run["separation"])
    network = means(runs, tasks, lambda run: run["to_ridge"])
    above = [count for count, share in ridge_shares(runs).items() if share > 0.5]
    return mean([math.log(memorizer[count] / network[count]) for count in above])


def excess_of_many(runs: Runs) -> float:
    """Excess loss over ridge on new tasks, relative to the loss of ridge, with the most training tasks."""
    shares = ridge_shares(runs)
    most = [run for run in runs if shares and tasks(run) == max(shares) and run["to_ridge"] is not None]
    return mean([run["to_ridge"] / (run["new_task_loss"] - run["to_ridge"]) for run in most])


def forgetting(runs: Runs) -> float:
    """Fraction of runs that were nearer to ridge and end nearer to the memorizer, at the number of tasks that has most
    of them on other seeds."""
    groups = grouped([run for run in runs if run["ridge_share"] is not None], tasks)
    return judged_best(list(groups.values()), lambda group: mean([forgets(run) for run in group]))


def forgets(run: dict[str, Any]) -> bool:
    """True for a run that was nearer to ridge and ends nearer to the memorizer."""
    return run["ridge_share"] < 0.5 < (run["highest_ridge_share"] or 0)


CLAIMS = (
    Claim(
        name="few_tasks_are_memorized",
        says="A network trained on few tasks answers new ones like the Bayesian estimator over its training tasks.",
        source=f"{PAPER}, abstract and section 3",
        published="below the threshold networks behave like dMMSE",
        studies=STUDIES,
        statistic=share_of_few,
        unit="share of ridge with the fewest tasks",
        columns=DISTANCES,
        below=0.5,
    ),
    Claim(
        name="many_tasks_give_ridge",
        says="A network trained on many tasks answers new ones like ridge regression, not like the Bayesian estimator.",
        source=f"{PAPER}, abstract and section 3",
        published="above the threshold behaviour aligns with ridge regression",
        studies=STUDIES,
        statistic=share_of_many,
        unit="share of ridge with the most tasks",
        columns=DISTANCES,
        above=0.5,
    ),
    Claim(
        name="better_than_bayes_on_new_tasks",
        says="Above the threshold a network does better on new tasks than the Bayesian estimator over its own tasks.",
        source=f"{PAPER}, abstract",
        published="significantly outperforms dMMSE",
        studies=STUDIES,
        statistic=memorizers_excess,
        unit="ln(excess loss over ridge on new tasks, dMMSE / network), mean over numbers of tasks above the threshold",
        columns=DISTANCES,
        above=0.0,
    ),
    Claim(
        name="as_good_as_ridge",
        says="With many training tasks, the loss on new tasks becomes that of ridge regression.",
        source=f"{PAPER}, abstract and section 3",
        published="curves of the network and of ridge come together",
        studies=STUDIES,
        statistic=excess_of_many,
        unit="excess loss over ridge on new tasks, relative to ridge, with the most tasks",
        columns=DISTANCES,
        below=0.1,
        note="The paper gives no number for curves that come together; here within a tenth counts.",
    ),
    Claim(
        name="threshold_of_8_dimensions",
        says="In 8 dimensions, with 16 points and noise 0.5, the threshold is at about 2^14 tasks.",
        source=f"{PAPER}, section 3",
        published="between 2^14 and 2^15 tasks",
        studies=("in_context_regression_paper",),
        statistic=threshold,
        unit="log2(tasks) from which on networks are nearer to ridge",
        columns=DISTANCES,
        above=13.0,
        below=16.0,
        note="The paper reads it off how distances change with longer training; the bar allows a factor of two for "
        "this.",
    ),
    Claim(
        name="ridge_is_transient",
        says="Near the threshold a network first answers like ridge and later forgets it in favour of its training "
        "tasks.",
        source="Panwar et al. 2023 (arXiv 2306.04891), on forgetting; also Carroll et al. 2025 (arXiv 2501.17745)",
        published="the loss on new tasks falls and rises again at intermediate numbers of tasks",
        studies=STUDIES,
        statistic=forgetting,
        unit="fraction of runs first nearer to ridge and at the end nearer to dMMSE, at its best number of tasks",
        within=SHARE,
        columns=DISTANCES,
        above=0.5,
        note="The papers give no fraction of runs; here half is the bar.",
    ),
)
