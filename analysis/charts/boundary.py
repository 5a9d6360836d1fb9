"""The boundary of generalization on one or two numeric axes, with its 95% band and the runs that it was fitted to."""

import math
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.band import band, line
from analysis.boundaries import Boundary, boundary
from analysis.channel import channel
from analysis.charts import NotApplicable, label
from analysis.stored import read_study, resolved_runs
from analysis.theme import BAND, phase_color
from study.search.boundary.model import BoundaryModel
from study.search.boundary.width import Z
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Boundary of generalization"
READ = (
    "On the line half of the seeds generalize. In the grey band the phases of the runs do not tell on which side a "
    "point lies: it holds about 95% of the true boundary, where that is smooth. The line also uses the steps to "
    "generalize, which the band does not trust, so it may leave the band. A dot "
    "is a run in the colour of its phase. With one axis, the runs of one value that ended in the same phase are one "
    "dot, larger for more runs, and the thick bar is the 95% interval of the critical value."
)


def chart(store: "Store", study: str, phase: str = "generalized", definition: str | None = None) -> ChartType:
    """On two axes, the plane; on one axis, the rate of generalization along it, with its band and critical values."""
    facts = read_study(store, study, definition)
    store = store.of(study, definition=facts.definition)
    try:
        found = boundary(store, study, phase, facts.definition)
    except SpecError as error:
        raise NotApplicable(str(error)) from None
    runs = _runs(store, found)
    width = f"mean width of the band {found.width:.1%} of the axes"
    width = width if math.isfinite(found.width) else "no place with half of the seeds"
    note = f"phases by {found.definition.name}, {width}"
    title = alt.Title(facts.question, subtitle=facts.subtitle(note, found.runs))
    layers = _plane(found, runs) if len(found.scales) == 2 else _line(found, runs)
    return layers.properties(title=title)


def _plane(found: Boundary, runs: list[dict[str, Any]]) -> ChartType:
    x, y = found.scales
    channels = channel(alt.X, "x", x, among=found.axes), channel(alt.Y, "y", y, among=found.axes)
    dots = (
        alt.Chart({"values": runs})
        .mark_circle(size=42, opacity=0.85, stroke="white", strokeWidth=0.4)
        .encode(
            *channels, phase_color(found.definition, (run["phase"] for run in runs)), tooltip=["point:N", "phase:N"]
        )
    )
    return band(found, *channels) + line(found, *channels) + dots


def _line(found: Boundary, runs: list[dict[str, Any]]) -> ChartType:
    (x,) = found.scales
    units = np.linspace(0, 1, 201)
    middle, sd = found.band.mean_and_sd(units[:, None])
    fs = middle - Z * sd, found.model.mean_and_sd(units[:, None])[0], middle + Z * sd
    bounds = [BoundaryModel.rate(f).tolist() for f in fs]
    rates = [
        {"x": x.drawn_at(unit), "low": low, "rate": rate, "high": high}
        for unit, low, rate, high in zip(units.tolist(), *bounds, strict=True)
    ]
    across = channel(alt.X, "x", x)
    y = alt.Y("rate:Q").scale(domain=[0, 1]).title("rate over seeds")
    base = alt.Chart({"values": rates}).encode(across)
    shade = base.mark_area(**BAND).encode(alt.Y("low:Q").title("rate over seeds"), y2="high:Q")
    critical = alt.Chart({"values": [{end: x.drawn(p[end]) for end in ("low", "high")} for p in found.points]})
    interval = critical.mark_rule(color="black", strokeWidth=3).encode(
        channel(alt.X, "low", x), x2="high:Q", y=alt.datum(0.5)
    )
    dots = (
        alt.Chart({"values": runs})
        .mark_circle(opacity=0.8, stroke="white", strokeWidth=0.5)
        .encode(
            across,
            alt.Y("rate:Q"),
            phase_color(found.definition, (run["phase"] for run in runs)),
            alt.Size("count():Q").scale(range=[40, 160]).legend(None),
            tooltip=["point:N", "phase:N", alt.Tooltip("count():Q").title("runs")],
        )
    )
    return shade + base.mark_line(color="black").encode(y) + interval + dots


def _runs(store: "Store", found: Boundary) -> list[dict[str, Any]]:
    """The resolved runs as rows: `x`, on two axes also `y`, and `rate`, which is 1 in the phases and 0 elsewhere."""
    values = []
    for row in resolved_runs(store, found.study, found.definition):
        point, phase = row["point"], row["phase"]
        if set(point) == set(found.axes):
            places = dict(zip("xy", (scale.drawn(point[scale.path]) for scale in found.scales), strict=False))
            values.append(places | {"phase": phase, "point": label(point), "rate": float(phase in found.phases)})
    return values
