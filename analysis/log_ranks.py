"""Do runs generalize sooner at some values of an axis than at others? The log-rank test, censored runs included.

At each step at which runs generalize, each group is expected to have a part of them as large as its part of the runs
that have not yet; the test adds up how far it is from that. Runs are compared with those at the same values of all
other axes (strata), so that what other axes do is not taken for the axis's own.

scipy.stats.logrank has two groups and no strata; for two groups in one stratum the statistic here is its square.
source: Mantel 1966; Kalbfleisch & Prentice 2002, section 1.5 and for strata 4.4; Holm 1979.
"""

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from analysis.groups import grouped_by
from analysis.stored import read_study
from analysis.survivals import Passages, passages

if TYPE_CHECKING:
    from study.store.database import Store

# N runs, G groups
ALL = "all"
Steps, Ints = NDArray[np.float64], NDArray[np.int_]


def log_rank(store: "Store", study: str, axis: str | None = None, level: int = 90) -> pd.DataFrame:
    """The stratified log-rank test of each axis: one row per axis. With `axis` its own row, whose `a` and `b` are
    `all`, and one for each two of its values, `a` and `b`.

    `level` and thirds of axes with many values are as in `analysis.survival`; strata are the values of all other axes.
    Columns: `axis`, `statistic` (chi-squared with `freedom` degrees), `p`, and `p_holm`, corrected by Holm for as many
    tests as there are rows (the pairs of an axis by themselves). NaN where no stratum has two of the groups.
    """
    axis = None if axis is None else read_study(store, study).axis(axis)
    return log_ranks(passages(store, study, level), axis)


def log_ranks(found: Passages, axis: str | None = None) -> pd.DataFrame:
    """The rows of `log_rank`."""
    axes = list(found.points[0])
    rows, pairs = [], []
    for name in [axis] if axis else axes:
        groups = grouped_by(found.points, [name])
        others = grouped_by(found.points, [other for other in axes if other != name])
        group_N, stratum_N = _numbered(groups), _numbered(others)
        whole = compared(found.steps_N, found.reached_N, group_N, stratum_N)
        rows.append({"axis": name} | ({"a": ALL, "b": ALL} if axis else {}) | whole)
        for (a, (first,)), (b, (second,)) in itertools.combinations(enumerate(groups), 2) if axis else ():
            two = (group_N == a) | (group_N == b)
            pair = compared(found.steps_N[two], found.reached_N[two], group_N[two], stratum_N[two])
            pairs.append({"axis": name, "a": first, "b": second} | pair)
    return pd.DataFrame(_holm(rows) + _holm(pairs))


def compared(steps_N: Steps, reached_N: NDArray[np.bool_], group_N: Ints, stratum_N: Ints) -> dict[str, float]:
    """`statistic`, `freedom` and `p` of the groups, which are numbered, as strata are; NaN where nothing compares."""
    names, group_N = np.unique(group_N, return_inverse=True)
    excess_G, covariance_GG = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for stratum in np.unique(stratum_N):
        here = stratum_N == stratum
        steps, reached, one_hot = steps_N[here], reached_N[here], np.eye(len(names))[group_N[here]]
        for step in np.unique(steps[reached]):
            at_risk_G = one_hot[steps >= step].sum(0)
            events, runs = ((steps == step) & reached).sum(), at_risk_G.sum()
            part_G = at_risk_G / runs
            excess_G += one_hot[(steps == step) & reached].sum(0) - events * part_G
            ties = events * (runs - events) / max(runs - 1, 1)
            covariance_GG += ties * (np.diag(part_G) - np.outer(part_G, part_G))
    freedom = int(np.linalg.matrix_rank(covariance_GG, tol=1e-9, hermitian=True))
    if not freedom:
        return {"statistic": math.nan, "freedom": 0, "p": math.nan}
    statistic = float(excess_G @ np.linalg.pinv(covariance_GG, rcond=1e-9, hermitian=True) @ excess_G)
    return {"statistic": statistic, "freedom": freedom, "p": float(chdtrc(freedom, statistic))}


def _numbered(groups: dict[tuple[Any, ...], list[int]]) -> Ints:
    """The number of each run's group."""
    numbers = np.empty(sum(map(len, groups.values())), int)
    for number, members in enumerate(groups.values()):
        numbers[members] = number
    return numbers


def _holm(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `p_holm`; rows without a test do not count."""
    tested = sorted((row for row in rows if not math.isnan(row["p"])), key=lambda row: row["p"])
    least = 0.0
    for place, row in enumerate(tested):
        least = max(least, min(1.0, (len(tested) - place) * row["p"]))
        row["p_holm"] = least
    return [row | {"p_holm": row.get("p_holm", math.nan)} for row in rows]
