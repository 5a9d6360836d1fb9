"""Kirsch et al. 2022, GPICL (arXiv 2212.04458): with enough tasks a transformer learns to learn instead of remembering.

What a run learns within an example is its accuracy at the last answer minus that at the first, on training tasks or on
unseen ones. In memorization, training tasks are answered at once and nothing is learned within an example. In
identification, something is learned on training tasks only; in learning to learn, also on unseen ones. Numbers of tasks
are counted in doublings.
"""

import math

from analysis.claim import DIFFERENCE, SHARE, Claim, Runs
from analysis.statistics import crossing, grouped, mean, means

PAPER = "Kirsch et al. 2022 (arXiv 2212.04458)"
REPLICATION = "a replication with 4 layers (Lerostre/gpicl)"
STUDIES = ("learning_to_learn", "learning_to_learn_digits", "learning_to_learn_paper")
OF_WIDTHS = ("learning_to_learn", "learning_to_learn_paper")
MARGIN = 0.1
"""Something is learned within an example if accuracy rises by more than this. The paper names no number."""

COLUMNS = """
select
    run_id,
    arg_max(value, step) filter (where split = 'test_first') as first_test_accuracy,
    arg_max(value, step) filter (where split = 'ood_first') as first_ood_accuracy
from metrics
where metric = 'accuracy' and split in ('test_first', 'ood_first')
group by run_id
"""


def main(runs: Runs) -> Runs:
    """The runs of the study's grid that were measured, without its further points that vary the batch size."""
    return [run for run in runs if "batch_size" not in run["point"] and run["first_test_accuracy"] is not None]


def doublings(run: dict) -> float:
    """log2 of the number of tasks."""
    return math.log2(run["point"]["task.num_tasks"])


def learnt_seen(run: dict) -> float:
    """Last minus first accuracy on training tasks."""
    return run["final_test_accuracy"] - run["first_test_accuracy"]


def learnt_unseen(run: dict) -> float:
    """Last minus first accuracy on unseen tasks."""
    return run["final_ood_accuracy"] - run["first_ood_accuracy"]


def phase(run: dict) -> str:
    """learning_to_learn, identification, memorization (first accuracy more than half way from chance to 1), or none."""
    if learnt_unseen(run) > MARGIN:
        return "learning_to_learn"
    if learnt_seen(run) > MARGIN:
        return "identification"
    return "memorization" if run["first_test_accuracy"] > (1 + run["chance_accuracy"]) / 2 else "none"


def memorized_at_fewest(runs: Runs) -> float:
    """Fraction of memorization among the runs with the fewest tasks."""
    by_tasks = list(grouped(main(runs), doublings).values())
    return mean([phase(run) == "memorization" for run in by_tasks[0]]) if by_tasks else math.nan


def learnt_at_most(runs: Runs) -> float:
    """Mean of what the runs with the most tasks learn on unseen tasks."""
    by_tasks = list(grouped(main(runs), doublings).values())
    return mean([learnt_unseen(run) for run in by_tasks[-1]]) if by_tasks else math.nan


def reaches(runs: Runs, share: float) -> float:
    """Doublings at which the mean learning on unseen tasks reaches this share of its maximum.

    NaN where the maximum is not above the margin, and where the first number of tasks already reaches the share.
    """
    curve = means(runs, doublings, learnt_unseen)
    if not curve or max(curve.values()) <= MARGIN:
        return math.nan
    found = crossing(curve, share * max(curve.values()))
    return found if math.isfinite(found) else math.nan


def rise(runs: Runs) -> float:
    """Doublings of tasks from a fifth to four fifths of the highest learning on unseen tasks, mean over widths."""
    widths = grouped(main(runs), lambda run: run["width"]).values()
    return mean([reaches(of_width, 0.8) - reaches(of_width, 0.2) for of_width in widths])


def shift_with_width(runs: Runs) -> float:
    """Doublings at half of the highest learning on unseen tasks, of the widest minus the narrowest network."""
    widths = list(grouped(main(runs), lambda run: run["width"]).values())
    return reaches(widths[-1], 0.5) - reaches(widths[0], 0.5) if len(widths) > 1 else math.nan


def memory_with_width(runs: Runs) -> float:
    """First accuracy on training tasks, of the widest minus the narrowest network, mean over numbers of tasks."""
    widths = list(grouped(main(runs), lambda run: run["width"]).values())
    if len(widths) < 2:
        return math.nan
    narrow, wide = (means(w, doublings, lambda run: run["first_test_accuracy"]) for w in (widths[0], widths[-1]))
    return mean([wide[tasks] - narrow[tasks] for tasks in narrow.keys() & wide.keys()])


CLAIMS = (
    Claim(
        name="few_tasks_are_memorized",
        says="With few tasks a transformer remembers them and learns nothing within an example.",
        source=f"{PAPER}, insight 3 and Figure 4",
        published=f"drawn without a number; in {REPLICATION} 0.00 is learned on unseen tasks up to 2^12",
        studies=STUDIES,
        statistic=memorized_at_fewest,
        unit="fraction of memorization among the runs with the fewest tasks",
        within=SHARE,
        columns=COLUMNS,
        above=0.5,
    ),
    Claim(
        name="many_tasks_are_learnt_to_be_learnt",
        says="With many tasks a transformer learns unseen ones from the examples that it is given.",
        source=f"{PAPER}, insight 3 and Figure 4",
        published=f"from about 2^13 tasks on; in {REPLICATION} 0.42 at 2^14 and about 0.5 from 2^15 on",
        studies=STUDIES,
        statistic=learnt_at_most,
        unit="last minus first accuracy on unseen tasks, with the most tasks",
        within=DIFFERENCE,
        columns=COLUMNS,
        above=0.3,
    ),
    Claim(
        name="transition_is_sharp",
        says="Learning to learn appears abruptly as the number of tasks grows.",
        source=f"{PAPER}, insight 3 and Figure 4",
        published=f"a transition at about 2^13 tasks; in {REPLICATION} -0.05 at 2^13 and 0.42 at 2^14",
        studies=STUDIES,
        statistic=rise,
        unit="doublings of tasks from 0.2 to 0.8 of the highest learning on unseen tasks",
        columns=COLUMNS,
        below=2.0,
        note="The paper gives no width of its transition; here less than a factor of four counts as sharp.",
    ),
    Claim(
        name="wider_needs_more_tasks",
        says="The larger the network, the more tasks it needs before it learns instead of remembering.",
        source=f"{PAPER}, Figure 2: what is remembered grows with the network, and learning replaces it",
        published=f"no number; {REPLICATION} shows no such shift: at 2^14 tasks 0.37 to 0.50 for widths 64 to 512",
        studies=OF_WIDTHS,
        statistic=shift_with_width,
        unit="doublings of tasks at half of the highest learning on unseen tasks, widest minus narrowest",
        columns=COLUMNS,
        above=0.0,
        note="Small networks are slow as well as forgetful. Tried in 1000 steps: widths 16 and 48, and one seed "
        "of width 8, which needs more tasks than both before it learns unseen ones.",
    ),
    Claim(
        name="wider_remembers_more",
        says="A larger network knows more of its training tasks by heart.",
        source=f"{PAPER}, Figure 2",
        published=f"no number; in {REPLICATION} at 2^12 tasks 0.34, 0.56, 0.73, 0.84 on seen tasks at widths 64 to 512",
        studies=OF_WIDTHS,
        statistic=memory_with_width,
        unit="first accuracy on training tasks, widest minus narrowest, mean over numbers of tasks",
        within=DIFFERENCE,
        columns=COLUMNS,
        above=0.0,
    ),
)
