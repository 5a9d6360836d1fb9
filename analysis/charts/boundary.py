"""The boundary of generalization on the two axes of a study, with its band, over the runs that it was read from."""

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.band import Channel, band, line
from analysis.boundaries import Boundary, Scale, boundary
from analysis.charts import NotApplicable, label, read_study, rows
from analysis.theme import phase_color, value_axis
from study.boundary_width import Z
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store

TITLE = "Boundary of generalization"
READ = (
    "The line is where half of the seeds generalize; in the grey band the runs do not tell on which side a point is. "
    "A dot is a run in the colour of its phase; along one axis, the runs of a value that ended alike are one dot, the "
    "larger the more they are, and the bar is the 95% interval of the critical value."
)


def chart(store: "Store", study: str, phase: str = "generalized", definition: str | None = None) -> ChartType:
    """Two numeric axes: the plane. One: the rate of generalization along it, with its band and critical value."""
    facts = read_study(store, study, definition)
    try:
        found = boundary(store, study, phase, definition)
    except SpecError as error:
        raise NotApplicable(str(error)) from None
    runs = _runs(store, found)
    note = f"phases by {found.definition}, mean width of the band {found.width:.1%} of the axes"
    title = alt.Title(facts.question, subtitle=facts.subtitle(note, found.runs))
    layers = _plane(found, runs) if len(found.scales) == 2 else _line(found, runs)
    return layers.properties(title=title)


def _plane(found: Boundary, runs: list[dict[str, Any]]) -> ChartType:
    x, y = found.scales
    channels = _channel(alt.X, "x", x), _channel(alt.Y, "y", y)
    dots = (
        alt.Chart(alt.InlineData(values=runs))
        .mark_circle(size=42, opacity=0.85, stroke="white", strokeWidth=0.4)
        .encode(*channels, phase_color(run["phase"] for run in runs), tooltip=["point:N", "phase:N"])
    )
    return band(found, *channels) + line(found, *channels) + dots


def _line(found: Boundary, runs: list[dict[str, Any]]) -> ChartType:
    (x,) = found.scales
    units = np.linspace(0, 1, 201)
    mean, sd = found.model.mean_and_sd(units[:, None])
    bounds = [found.model.rate(mean + z * sd).tolist() for z in (-Z, 0, Z)]
    rates = [
        {"x": x.value(unit), "low": low, "rate": rate, "high": high}
        for unit, low, rate, high in zip(units.tolist(), *bounds, strict=True)
    ]
    across = _channel(alt.X, "x", x)
    y = alt.Y("rate:Q").scale(domain=[0, 1]).title("rate over seeds")
    base = alt.Chart(alt.InlineData(values=rates)).encode(across)
    shade = base.mark_area(color="#bdbdbd", opacity=0.55).encode(alt.Y("low:Q").title("rate over seeds"), y2="high:Q")
    critical = alt.Chart(alt.InlineData(values=[{"x": p["value"], **p} for p in found.points]))
    interval = critical.mark_rule(color="black", strokeWidth=3).encode(
        _channel(alt.X, "low", x), x2="high:Q", y=alt.datum(0.5)
    )
    dots = (
        alt.Chart(alt.InlineData(values=runs))
        .mark_circle(opacity=0.8, stroke="white", strokeWidth=0.5)
        .encode(
            across,
            alt.Y("rate:Q"),
            phase_color(run["phase"] for run in runs),
            alt.Size("count():Q").scale(range=[40, 160]).legend(None),
            tooltip=["point:N", "phase:N", alt.Tooltip("count():Q").title("runs")],
        )
    )
    return shade + base.mark_line(color="black").encode(y) + interval + dots


def _channel(kind: type[alt.X] | type[alt.Y], field: str, axis_scale: Scale) -> Channel:
    scale, axis = value_axis(axis_scale.path, axis_scale.log)
    return kind(f"{field}:Q", scale=scale, axis=axis)


def _runs(store: "Store", found: Boundary) -> list[dict[str, Any]]:
    """The resolved runs as rows: `x`, `y` on two axes, `rate` (1 in the phase, 0 not) for one."""
    found_rows = rows(
        store,
        """select point::text as point, phase from study_runs join phases using (run_id)
        where study = $study and definition = $definition and phase <> 'unresolved' order by run_id""",
        study=found.study,
        definition=found.definition,
    )
    values = []
    for row in found_rows:
        point = json.loads(row["point"])
        if set(point) == set(found.axes):
            places = dict(zip("xy", (point[axis] for axis in found.axes), strict=False))
            values.append(
                places | {"phase": row["phase"], "point": label(point), "rate": float(row["phase"] in found.phases)}
            )
    return values
