"""Claims of the literature against the runs of a study: a number with its interval, a bar from the paper, a verdict.

No verdict is written by hand. A claim is a statistic of a study's runs and what it must be for the claim to hold; seeds
are drawn again within each point (the bootstrap, percentile interval), and the verdict follows from the interval.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.components import available, closest, load
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store

PACKAGE = "analysis.claims"
RESAMPLES = 1000
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
UNDECIDED = "undecided"
"""The interval crosses the bar, or these runs cannot tell."""
NOT_YET_RUN = "not yet run"
"""Some runs of the study have not ended; the number is that of those that have."""

Runs = list[dict[str, Any]]
"""Runs that have ended, one dictionary each: the columns of `outcomes` and `runs`, `point` (axis path -> value), and
the columns that the claim asks for beside them."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a paper says, as a number that a study can measure."""

    name: str
    says: str
    source: str
    """Paper and place in it: `Huang et al. 2024 (arXiv 2402.15175), Figure 3`."""
    published: str
    """The paper's numbers."""
    studies: Sequence[str]
    """Of the catalog, each of which can answer: at a size for two cores, at the paper's size."""
    statistic: Callable[[Runs], float]
    """A number of the runs, NaN where they cannot tell. Called for each resample: quick, and without side effects."""
    unit: str
    above: float | None = None
    below: float | None = None
    """The bar: the statistic must be above one, below the other, or between both."""
    columns: str | None = None
    """SQL that gives `run_id` and further columns for the statistic."""
    question: str = ""
    """Where the literature disputes it: what is asked. The other side is a claim with the same question."""
    note: str = ""
    """What limits it at the size of the studies: sizes that were tried, what is different from the paper."""

    def __post_init__(self) -> None:
        assert self.above is not None or self.below is not None, f"claim {self.name!r} has no bar"

    @property
    def bar(self) -> str:
        """The bar in words: `above 0`, `2 to 2.5`."""
        if self.above is not None and self.below is not None:
            return f"{self.above:.3g} to {self.below:.3g}"
        return f"above {self.above:.3g}" if self.below is None else f"below {self.below:.3g}"


@dataclass(frozen=True)
class Checked:
    """What became of a claim in one study. `low` to `high` is the 95% interval of `value`; NaN where there is none."""

    row: str
    """The file of analysis/claims."""
    claim: Claim
    study: str
    ended: int
    planned: int
    """Runs of the study that have ended, of how many."""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def verdict(self) -> str:
        """From the interval and the bar alone, once all runs have ended."""
        if self.ended < self.planned:
            return NOT_YET_RUN
        above = -math.inf if self.claim.above is None else self.claim.above
        below = math.inf if self.claim.below is None else self.claim.below
        if above < self.low and self.high < below:
            return REPRODUCED
        return NOT_REPRODUCED if self.high <= above or below <= self.low else UNDECIDED

    @property
    def ours(self) -> str:
        """Value and interval in words; empty where there is none."""
        if math.isnan(self.value):
            return ""
        if math.isnan(self.low):
            return f"{self.value:.3g} (no interval)"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def as_row(checked: Checked) -> dict[str, Any]:
    """What `study claims --json` and a report say of it."""
    claim = checked.claim
    words = {name: getattr(claim, name) for name in ("name", "says", "question", "source", "published", "unit", "bar")}
    numbers = {name: getattr(checked, name) for name in ("study", "ended", "planned", "value", "low", "high", "ours")}
    return {"row": checked.row, **words, **numbers, "verdict": checked.verdict, "note": claim.note}


def all_claims() -> Iterator[tuple[str, Claim]]:
    """Every claim, with its file's name."""
    for row in available(PACKAGE):
        for claim in load(PACKAGE, row).CLAIMS:
            yield row, claim


def check_claims(store: "Store | None", name: str | None = None, everything: bool = False) -> list[Checked]:
    """The claims of one file or one study, or all; without `everything`, those of studies that the store has.

    SpecError for a name that is neither a file of analysis/claims nor a study that a claim names.
    """
    found = [(row, claim, study) for row, claim in all_claims() for study in claim.studies]
    known = sorted({row for row, *_ in found} | {study for *_, study in found})
    if name is not None and name not in known:
        raise SpecError(f"no claim is about {name!r}. {closest(name, known)}")
    if name is not None:
        found = [(row, claim, study) for row, claim, study in found if name in (row, study)]
    stored = {study for (study,) in store.sql("select study from studies").fetchall()} if store else set()
    return [
        check(store if study in stored else None, row, claim, study)
        for row, claim, study in found
        if study in stored or everything or name is not None
    ]


def claims_about(store: "Store", study: str) -> list[Checked]:
    """Every claim that names this study, checked on it."""
    return [check(store, row, claim, study) for row, claim in all_claims() if study in claim.studies]


def check(store: "Store | None", row: str, claim: Claim, study: str) -> Checked:
    """The claim against the study as the store has it; None where it has none.

    Runs of an older version of the study are left out; further seeds are welcome.
    """
    from study.spec import find

    spec = find(study)
    if store is None:
        return Checked(row, claim, study, 0, len(spec.points()) * spec.seeds)
    runs = ended_runs(store, study, spec.horizon, claim.columns)
    known = _run_ids(study, max([spec.seeds - 1, *(run["seed"] for run in runs)]) + 1)
    runs = [run for run in runs if run["run_id"] in known]
    wanted = _run_ids(study, spec.seeds)
    ended = len(wanted & {run["run_id"] for run in runs})
    return Checked(row, claim, study, ended, len(wanted), *(interval(claim.statistic, runs) if runs else ()))


@lru_cache(maxsize=64)  # each claim about a study asks
def _run_ids(study: str, seeds: int) -> frozenset[str]:
    """The runs of a study of the catalog with so many seeds."""
    from study.plan import planned_runs
    from study.spec import find

    return frozenset(run.run_id for run in planned_runs(find(study).with_(seeds=seeds)))


def ended_runs(store: "Store", study: str, horizon: int, columns: str | None = None) -> Runs:
    """The study's runs that went to its horizon or ended before it for a reason of their own."""
    beside = f"left join ({columns}) as beside using (run_id)" if columns else ""
    sql = f"""
        select
            run_id, point::text as point, runs.* exclude (run_id, spec),
            outcomes.* exclude (run_id, status, stop_reason, horizon, label_corruption, chance_accuracy),
            {"beside.* exclude (run_id)," if columns else ""}
        from study_runs
        join runs using (run_id)
        join outcomes using (run_id)
        {beside}
        where study = $study and (
            runs.status = 'failed'
            or (runs.status = 'finished' and (runs.steps >= $horizon or runs.stop_reason not in ('horizon', 'pruned')))
        )
        order by run_id"""
    found = store.sql(sql, {"study": study, "horizon": horizon}).to_arrow_table().to_pylist()
    return [run | {"point": json.loads(run["point"])} for run in found]


def interval(statistic: Callable[[Runs], float], runs: Runs) -> tuple[float, float, float]:
    """The statistic and its 95% bootstrap interval: each point's runs are drawn again, with replacement.

    NaN ends where more than a tenth of the resamples cannot tell.
    """
    cells: dict[str, Runs] = {}
    for run in runs:
        cells.setdefault(json.dumps(run["point"], sort_keys=True), []).append(run)
    draw = np.random.default_rng(0)
    values = np.full(RESAMPLES, math.nan)
    for i in range(RESAMPLES):
        again: Runs = []
        for cell in cells.values():
            again += [cell[j] for j in draw.integers(len(cell), size=len(cell))]
        values[i] = statistic(again)
    value, told = statistic(runs), values[np.isfinite(values)]
    if not math.isfinite(value):
        return math.nan, math.nan, math.nan
    if len(told) < 0.9 * RESAMPLES:
        return value, math.nan, math.nan
    low, high = np.quantile(told, (0.025, 0.975))
    return value, float(low), float(high)
