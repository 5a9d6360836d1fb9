"""The charts of a study's page: each at an address of its own, as a Vega-Lite spec to draw or as a picture to keep."""

import hashlib
import json
import math
import threading
from inspect import signature
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from study.store.database import Store
from study.web.asked import Asked, asked_of
from study.web.takeaway import attachment
from trainables.components import available, load

if TYPE_CHECKING:
    import altair as alt

PICTURES = {"svg": "image/svg+xml", "png": "image/png"}
DRAWING = threading.Lock()
"""For whatever makes a chart: between `alt.X(...).scale` and its call Altair keeps the channel in the class, where
another thread would find it."""
FITTED = ("band_width", "boundary", "critical_values", "influence", "law")
"""Charts of a model of all points."""
MOST_POINTS = 2000
POINTS = "select count(distinct point::text) from study_runs where study = ?"
DIAGRAM, EXPLORER = "phase_diagram", "explorer"


def names() -> list[str]:
    """The charts that a page shows. The explorer is the page itself."""
    return sorted(set(available("analysis.charts")) - {EXPLORER, "learning_curves", "claims"})


def chart(request: Request) -> Response:
    """A chart of a study; `format` is svg, png or spec for a file, without it what the page draws."""
    name, asked, kept = request.path_params["name"], asked_of(request), request.app.state.kept
    if name not in names():
        raise HTTPException(404, f"There is no chart {name!r}: it is one of {', '.join(names())}.")
    ask = kept.get if name == DIAGRAM else kept.seldom
    made = ask(("chart", name, asked), lambda: encoded(_chart(kept.store, name, asked)))
    return answer(request, made, f"{asked.study}_{name}")


def _chart(store: Store, name: str, asked: Asked) -> dict[str, Any]:
    """The chart's title, how to read it, and its spec; only `missing`, which says why, where it does not apply."""
    from analysis.charts import NotApplicable

    if name in FITTED and (number := store.sql(POINTS, [asked.study]).fetchall()[0][0]) > MOST_POINTS:
        said = f"Study {asked.study!r} has {number:,} points, and a model of more than {MOST_POINTS:,} takes minutes."
        return {"missing": f"{said} `study figure {asked.study} {name} -o {name}.svg --width 6` makes this picture."}
    module = load("analysis.charts", name)
    texts = {"title": module.TITLE, "read": module.READ}
    with DRAWING:
        try:
            if name == DIAGRAM:
                return texts | diagram(store, asked)
            takes = "definition" in signature(module.chart).parameters
            given = {"definition": asked.facts(store).definition} if takes else {}
            return texts | {"spec": spec_of(module.chart(asked.judged(store), asked.study, **given))}
        except NotApplicable as error:
            return {"missing": str(error)}


def diagram(store: Store, asked: Asked) -> dict[str, Any]:
    """The phase diagram as it is asked for, and the point of each of its cells by the cell's number."""
    import altair as alt

    from analysis.charts import NotApplicable
    from analysis.charts.phase_diagram import content, picture, said
    from analysis.stored import read_cells

    with store.together():
        facts = asked.facts(store)
        scoped = asked.judged(store).of(asked.study, definition=facts.definition)
        cells = read_cells(scoped, facts)
    if not cells or not facts.axes:
        raise NotApplicable(f"Study {asked.study!r} has no runs on its axes.")
    places = asked.arranged(cells, facts)
    shown, slices = content(scoped, facts, cells, places)
    subtitle = facts.subtitle(said(places, facts, slices), sum(cell["runs"] for cell in shown))
    drawn = picture(scoped, facts, shown, places, slices)
    drawn = drawn.properties(title=alt.Title(facts.question, subtitle=subtitle))
    return {"spec": spec_of(drawn), "cells": {cell["cell"]: cell["point"] for cell in shown}}


def spec_of(drawn: "alt.TopLevelMixin") -> dict[str, Any]:
    """A chart as JSON has it: what is not finite is null."""
    from study.store.printable import plain

    return plain(drawn.to_dict())


def encoded(made: dict[str, Any]) -> bytes:
    """What `_chart` gives as JSON, with the spec's subtitle apart: a page shows it as text."""
    title = made.get("spec", {}).get("title") or {}
    subtitle = {"subtitle": title.get("subtitle", "") if isinstance(title, dict) else ""} if "spec" in made else {}
    return json.dumps(made | subtitle, allow_nan=False).encode()


def answer(request: Request, made: bytes, name: str) -> Response:
    """What `chart` gives, of a chart that was made and encoded."""
    form = request.query_params.get("format")
    if form is None:
        return _to_draw(request, made)
    found = json.loads(made)
    if "spec" not in found:
        raise HTTPException(404, found["missing"])
    if form not in (*PICTURES, "spec"):
        raise HTTPException(404, f"format {form!r} is none of spec, {', '.join(PICTURES)}.")
    if form == "spec":
        content, kind, ending = json.dumps(found["spec"], indent=1), "application/json", "vl.json"
    else:
        content, kind, ending = _picture(found["spec"], form), PICTURES[form], form
    return Response(content, 200, {"content-disposition": attachment(name, ending)}, kind)


def _to_draw(request: Request, made: bytes) -> Response:
    """A browser that has the same keeps what it has."""
    tag = f'"{hashlib.sha256(made).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(made, media_type="application/json", headers=headers)


def _picture(spec: dict[str, Any], form: str) -> str | bytes:
    import vl_convert

    if form == "svg":
        return vl_convert.vegalite_to_svg(spec)
    return vl_convert.vegalite_to_png(spec, scale=2)


def rounded(value: float | None) -> float | None:
    """A number in the digits that a picture shows; None for what is not finite."""
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None
