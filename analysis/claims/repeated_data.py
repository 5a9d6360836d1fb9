"""Hernandez et al. 2022 (arXiv 2205.10487): repeating a small part of the data harms most at a medium count.

At a constant budget and a constant share of repeated data, the loss on fresh data is a double descent in the number of
repeats. Its peak lies where the repeated part is nearly memorized.
"""

import math

from analysis.claim import CORRELATION, RATIO, Claim, Runs
from analysis.statistics import dip, grouped, means, rank_correlation

PAPER = "Hernandez et al. 2022 (arXiv 2205.10487)"
STUDIES = ("repeated_data", "repeated_data_paper")
LOSSES = """
    select
        run_id,
        fresh - avg(fresh) over (partition by data_seed) + avg(fresh) over () as fresh_loss,
        repeated as repeated_loss
    from (
        select
            run_id,
            arg_max(value, step) filter (where split = 'test') as fresh,
            arg_max(value, step) filter (where split = 'repeated') as repeated
        from metrics where metric = 'loss' group by run_id
    ) join runs using (run_id)"""
"""Every seed has a chain of its own, and how predictable chains are differs more than what repeats cost. So losses on
fresh examples are compared within a seed: each loses the mean of its seed over all points, and gets that of all."""


def fresh_losses(runs: Runs) -> dict[int, float]:
    """Mean final loss on fresh examples by number of repeats."""
    return means(runs, repeats, lambda run: run["fresh_loss"])


def repeats(run: dict) -> int | None:
    """How often a run sees each repeated example."""
    return run["point"].get("task.repeats")


def by_share(runs: Runs) -> dict[float, Runs]:
    """The runs by the share of the data that is repeated."""
    measured = [run for run in runs if run["fresh_loss"] is not None]  # a run that failed has no losses
    return grouped(measured, lambda run: run["point"].get("task.repeated_share"))


def peak_height(runs: Runs) -> float:
    """How far the loss on fresh data rises above what comes before and after, at the largest share, in nats."""
    shares = list(by_share(runs).values())
    return dip([-loss for loss in fresh_losses(shares[-1]).values()]) if shares else math.nan


def known_at_peak(runs: Runs) -> float:
    """Loss on the repeated examples at the worst number of repeats / at the smallest one, at the largest share."""
    shares = list(by_share(runs).values())
    if not shares:
        return math.nan
    fresh, known = fresh_losses(shares[-1]), means(shares[-1], repeats, lambda run: run["repeated_loss"])
    return known[max(fresh, key=lambda count: fresh[count])] / known[min(known)]


def harm_by_share(runs: Runs) -> float:
    """Rank correlation of the repeated share and the loss on fresh data at its worst number of repeats."""
    return rank_correlation({share: max(fresh_losses(group).values()) for share, group in by_share(runs).items()})


CLAIMS = (
    Claim(
        name="double_descent_in_repeats",
        says="The loss on fresh data rises with the number of repeats and falls again.",
        source=f"{PAPER}, section 2 and Figure 2",
        published="few repeats are harmless, and so are very many; 10% of the tokens are repeated",
        studies=STUDIES,
        statistic=peak_height,
        unit="nats by which the peak stands above both sides, at the largest share",
        columns=LOSSES,
        above=0.05,
        note="The paper's text and models are too large for two cores: here a Markov chain and a transformer of width "
        "32.",
    ),
    Claim(
        name="peak_where_memorized",
        says="The peak lies where the loss on the repeated examples comes near zero.",
        source=f"{PAPER}, section 2 and Figure 2",
        published="the loss on repeated data approaches zero at the peak",
        studies=STUDIES,
        statistic=known_at_peak,
        unit="loss on repeated examples at the worst number of repeats / without repeats",
        within=RATIO,
        columns=LOSSES,
        below=0.25,
    ),
    Claim(
        name="more_repeated_more_harm",
        says="At the worst number of repeats, a larger repeated share does more harm.",
        source=f"{PAPER}, section 2",
        published="harm grows from 1% to 90% of repeated tokens",
        studies=STUDIES,
        statistic=harm_by_share,
        unit="rank correlation of the repeated share and the worst loss on fresh data",
        within=CORRELATION,
        columns=LOSSES,
        above=0.8,
    ),
)
