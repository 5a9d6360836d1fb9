"""What the store's runs mean: curves and outcomes, phases, charts and reports."""

from typing import TYPE_CHECKING

from analysis.boundary import boundary
from analysis.classify import classify
from analysis.laws import law
from analysis.report import report

if TYPE_CHECKING:
    from altair.typing import ChartType

    from study.store import Store

__all__ = ["boundary", "classify", "law", "phase_diagram", "report"]


def phase_diagram(store: "Store", study: str, **options) -> "ChartType":
    """The phase diagram of a study; options as in `analysis.charts.phase_diagram.chart`."""
    from analysis.charts.phase_diagram import chart  # Altair takes a second to import

    return chart(store, study, **options)
