"""Published laws and what a study measured: points, the line fitted to them, the published line, and the residuals.

There is a panel for each law of analysis/laws.py whose axes the study has.
"""

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from analysis.charts import NotApplicable
from analysis.law_points import law
from analysis.laws import LAWS, Fit
from analysis.stored import read_study, rows
from analysis.theme import BAND, BLUE, ORANGE, value_axis
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Published laws"
READ = (
    "Dots are what the study measured. Bars are their 95% intervals; for a delay with fewer than six runs, the range "
    "of the runs. An arrow means that no upper end was seen. The line in its 95% band is the power law fitted to "
    "the dots. The dashed line has the published exponent, and the published constant where there is one. The lower "
    "panel shows the residuals as factors: dots that bend away from 1 systematically do not follow the law."
)
FITTED, PUBLISHED = "fitted", "published"
MARGIN, STEPS = 1.25, 60
"""Lines reach this factor beyond the outermost points, and have this many points."""


def chart(store: "Store", study: str, definition: str | None = None, at: dict[str, Any] | None = None) -> ChartType:
    """A panel for each law that applies; NotApplicable where none does. Arguments as for `analysis.law`."""
    facts = read_study(store, study, definition)
    store = store.of(study)
    fits, reasons = [], []
    for name in LAWS:
        try:
            fits.append(law(store, study, name, facts.definition, at))
        except SpecError as error:
            reasons.append(str(error))
    if not fits:
        few = [reason for reason in reasons if "too few" in reason]
        laws = ", ".join(LAWS)
        why = few[0] if few else f"its axes ({', '.join(facts.axes)}) do not fit any of the laws {laws}."
        raise NotApplicable(f"Study {study!r} has no law to draw: {why}")
    [counted] = rows(store, "select count(*)::integer as runs from study_runs where study = $study", study=study)
    title = alt.Title(facts.question, subtitle=facts.subtitle(f"phases by {facts.definition.name}", counted["runs"]))
    return alt.hconcat(*map(_panel, fits), spacing=60).properties(title=title)


def _panel(fit: Fit) -> ChartType:
    about = LAWS[fit.law]
    values = [p | {"factor": float(np.exp(left))} for p, left in zip(fit.points, fit.residuals, strict=True)]
    gs = [point["g"] for point in fit.points]
    reach = np.geomspace(min(gs) / MARGIN, max(gs) * MARGIN, STEPS)
    y, low, high = fit.line(reach.tolist())
    columns = zip(*(column.tolist() for column in (reach, y, low, high)), strict=True)
    lines: list[dict[str, Any]] = [dict(zip(("g", "y", "low", "high"), row, strict=True)) for row in columns]
    lines = [row | {"line": FITTED} for row in lines]
    if about.exponent is not None:
        constant = about.constant or fit.constant
        lines += [{"g": g, "y": constant * g**about.exponent, "line": PUBLISHED} for g in reach.tolist()]
    x_scale, x_axis = value_axis(about.g, log=True)
    y_scale, y_axis = value_axis(about.y, log=True)
    x = alt.X("g:Q", scale=x_scale, axis=x_axis)
    kinds = [FITTED, PUBLISHED][: 1 + any("low" not in row for row in lines)]
    legend = alt.Legend(title=None, symbolType="stroke", symbolStrokeWidth=2, symbolSize=300)
    color = alt.Color("line:N", legend=legend).scale(domain=kinds, range=["black", ORANGE])
    dash = alt.StrokeDash("line:N", legend=legend).scale(domain=kinds, range=[[1, 0], [6, 4]])
    base = alt.Chart({"values": lines}).encode(x)
    band = base.transform_filter("isValid(datum.low)").mark_area(**BAND)
    drawn = base.mark_line(strokeWidth=2).encode(alt.Y("y:Q", scale=y_scale, axis=y_axis), color, dash)
    points = alt.Chart({"values": values}).encode(x)
    measured = band.encode(alt.Y("low:Q", scale=y_scale, axis=y_axis), y2="high:Q") + drawn + _dots(points)
    both = alt.vconcat(
        measured.properties(width=380, height=280, title=alt.Title(_name(fit), subtitle=_numbers(fit), fontSize=13)),
        _residuals(points).properties(width=380, height=90),
    )
    return both.resolve_scale(x="shared")


def _dots(points: alt.Chart) -> ChartType:
    """The measured points with their intervals."""
    tooltip = [alt.Tooltip(f"{name}:Q", format=".4g") for name in ("g", "y", "low", "high")]
    bars = points.transform_calculate(
        below="isValid(datum.low) ? datum.low : datum.y", above="isValid(datum.high) ? datum.high : datum.y"
    ).mark_rule(color=BLUE)
    arrows = points.transform_filter("!isValid(datum.high)").mark_point(
        shape="triangle-up", filled=True, color=BLUE, size=50, opacity=1, yOffset=-9
    )
    dots = points.mark_point(filled=True, size=55, opacity=1, color=BLUE)
    return bars.encode(y="below:Q", y2="above:Q") + arrows.encode(y="y:Q") + dots.encode(alt.Y("y:Q"), tooltip=tooltip)


def _residuals(points: alt.Chart) -> ChartType:
    """The residuals of the law with its published exponent, as factors."""
    scale = alt.Scale(type="log", nice=False, padding=12)
    factor = alt.Y("factor:Q", scale=scale).axis(tickCount=3, format="~g").title("measured / law")
    one = alt.Chart({"values": [{"factor": 1}]}).mark_rule(color="#999999").encode(y="factor:Q")
    tooltip = [alt.Tooltip("factor:Q", format=".3f")]
    return one + points.mark_point(filled=True, size=40, color=BLUE).encode(factor, tooltip=tooltip)


def _name(fit: Fit) -> str:
    return f"{LAWS[fit.law].y} = constant x ({LAWS[fit.law].g}) ^ exponent"


def _numbers(fit: Fit) -> list[str]:
    about = LAWS[fit.law]
    exponent = f"exponent {fit.exponent:.3g} ({fit.exponent_interval[0]:.3g} to {fit.exponent_interval[1]:.3g})"
    exponent += ", published sign: negative" if about.exponent is None else f", published {about.exponent:g}"
    constant = f"constant {fit.constant:.4g} ({fit.constant_interval[0]:.4g} to {fit.constant_interval[1]:.4g})"
    constant += f" with the {'fitted' if about.exponent is None else 'published'} exponent"
    if about.constant is not None:
        constant += f", published {about.constant:g}"
    return [exponent, constant, about.source]
