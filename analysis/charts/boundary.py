"""The boundary of generalization on the two axes of a study, with its band, over the runs that it was read from."""

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.boundaries import Boundary, Scale, boundary
from analysis.charts import NotApplicable, label, read_study, rows
from analysis.theme import phase_color
from study.boundary_width import Z
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store import Store

TITLE = "Boundary of generalization"
READ = (
    "The line is where half of the seeds generalize; in the grey band the runs do not tell on which side a point is. "
    "A dot is a run, in the colour of its phase."
)
CELLS = 60


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
    edges = [i / CELLS for i in range(CELLS + 1)]
    middle = (np.arange(CELLS) + 0.5) / CELLS
    mean, sd = found.model.mean_and_sd(np.stack(np.meshgrid(middle, middle, indexing="ij"), -1).reshape(-1, 2))
    unsure = (np.abs(mean) < Z * sd).reshape(CELLS, CELLS)
    band = []
    for i in range(CELLS):
        changes = np.flatnonzero(np.diff(np.concatenate([[0], unsure[i].astype(int), [0]])))
        for start, end in changes.reshape(-1, 2):  # one rectangle for each unbroken stretch of a column
            row = {"x": x.value(edges[i]), "x2": x.value(edges[i + 1])}
            band.append(row | {"y": y.value(edges[start]), "y2": y.value(edges[end])})
    ends = {"x2": "x2:Q", "y2": "y2:Q"}
    channels = [_channel(alt.X, "x", x), _channel(alt.Y, "y", y)]
    shade = alt.Chart(alt.InlineData(values=band)).mark_rect(color="#bdbdbd", opacity=0.55).encode(*channels, **ends)
    dots = (
        alt.Chart(alt.InlineData(values=runs))
        .mark_circle(size=42, opacity=0.85, stroke="white", strokeWidth=0.4)
        .encode(*channels, phase_color(run["phase"] for run in runs), tooltip=["point:N", "phase:N"])
    )
    rule = alt.Chart(alt.InlineData(values=found.points)).mark_rule(color="black", strokeWidth=2, strokeCap="round")
    return shade + dots + rule.encode(*channels, **ends, tooltip=[alt.Tooltip("width:Q", format=".3f")])


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
    band = base.mark_area(color="#bdbdbd", opacity=0.55).encode(alt.Y("low:Q").title("rate over seeds"), y2="high:Q")
    critical = alt.Chart(alt.InlineData(values=[{"x": p["value"], **p} for p in found.points]))
    interval = critical.mark_rule(color="black", strokeWidth=3).encode(
        _channel(alt.X, "low", x), x2="high:Q", y=alt.datum(0.5)
    )
    dots = alt.Chart(alt.InlineData(values=runs)).mark_tick(size=12, thickness=2, opacity=0.7)
    ticks = dots.encode(
        across, alt.Y("rate:Q"), phase_color(run["phase"] for run in runs), tooltip=["point:N", "phase:N"]
    )
    return band + base.mark_line(color="black").encode(y) + interval + ticks


def _channel(kind: type[alt.X] | type[alt.Y], field: str, scale: Scale) -> alt.X | alt.Y:
    domain = alt.Scale(type="log" if scale.log else "linear", domain=[scale.low, scale.high], nice=False, zero=False)
    return kind(f"{field}:Q", scale=domain).axis(tickCount=6, format="~g").title(scale.path)


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
