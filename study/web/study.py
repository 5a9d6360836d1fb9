"""A study's page: its phase diagram as it fills in, the cells that a reader chooses, claims, and what trains now."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from analysis.stored import rows
from study.store.database import Store
from study.store.definitions import NO_PHASE
from study.store.levels import LEVELS
from study.store.thresholds import defaults_of
from study.web import charts
from study.web.asked import ALL, Asked, asked_of
from study.web.cells import groups_of, points_of
from study.web.kept import Kept
from study.web.pages import page
from study.web.run_facts import measures_of
from study.web.standings import row_of
from study.web.training import training_of

if TYPE_CHECKING:
    from analysis.stored import Study

APPLY = """
    select definition, count(*) filter (where phase <> $no_phase)::integer as resolved
    from phases join study_runs using (run_id) where study = $study group by definition order by definition"""
SOME = "select run_id from recorded semi join (from study_runs where study = ?) using (run_id) limit 20"
"""Runs that stand for all of a study when it is asked what they have curves of."""
HORIZONS = "select distinct unnest(horizons)::bigint from study_runs where study = $study"


def study(request: Request) -> HTMLResponse:
    """The page of one study, as its address asks for it."""
    kept, asked = request.app.state.kept, asked_of(request)
    mapped = replace(asked, cells=())  # choosing cells changes nothing else
    facts, phases = kept.get(("read", mapped), lambda: read(kept, mapped))
    controls = kept.seldom(("controls", mapped), lambda: controls_of(kept, mapped, facts))
    metrics = kept.seldom(("metrics", asked.study), lambda: metrics_of(kept.store, asked.study))
    return page(
        request,
        "study.html",
        study=row_of(kept, asked.study),
        asked_for=asked,
        facts=facts,
        controls=controls,
        phases=phases,
        training=training_of(kept, asked.study),
        chosen=chosen_of(kept, asked),
        metrics=metrics,
        charts=[name for name in charts.names() if name != charts.DIAGRAM],
    )


def read(kept: Kept, asked: Asked) -> tuple["Study", list[dict[str, Any]]]:
    """The study's facts, and its runs by phase as they are asked for; and whatever else of its page follows from the
    same state of the store and is quick to tell."""
    import analysis.stored  # noqa: F401  # it takes a moment, in which no writer should wait

    with kept.store.together():
        row = row_of(kept, asked.study)
        training_of(kept, asked.study)
        facts = asked.facts(kept.store)
        if replace(asked, x=None, y=None, at=()) == Asked(asked.study):
            return facts, row["phases"]
        return facts, phases_of(kept.store, asked, facts)


def controls_of(kept: Kept, asked: Asked, facts: "Study") -> dict[str, Any]:
    """What a reader can choose: definitions that apply, thresholds with the numbers that may stand there, axes with
    their values, horizons."""
    from analysis.charts import show, words
    from analysis.scale import ABSENT
    from analysis.stored import order

    store = kept.store
    points = [point for point, _ in points_of(kept, asked.study)]
    values = {axis: sorted({point[axis] for point in points} - {ABSENT}, key=order) for axis in facts.axes}
    with store.together():
        definitions = applying(asked.judged(store), asked.study)
        horizons = {horizon for (horizon,) in store.sql(HORIZONS, {"study": asked.study}).fetchall()}
    at, given = dict(asked.at), dict(asked.params)
    return {
        "definitions": definitions if facts.definition.name in definitions else [*definitions, facts.definition.name],
        "params": [
            {"name": name, "value": given.get(name, default), "default": default,
             "choices": sorted(LEVELS) if default in LEVELS and "threshold" in name else None}
            for name, default in defaults_of(facts.definition).items()
        ],
        "axes": [
            {"path": axis, "words": words(axis, facts.axes), "at": at.get(axis),
             "index": known.index(at[axis]) + 2 if at.get(axis) in known else None,
             "values": [{"value": value, "shown": show(value)} for value in known]}
            for axis, known in values.items()
            if len(known) > 1
        ],
        "horizons": sorted(horizons | ({asked.horizon} if asked.horizon else set())),
        "all": ALL,
    }  # fmt: skip


def applying(store: Store, study: str) -> list[str]:
    """The definitions under which some run of the study has a phase."""
    found = rows(store, APPLY, study=study, no_phase=NO_PHASE)
    return [row["definition"] for row in found if row["resolved"]]


def phases_of(store: Store, asked: Asked, facts: "Study") -> list[dict[str, Any]]:
    """The study's runs by phase under the definition that is asked for."""
    scoped = asked.judged(store).of(asked.study, definition=facts.definition)
    text = "select phase, count(*)::integer from phases join study_runs using (run_id) " \
        "where study = ? and definition = ? group by phase"  # fmt: skip
    return facts.definition.legend(dict(scoped.sql(text, [asked.study, facts.definition.name]).fetchall()))


def chosen_of(kept: Kept, asked: Asked) -> list[dict[str, Any]]:
    """The chosen cells: in words, as the address has them, and how many runs are in each."""
    groups = groups_of(kept, asked) if asked.cells else {}
    return [
        {"words": name, "cell": cell, "runs": len(runs), "first": runs[:10]}
        for cell, (name, runs) in zip(asked.cells, groups.items(), strict=True)
    ]


def metrics_of(store: Store, study: str) -> list[str]:
    """What the runs of the study have curves of."""
    with store.together():
        return measures_of(store, [run_id for (run_id,) in store.sql(SOME, [study]).fetchall()])
