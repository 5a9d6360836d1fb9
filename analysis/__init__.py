"""What the store's runs mean: curves and outcomes, phases, charts and reports."""

from typing import TYPE_CHECKING

from analysis.classify import classify
from analysis.report import report

if TYPE_CHECKING:
    from altair.typing import ChartType

    from analysis.boundaries import Boundary
    from analysis.claim import Checked
    from analysis.laws import Fit
    from study.store import Store

__all__ = ["boundary", "check_claims", "classify", "law", "phase_diagram", "report"]


def phase_diagram(store: "Store", study: str, **options) -> "ChartType":
    """The phase diagram of a study; options as in `analysis.charts.phase_diagram.chart`."""
    from analysis.charts.phase_diagram import chart  # Altair takes a second to import

    return chart(store, study, **options)


def boundary(store: "Store", study: str, **options) -> "Boundary":
    """Where half of the runs are in a phase, with an interval; options as in `analysis.boundaries.boundary`."""
    from analysis import boundaries  # SciPy, which the store's own import of this package should not wait for

    return boundaries.boundary(store, study, **options)


def check_claims(store: "Store", name: str | None = None, **options) -> "list[Checked]":
    """What papers say against what the store's runs say; options as in `analysis.claim.check_claims`."""
    from analysis import claim  # NumPy, for the same reason

    return claim.check_claims(store, name, **options)


def law(store: "Store", study: str, name: str, **options) -> "Fit":
    """A published law against a study; options as in `analysis.law_points.law`."""
    from analysis import law_points

    return law_points.law(store, study, name, **options)
