"""Steps to generalize with those runs counted that did not: the share of runs that have not generalized yet, by step.

A mean over the runs that happened to finish is too low, the more so the fewer do. Here a run that ends without having
generalized counts as long as it was seen (right-censored), in the estimate of Kaplan and Meier. A run that has diverged
can never generalize. That is a competing end, and no loss of sight: were it censored when it diverges, the estimate
would give it the prospects of the others. So it counts as not yet generalized up to its horizon. Runs that were pruned
or failed are censored at the last step seen; pruning depends on how well a run does, so the estimate is then too low.

A step is that of the evaluation at which the accuracy was first reached: the passage itself lies between it and the
evaluation before. Evaluations are spaced alike in logarithms.
source: Kaplan & Meier 1958; Kalbfleisch & Prentice 1980 for intervals by the logarithm of the hazard; Brookmeyer &
Crowley 1982 for those of medians; Gooley et al. 1999 on competing ends.
"""

import json
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from analysis.groups import grouped_by
from analysis.stored import read_study, rows
from study.store.levels import LEVELS
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

# N runs
TAIL = 0.025


class Passages(NamedTuple):
    """Runs of a study that were asked their test split, N of them."""

    points: list[dict[str, Any]]
    """With a value on every axis."""
    steps_N: NDArray[np.float64]
    """The first passage, or the step up to which the run counts as not yet generalized."""
    reached_N: NDArray[np.bool_]


def survival(store: "Store", study: str, by: str | Iterable[str] = (), level: int = 90) -> pd.DataFrame:
    """The share of runs that have not generalized yet, by step: one row per group and step at which something happens.

    `by`: an axis, or several; none = all runs as one group. Values of an axis with more than eight are taken together
    in thirds. `level`: the test accuracy in percent that counts as generalized: 50, 90, 95 or 99.

    Columns: the axes of `by`; `step`, at first 0; `at_risk`, the runs neither generalized nor censored before it;
    `events` and `censored` at it; `share`, not yet generalized after it; its pointwise 95% interval `low` to `high`.
    """
    return curves(passages(store, study, level), _axes(store, study, by))


def median_steps(store: "Store", study: str, by: str | Iterable[str] = (), level: int = 90) -> pd.DataFrame:
    """The step by which half of the runs have generalized, one row per group; arguments as for `survival`.

    Columns: the axes of `by`; `runs`; `reached`, how many have generalized; `median`, NaN where half have not; its 95%
    interval `low` to `high`, with NaN for an end that was not reached.
    """
    found = _estimates(passages(store, study, level), _axes(store, study, by))
    return pd.DataFrame([group | median_of(table) for group, table in found])


def _axes(store: "Store", study: str, by: str | Iterable[str]) -> list[str]:
    facts = read_study(store, study)
    return [facts.axis(axis) for axis in (by if isinstance(by, Iterable) and not isinstance(by, str) else [by])]


def curves(found: Passages, by: Sequence[str]) -> pd.DataFrame:
    """The rows of `survival`."""
    tables = []
    for group, table in _estimates(found, by):
        for place, (axis, value) in enumerate(group.items()):
            table.insert(place, axis, [value] * len(table))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _estimates(found: Passages, by: Sequence[str]) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """Each group, {axis: value}, with its estimate."""
    return [
        (dict(zip(by, group, strict=True)), kaplan_meier(found.steps_N[members], found.reached_N[members]))
        for group, members in grouped_by(found.points, by).items()
    ]


def passages(store: "Store", study: str, level: int = 90) -> Passages:
    """The steps of the study's runs; SpecError where there are none, and for a level at which none are stored."""
    facts = read_study(store, study)
    if str(level) not in LEVELS.values():
        raise SpecError(f"level must be one of {', '.join(LEVELS.values())} (percent of accuracy), got {level!r}.")
    found = rows(
        store.of(study),
        f"""select
            study_runs.point::text as point,
            test_step_{level} is not null as reached,
            case
                when test_step_{level} is not null then test_step_{level}
                when outcomes.status = 'finished' and outcomes.stop_reason not in ('horizon', 'generalized', 'pruned')
                    then greatest(observed.cut, outcomes.horizon)
                else outcomes.horizon
            end::double as step
        from study_runs
        join outcomes using (run_id)
        join observed on observed.run_id = study_runs.run_id and observed.study = study_runs.study
        where study_runs.study = $study and outcomes.horizon is not null
            and chance_accuracy is not null and num_tested > 0
        order by study_runs.point::text, run_id""",
        study=study,
    )
    points = [json.loads(row["point"]) for row in found]
    kept = [i for i, point in enumerate(points) if set(point) <= set(facts.axes)]
    if not kept:
        raise SpecError(f"Study {study!r} has no run with records of accuracy on a test split.")
    return Passages(
        [facts.whole(points[i]) for i in kept],
        np.array([found[i]["step"] for i in kept]),
        np.array([found[i]["reached"] for i in kept], bool),
    )


def kaplan_meier(steps_N: NDArray[np.float64], reached_N: NDArray[np.bool_]) -> pd.DataFrame:
    """The rows of `survival` for one group of runs, at least one."""
    share = ecdf(CensoredData.right_censored(steps_N, ~reached_N)).sf
    with warnings.catch_warnings(action="ignore"):  # about shares of 1 and 0, see below
        ends = share.confidence_interval(method="log-log")
    steps = share.quantiles
    at_risk = (steps_N >= steps[:, None]).sum(1)
    events = ((steps_N == steps[:, None]) & reached_N).sum(1)
    censored = ((steps_N == steps[:, None]) & ~reached_N).sum(1)
    low, high = ends.low.probabilities, ends.high.probabilities
    # Logarithms say nothing of shares 1 and 0; Clopper and Pearson do. Of a last share 0 the end before it stays.
    all_wait, none_wait = share.probabilities == 1, share.probabilities == 0
    low = np.where(none_wait, 0, np.where(all_wait, TAIL ** (1 / at_risk), low))
    before = np.concatenate([[1 - TAIL ** (1 / len(steps_N))], high[:-1]])
    high = np.where(all_wait, 1, np.where(none_wait, before, high))
    begin = [0.0, len(steps_N), 0, 0, 1.0, TAIL ** (1 / len(steps_N)), 1.0]
    columns = [steps, at_risk, events, censored, share.probabilities, low, high]
    names = ["step", "at_risk", "events", "censored", "share", "low", "high"]
    table = pd.DataFrame(dict(zip(names, columns, strict=True)))
    if steps[0] > 0:
        table = pd.concat([pd.DataFrame([dict(zip(names, begin, strict=True))]), table], ignore_index=True)
    return table.astype({"at_risk": int, "events": int, "censored": int})


def median_of(curve: pd.DataFrame) -> dict[str, float]:
    """`runs`, `reached`, `median`, `low` and `high` of one group's rows of `survival`; NaN where not reached."""

    steps = curve["step"].to_numpy(float)
    counts = {"runs": int(curve["at_risk"].to_numpy().max()), "reached": int(curve["events"].to_numpy().sum())}

    def first(column: str) -> float:
        return float(min(steps[curve[column].to_numpy() <= 0.5], default=math.nan))

    return counts | {"median": first("share"), "low": first("low"), "high": first("high")}
