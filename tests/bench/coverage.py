"""How often do the 95% intervals of claims hold the truth? Invented studies whose truth is known.

    python -m tests.bench.coverage [--repeats 200] [--designs 5x3 1x5 ...] [--statistics NAME ...]

A design is points x seeds, 5x3 for five points with three seeds. A cell of the table is the percentage of the repeats
in which the interval holds the truth: first the percentile bootstrap, which was the method before, then
analysis/interval.py, on the same resamples. The truth is the statistic of infinitely many seeds. It is `-` where the
statistic needs more points. `none` counts the repeats without an interval, which are left out of the percentage. The
default takes about six minutes on one core.
"""

import argparse
import math
import statistics
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.claim import Runs
from analysis.interval import interval, interval_of_ratio
from analysis.statistics import crossing, judged_best, log_slope, mean, means, rank_correlation

DESIGNS = ("5x3", "1x5", "5x5", "10x5", "2x8", "5x8", "5x16")
LEVEL = 0.95
Numbers = np.random.Generator
DELAY_SPREAD = 0.7
"""Standard deviation of the logarithm of a delay."""
NEVER = 0.3
"""Share of the runs whose delay never ends."""


class Case(NamedTuple):
    """What is measured of each run, what is computed from the runs, and what infinitely many seeds would give."""

    run: Callable[[Numbers, float, int], float]
    """The result of a run at the place x of its point, 0 to `points` - 1, of so many points."""
    statistic: Callable[[Runs], float]
    truth: Callable[[int], float]
    """By the number of points."""
    least: int = 1
    """The fewest points with which the statistic is defined."""
    method: Callable[[Callable[[Runs], float], Runs], tuple[float, float, float]] = interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200, metavar="N")
    parser.add_argument("--designs", nargs="+", default=DESIGNS, metavar="POINTSxSEEDS")
    parser.add_argument("--statistics", nargs="+", choices=CASES, default=list(CASES), metavar="NAME")
    options = parser.parse_args()
    error = 100 * math.sqrt(LEVEL * (1 - LEVEL) / options.repeats)
    print(f"{options.repeats} repeats: a percentage near 95 has a standard error of {error:.1f}\n")
    print("| statistic | " + " | ".join(options.designs) + " |")
    print("|---" * (len(options.designs) + 1) + "|")
    for name in options.statistics:
        cells = [percentages(CASES[name], *map(int, design.split("x")), options.repeats) for design in options.designs]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def percentages(case: Case, points: int, seeds: int, repeats: int) -> str:
    """`75, 95`: how often the old and the new interval hold the truth."""
    if points < case.least:
        return "-"
    held = [covered(case, points, seeds, repeat) for repeat in range(repeats)]
    known = [pair for pair in held if pair is not None]
    old, new = (100 * mean([pair[i] for pair in known]) for i in (0, 1))
    none = f" ({repeats - len(known)} none)" if len(known) < repeats else ""
    return f"{old:.0f}, {new:.0f}{none}"


def covered(case: Case, points: int, seeds: int, repeat: int) -> tuple[bool, bool] | None:
    """Whether the old and the new interval of one invented study hold the truth; None where there is no interval."""
    values: list[float] = []

    def remembered(runs: Runs) -> float:
        values.append(case.statistic(runs))
        return values[-1]

    truth = case.truth(points)
    _, low, high = case.method(remembered, runs_of(case, points, seeds, repeat))
    if math.isnan(low):
        return None
    finite = np.array(values[1:])[np.isfinite(values[1:])]  # the first value is that of the runs themselves
    old_low, old_high = np.quantile(finite, (0.025, 0.975)) if len(finite) else (math.nan, math.nan)
    slack = 1e-9 * (1 + abs(truth))  # sums of the same numbers in another order
    return bool(old_low - slack <= truth <= old_high + slack), low - slack <= truth <= high + slack


def runs_of(case: Case, points: int, seeds: int, repeat: int) -> Runs:
    """The runs of one invented study."""
    numbers = np.random.default_rng((repeat, points, seeds))
    return [
        {"run_id": f"{x}-{seed}", "seed": seed, "point": {"x": x}, "points": points, "y": case.run(numbers, x, points)}
        for x in range(points)
        for seed in range(seeds)
    ]


def results(runs: Runs) -> list[float]:
    return [run["y"] for run in runs]


def at(runs: Runs, x: int) -> list[float]:
    """Results of the runs of one point, counted from the last if negative."""
    place = x % runs[0]["points"]
    return [run["y"] for run in runs if run["point"]["x"] == place]


def by_place(runs: Runs) -> list[Runs]:
    """The runs of each point."""
    return [[run for run in runs if run["point"]["x"] == x] for x in range(runs[0]["points"])]


def curve(runs: Runs) -> dict[int, float]:
    """Mean result by point."""
    return means(runs, lambda run: run["point"]["x"], lambda run: run["y"])


def slope(runs: Runs) -> float:
    """Slope of the logarithm of the mean result against that of the place."""
    return log_slope({1 + x: y for x, y in curve(runs).items()})


def rate_at(x: float, points: int) -> float:
    """A rate that rises through one half a fifth of a step after the middle of the points."""
    return 1 / (1 + math.exp(-(x - (points - 1) / 2 - 0.2) / 0.7))


def true_crossing(points: int) -> float:
    return crossing({x: rate_at(x, points) for x in range(points)})


def delay(numbers: Numbers, x: float, points: int) -> float:
    """A delay with median 1."""
    return math.exp(DELAY_SPREAD * numbers.normal())


def endless(numbers: Numbers, x: float, points: int) -> float:
    """A delay that never ends in some of the runs."""
    return math.inf if numbers.random() < NEVER else delay(numbers, x, points)


def endless_median(points: int) -> float:
    return math.exp(DELAY_SPREAD * statistics.NormalDist().inv_cdf(0.5 / (1 - NEVER)))


CASES = {
    "mean": Case(lambda numbers, x, _: x + numbers.normal(), lambda runs: mean(results(runs)), lambda n: (n - 1) / 2),
    "mean, spread grows with x": Case(
        lambda numbers, x, _: (1 + x) ** 2 * numbers.normal(), lambda runs: mean(results(runs)), lambda n: 0, 2
    ),
    "mean of one point of all": Case(
        lambda numbers, x, _: numbers.normal(), lambda runs: mean(at(runs, -1)), lambda n: 0, 2
    ),
    "mean of skewed delays": Case(delay, lambda runs: mean(results(runs)), lambda n: math.exp(DELAY_SPREAD**2 / 2)),
    "median of delays, 30% never end": Case(endless, lambda runs: statistics.median(results(runs)), endless_median),
    "ratio of the medians of two points": Case(
        delay,
        lambda runs: statistics.median(at(runs, -1)) / statistics.median(at(runs, 0)),
        lambda n: 1,
        2,
        interval_of_ratio,
    ),
    "shortest median of any point": Case(
        lambda numbers, x, n: math.exp(0.5 * abs(x - 1)) * delay(numbers, x, n),
        lambda runs: min(statistics.median(at(runs, x)) for x in range(runs[0]["points"])),
        lambda n: 1,
        2,
    ),
    "shortest median of points that are alike": Case(
        delay,
        lambda runs: min(statistics.median(at(runs, x)) for x in range(runs[0]["points"])),
        lambda n: 1,
        2,
    ),
    "the same, judged on other seeds than chosen": Case(
        delay,
        lambda runs: judged_best(by_place(runs), lambda cell: statistics.median(results(cell)), min),
        lambda n: 1,
        2,
    ),
    "slope of logarithms": Case(
        lambda numbers, x, _: (1 + x) ** 1.5 * math.exp(0.5 * numbers.normal()), slope, lambda n: 1.5, 3
    ),
    "rank correlation": Case(
        lambda numbers, x, _: x / 2 + numbers.normal(), lambda runs: rank_correlation(curve(runs)), lambda n: 1, 3
    ),
    "crossing of means": Case(
        lambda numbers, x, n: rate_at(x, n) + 0.15 * numbers.normal(),
        lambda runs: crossing(curve(runs)),
        true_crossing,
        2,
    ),
    "crossing of fractions of runs": Case(
        lambda numbers, x, n: numbers.random() < rate_at(x, n), lambda runs: crossing(curve(runs)), true_crossing, 2
    ),
    "fraction of runs, 0.3": Case(
        lambda numbers, x, _: numbers.random() < 0.3, lambda runs: mean(results(runs)), lambda n: 0.3
    ),
    "fraction of runs, 0.9": Case(
        lambda numbers, x, _: numbers.random() < 0.9, lambda runs: mean(results(runs)), lambda n: 0.9
    ),
}
"""The kinds of statistics that claims use."""


if __name__ == "__main__":
    main()
