"""The claims of analysis/claims checked against the runs of a store."""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from analysis.claim import RATIO, Checked, Claim, Runs
from analysis.interval import fewest_seeds, interval, interval_of_ratio
from trainables.components import available, closest, load
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.spec import StudySpec
    from study.store.database import Store

PACKAGE = "analysis.claims"


def all_claims() -> Iterator[tuple[str, Claim]]:
    """Every claim, with the name of its file."""
    for row in available(PACKAGE):
        for claim in load(PACKAGE, row).CLAIMS:
            yield row, claim


def check_claims(store: "Store | None", name: str | None = None, everything: bool = False) -> list[Checked]:
    """The claims of one file or about one study, or all of them.

    Without a `name` and without `everything`, only claims about studies that the store has. SpecError for a name that
    is neither a file of analysis/claims, nor a study that a claim names, nor one of the store.
    """
    found = [(row, claim, study) for row, claim in all_claims() for study in claim.studies]
    known = sorted({row for row, *_ in found} | {study for *_, study in found})
    stored = {study for (study,) in store.sql("select study from studies").fetchall()} if store else set()
    if name is not None and name not in {*known, *stored}:
        raise SpecError(f"no claim is about {name!r}. {closest(name, known, '`study claims --all` shows all.')}")
    if name is not None:
        found = [(row, claim, study) for row, claim, study in found if name in (row, study)]
    return [
        check(store if study in stored else None, row, claim, study)
        for row, claim, study in found
        if study in stored or everything or name is not None
    ]


def claims_about(store: "Store | None", study: str) -> list[Checked]:
    """Every claim of ours that names this study, checked on it."""
    return [check(store, row, claim, study) for row, claim in all_claims() if study in claim.studies]


def check(store: "Store | None", row: str, claim: Claim, study: str) -> Checked:
    """The claim checked on the study; `store` is None where it does not have the study.

    Runs of an older version of the study are left out; runs with more seeds than the study asks for are used.
    """
    from study.spec import find  # here, because it imports torch, which a store without these studies does not need

    return measured(store, row, claim, find(study), partial(_run_ids, study))


def measured(
    store: "Store | None", row: str, claim: Claim, study: "StudySpec", ids: Callable[[int], frozenset[str]]
) -> Checked:
    """The claim checked on a study, whose run ids with so many seeds at each point `ids` gives."""
    if store is None:
        return Checked(row, claim, study.name, 0, len(study.points()) * study.seeds)
    runs = ended_runs(store, study.name, study.horizon, claim.columns)
    known = ids(max([study.seeds - 1, *(run["seed"] for run in runs)]) + 1)
    runs = [run for run in runs if run["run_id"] in known]
    wanted = ids(study.seeds)
    ended = len(wanted & {run["run_id"] for run in runs})
    value, low, high = value_and_ends(claim, runs)
    return Checked(row, claim, study.name, ended, len(wanted), value, low, high, fewest_seeds(runs))


def value_and_ends(claim: Claim, runs: Runs) -> tuple[float, float, float]:
    """The claim's number and its 95% interval, which ends where the number cannot be."""
    value, low, high = (interval_of_ratio if claim.within == RATIO else interval)(claim.statistic, runs)
    least, greatest = claim.within
    return value, max(low, least), min(high, greatest)  # NaN stays NaN


@lru_cache(maxsize=64)  # every claim about a study asks for them
def _run_ids(study: str, seeds: int) -> frozenset[str]:
    """The ids of the runs of a study of the catalog, with this many seeds at each point."""
    from study.plan.plan import planned_runs
    from study.spec import find

    return frozenset(run.run_id for run in planned_runs(find(study).with_(seeds=seeds)))


def ended_runs(store: "Store", study: str, horizon: int, columns: str | None = None) -> Runs:
    """The runs of the study that have ended or failed, with what they came to at this horizon, in the order of their
    ids. A run that was pruned has not ended."""
    beside = f"left join ({columns}) as beside using (run_id)" if columns else ""
    sql = f"""
        select
            run_id,
            point::text as point,
            runs.* exclude (run_id, spec, status, stop_reason, horizon, heard_at),
            outcomes.* exclude (run_id, horizon, label_corruption, chance_accuracy),
            {horizon}::bigint as horizon,
            {"beside.* exclude (run_id)," if columns else ""}
        from study_runs
        join runs using (run_id)
        join outcomes using (run_id)
        {beside}
        where study = $study
            and (outcomes.status = 'failed' or outcomes.status = 'finished' and outcomes.stop_reason <> 'pruned')
        order by run_id"""
    found = store.of(study, horizon).sql(sql, {"study": study}).to_arrow_table().to_pylist()
    return [run | {"point": json.loads(run["point"])} for run in found]
