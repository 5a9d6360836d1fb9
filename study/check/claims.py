"""The claims of a study file: each statistic gives a number, or NaN where the runs cannot tell."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from study.check.row import Check, Skipped, Wrong, outcome, require
from study.plan.plan import planned_runs
from study.plan.write import describe
from study.spec import StudySpec
from study.store.invented_outcomes import FINISHED, FITTED, ROWS, outcome_columns

MOST_RUNS = 200


def checks(claims: Any, study: StudySpec) -> Iterator[Check]:
    """A row for each claim, by its name."""
    if isinstance(claims, str) or not isinstance(claims, Sequence):
        yield Check("list", False, f"CLAIMS is {type(claims).__name__}: make it a list of Claim(...).")
        return
    made = invented(study)
    for claim in claims:
        yield outcome(getattr(claim, "name", "?"), statistic, claim, made)


def invented(study: StudySpec) -> list[dict[str, Any]]:
    """Runs of the study as they might end: at every point a third each memorizes, generalizes and fits nothing."""
    nothing = dict.fromkeys(name for name, _ in outcome_columns())
    endings = (
        FITTED,
        ROWS["a run that generalizes"],
        FINISHED | {"final_train_accuracy": 0.1, "final_test_accuracy": 0.05},
    )
    rows = []
    for number, run in enumerate(planned_runs(study)[:MOST_RUNS] if study.search is None else ()):
        about = {**describe(run.spec), "wall_seconds": 1.0, "steps": study.horizon, "num_params": 1000}
        row = {**nothing, **about, **endings[number % 3], "run_id": run.run_id, "horizon": study.horizon}
        rows.append(row | {"point": dict(run.point), "phase": None, "error": None})
    return rows


def statistic(claim: Any, made: list[dict[str, Any]]) -> str:
    """It takes no run, one run, and all, without raising."""
    if not callable(getattr(claim, "statistic", None)):
        raise Wrong(f"{claim!r} has no statistic: write Claim(name=..., statistic=..., ...).")
    values = []
    for runs in (made, made[:1], []):  # with no run a column that is not there would not be missed
        try:
            value = claim.statistic(runs)
        except KeyError as missing:
            if claim.columns is not None:
                raise Skipped(f"it reads {missing}, which only a store has (columns of the claim)") from None
            missing.args = (f"{missing.args[0]}, which is no column of outcomes or runs, given {len(runs)} runs",)
            raise
        except Exception as error:
            error.args = (f"{error}, given {len(runs)} runs; where they cannot tell, give math.nan",)
            raise
        require(
            isinstance(value, int | float) or hasattr(value, "__float__"),
            f"given {len(runs)} runs, its statistic is {value!r}: give a number, math.nan where they cannot tell.",
        )
        values.append(float(value))
    return "NaN of invented runs" if math.isnan(values[0]) else f"{values[0]:.3g} of {len(made)} invented runs"
