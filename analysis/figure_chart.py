"""A chart by the name of its file, with the options that it takes."""

import inspect
from typing import TYPE_CHECKING, Any

from trainables.components import available, load, near_names
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

PACKAGE = "analysis.charts"
PLANE = ("x", "y", "at")
"""What a chart takes that passes on the options of a plane, whatever they are."""


def chart_spec(store: "Store", study: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The Vega-Lite spec of a chart, with `options` that are not None or empty; `params` are other thresholds of its
    definition, and `at` is a cell where the chart shows one.

    SpecError for an unknown name or an option that the chart does not take, and NotApplicable, which says why, where
    the study lacks the runs that it shows.
    """
    from analysis.charts import NotApplicable
    from analysis.stored import read_study

    check_name(name)
    asked = {option: value for option, value in options.items() if value not in (None, {}, ())}
    chart = load(PACKAGE, name).chart
    try:
        spec = chart(store, study, **_taken(store, study, name, chart, asked)).to_dict()
    except NotApplicable as error:
        raise NotApplicable(f"chart {name!r} does not apply here. {error}") from None
    spec.setdefault("title", {"text": read_study(store, study).question})
    return spec


def check_name(name: str) -> None:
    """SpecError for what is no file of analysis/charts: the nearest name, and all of them."""
    known = available(PACKAGE)
    if name not in known:
        near = near_names(str(name), known)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise SpecError(f"No chart named {name!r}. {hint}Charts: {', '.join(known)}.")


def _taken(store: "Store", study: str, name: str, chart: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a chart's function for the options that were asked for."""
    from analysis.stored import read_study
    from study.store.studies import definition_of
    from study.store.thresholds import with_params

    known = inspect.signature(chart).parameters
    takes = {option for option, about in known.items() if about.kind is not about.VAR_KEYWORD} - {"store", "study"}
    if "definition" in takes:
        takes.add("params")
    if "point" in takes:
        takes.add("at")
    if any(about.kind is about.VAR_KEYWORD for about in known.values()):
        takes |= set(PLANE)
    for option in asked:
        if option not in takes:
            has = f"It takes {', '.join(sorted(takes))}." if takes else "It takes none."
            raise SpecError(f"chart {name!r} does not take {option!r}. {has}")
    if "params" in asked:
        asked["definition"] = with_params(definition_of(store, study, asked.get("definition")), asked.pop("params"))
    if "at" in asked and "at" not in known and "point" in known:
        asked["point"] = read_study(store, study).held(asked.pop("at"))
    return asked
