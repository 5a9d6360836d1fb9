"""What the runs of a store mean: phases, boundaries, laws, claims, charts and reports.

Imports inside functions keep `import analysis` short: SciPy and Altair take a second to import.
"""

from typing import TYPE_CHECKING

from analysis.classify import classify
from analysis.report import report

if TYPE_CHECKING:
    from altair.typing import ChartType

    from analysis.boundaries import Boundary
    from analysis.claim import Checked
    from analysis.laws import Fit
    from study.store.database import Store

__all__ = ["boundary", "check_claims", "classify", "law", "phase_diagram", "report"]


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
