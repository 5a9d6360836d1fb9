"""What the runs of a store mean: phases, boundaries, laws, claims, charts and reports.

Imports inside functions keep `import analysis` short: SciPy and Altair take a second to import.
"""

from typing import TYPE_CHECKING

from analysis.classify import classify
from analysis.figure import figure
from analysis.report import report

if TYPE_CHECKING:
    import pandas as pd
    from altair.typing import ChartType

    from analysis.boundaries import Boundary
    from analysis.claim import Checked
    from analysis.laws import Fit
    from study.store.database import Store

__all__ = [
    "answer",
    "boundary",
    "check_claims",
    "classify",
    "critical",
    "figure",
    "influence",
    "law",
    "log_rank",
    "median_steps",
    "phase_diagram",
    "report",
    "survival",
]


def phase_diagram(store: "Store", study: str, **options) -> "ChartType":
    """The phase diagram of a study; options as in `analysis.charts.phase_diagram.chart`."""
    from analysis.charts.phase_diagram import chart

    return chart(store, study, **options)


def boundary(store: "Store", study: str, **options) -> "Boundary":
    """Where half of the seeds are in a phase, with an interval; options as in `analysis.boundaries.boundary`."""
    from analysis import boundaries

    return boundaries.boundary(store, study, **options)


def check_claims(store: "Store | None", name: str | None = None, **options) -> "list[Checked]":
    """What papers say and what the store's runs say; options as in `analysis.claim_check.check_claims`. Of a study file
    its own claims, and those about a study of its name."""
    from analysis import claim_check

    if name is not None and name.endswith(".py"):
        from analysis.own_claims import check_file

        return check_file(store, name)
    return claim_check.check_claims(store, name, **options)


def law(store: "Store", study: str, name: str, **options) -> "Fit":
    """A published law fitted to a study; options as in `analysis.law_points.law`."""
    from analysis import law_points

    return law_points.law(store, study, name, **options)


def critical(store: "Store", study: str, axis: str, **options) -> "pd.DataFrame":
    """The value of `axis` at which half of the seeds generalize, by the values of all other axes; options as in
    `analysis.criticals.critical`."""
    from analysis import criticals

    return criticals.critical(store, study, axis, **options)


def influence(store: "Store", study: str, **options) -> "pd.DataFrame":
    """The share of the variance between runs that each axis, each pair of axes and seeds explain; options as in
    `analysis.shares.influence`."""
    from analysis import shares

    return shares.influence(store, study, **options)


def survival(store: "Store", study: str, **options) -> "pd.DataFrame":
    """The share of runs that have not generalized yet, by step; options as in `analysis.survivals.survival`."""
    from analysis import survivals

    return survivals.survival(store, study, **options)


def median_steps(store: "Store", study: str, **options) -> "pd.DataFrame":
    """The step by which half of the runs have generalized, those counted that have not; options as in
    `analysis.survivals.median_steps`."""
    from analysis import survivals

    return survivals.median_steps(store, study, **options)


def log_rank(store: "Store", study: str, axis: str | None = None, **options) -> "pd.DataFrame":
    """Whether runs generalize sooner at some values of an axis than at others; options as in
    `analysis.log_ranks.log_rank`."""
    from analysis import log_ranks

    return log_ranks.log_rank(store, study, axis, **options)


def answer(store: "Store", study: str, **options) -> str:
    """What came of a study in a sentence or two; options as in `analysis.answers.answer`."""
    from analysis import answers

    return answers.answer(store, study, **options)
