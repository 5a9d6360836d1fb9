"""Weight decay and the time and the data that grokking takes in a transformer that adds modulo p.

Nanda et al. 2023 (arXiv 2301.05217) have the setting. What decay does to the time is disputed: by the effective theory
of Liu et al. 2022 (arXiv 2210.01117) it is inverse to the decay; Nanda et al. saw it grow. So is what it does to the
data: for Power et al. 2022 (arXiv 2201.02177) decay more than halves it; by Varma et al. 2023 (arXiv 2309.02390) the
critical size of a data set does not depend on decay.
"""

import math
import statistics
from collections.abc import Callable

from analysis.claim import CORRELATION, DIFFERENCE, Claim, Runs
from analysis.statistics import crossing, generalized, grouped, log_slope, mean, means, rank_correlation

NANDA = "Nanda et al. 2023 (arXiv 2301.05217)"
LIU = "Liu et al. 2022 (arXiv 2210.01117)"
POWER = "Power et al. 2022 (arXiv 2201.02177)"
VARMA = "Varma et al. 2023 (arXiv 2309.02390)"
STUDIES = ("modular_addition_decay", "modular_addition_decay_paper")
TIME = "Does more weight decay make a network generalize sooner?"
DATA = "Does a network with more weight decay need less data?"
SHARE_OF_CHANGE = math.log(1.25)
"""A critical fraction within a quarter counts as the same, as in the claims of `ungrokking`."""


def decays(runs: Runs) -> list[float]:
    """The study's decays above 0, ascending."""
    return sorted({run["weight_decay"] for run in runs} - {0.0})


def critical_fraction(runs: Runs, decay: float) -> float:
    """Fraction of the table at which half of the runs with this decay generalize."""
    chosen = [run for run in runs if run["weight_decay"] == decay]
    return crossing(means(chosen, lambda run: run["train_fraction"], generalized))


def gain_by_decay(runs: Runs) -> float:
    """Fraction of runs that generalize at decay 1 minus that without decay, over the fractions of the table at which
    most runs at decay 1 do; NaN where there is none."""
    rates = means([run for run in runs if run["weight_decay"] == 1], lambda run: run["train_fraction"], generalized)
    able = [fraction for fraction, rate in rates.items() if rate > 0.5]
    plain = [generalized(run) for run in runs if run["weight_decay"] == 0 and run["train_fraction"] in able]
    return mean([rates[fraction] for fraction in able]) - mean(plain)


def slope(time: Callable[[dict], float | None]) -> Callable[[Runs], float]:
    """Slope of ln(median time) against ln(decay), mean over the fractions of the table with three decays or more at
    which most runs generalize."""

    def found(runs: Runs) -> float:
        slopes = []
        for cell in grouped(runs, lambda run: run["train_fraction"]).values():
            times = {}
            for decay, group in grouped([run for run in cell if run["weight_decay"] > 0], _decay).items():
                median = statistics.median(math.inf if (steps := time(run)) is None else steps for run in group)
                if mean([generalized(run) for run in group]) > 0.5 and 0 < median < math.inf:
                    times[decay] = median
            slopes.append(log_slope(times))
        return mean([one for one in slopes if not math.isnan(one)])

    return found


def delay_by_data(runs: Runs) -> float:
    """Rank correlation, at decay 1, of the fraction of the table and the median of ln(steps to generalize / to fit)."""
    able = [run for run in runs if run["weight_decay"] == 1 and generalized(run) and run["train_step_95"]]
    cells = grouped(able, lambda run: run["train_fraction"])
    return rank_correlation(
        {
            fraction: statistics.median(math.log(run["test_step_95"] / run["train_step_95"]) for run in cell)
            for fraction, cell in cells.items()
        }
    )


def change_of_data(runs: Runs) -> float:
    """ln(critical fraction at the smallest decay at which there is one / at the largest)."""
    known = [found for decay in decays(runs) if math.isfinite(found := critical_fraction(runs, decay))]
    return math.log(known[0] / known[-1]) if len(known) > 1 else math.nan


def _decay(run: dict) -> float:
    return run["weight_decay"]


CLAIMS = (
    Claim(
        name="no_grokking_without_decay",
        says="Without weight decay networks do not generalize where they do with it.",
        source=f"{NANDA}, appendix D.1",
        published="none without decay; at decay 1 after 5,000 to 10,000 epochs",
        studies=STUDIES,
        statistic=gain_by_decay,
        unit="fraction of runs that generalize at decay 1 minus that without decay, where most do at decay 1",
        within=DIFFERENCE,
        above=0.5,
        note="A statement about this many steps: without decay Power et al. had generalization after a million.",
    ),
    Claim(
        name="delay_falls_with_data",
        says="The more data there is, the smaller is the delay from fitting to generalizing.",
        source=f"{NANDA}, appendix D.1",
        published="steps to a loss of 0.01, test / train: 84 at 25% of the pairs, 30 at 30%, 8.3 at 40%, 4.1 at 50%, "
        "2.8 at 60%, 2.2 at 70%, 1.4 at 80%, 1.3 at 90% (the authors' data)",
        studies=STUDIES,
        statistic=delay_by_data,
        unit="rank correlation of the fraction of the table and the delay at decay 1",
        within=CORRELATION,
        below=-0.8,
    ),
    Claim(
        name="time_is_inverse_to_decay",
        says="The time to generalize is inverse to the weight decay.",
        question=TIME,
        source=f"{LIU}, Figure 2",
        published="power -1",
        studies=STUDIES,
        statistic=slope(lambda run: run["test_step_95"]),
        unit="power of the decay that the steps to test accuracy 0.95 follow",
        above=-1.2,
        below=-0.8,
    ),
    Claim(
        name="time_grows_with_decay",
        says="The time to generalize grows with the weight decay.",
        question=TIME,
        source=f"{NANDA}, appendix D.1",
        published="about 3,000 epochs at decay 0.3, 5,000 to 10,000 at 1, 20,000 at 3: a power of about 0.8",
        studies=STUDIES,
        statistic=slope(lambda run: run["test_step_95"]),
        unit="power of the decay that the steps to test accuracy 0.95 follow",
        above=0.0,
    ),
    Claim(
        name="fitting_does_not_depend_on_decay",
        says="The time to fit does not depend on the weight decay.",
        source=f"{LIU}, Figure 2",
        published="in words: independent of the decay, a power of 0",
        studies=STUDIES,
        statistic=slope(lambda run: run["train_step_95"]),
        unit="power of the decay that the steps to training accuracy 0.95 follow",
        above=-0.2,
        below=0.2,
    ),
    Claim(
        name="decay_saves_data",
        says="With more weight decay a network needs less data to generalize.",
        question=DATA,
        source=f"{POWER}, section 3.3 and Figure 2",
        published="in words: weight decay more than halves the samples that most other interventions need",
        studies=STUDIES,
        statistic=change_of_data,
        unit="ln(critical fraction at the smallest decay that has one / at the largest)",
        above=SHARE_OF_CHANGE,
        note="Without decay there is no critical fraction here: nothing generalizes within the horizon.",
    ),
    Claim(
        name="data_does_not_depend_on_decay",
        says="The critical size of the data does not depend on weight decay.",
        question=DATA,
        source=f"{VARMA}, section 5 and Figure 7",
        published="curves of different decays overlap (networks that go on with less data)",
        studies=STUDIES,
        statistic=change_of_data,
        unit="ln(critical fraction at the smallest decay that has one / at the largest)",
        above=-SHARE_OF_CHANGE,
        below=SHARE_OF_CHANGE,
        note="About the end of training: at a horizon, slow runs near the critical size have not come to it.",
    ),
)
