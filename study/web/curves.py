"""Curves of runs over steps: one line for each run and split, or a band over the runs of a cell."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from study.store.database import Store
from study.store.sql_text import literal
from study.web import charts
from study.web.asked import asked_of
from study.web.cells import groups_of
from study.web.kept import Kept
from study.web.run_facts import MEASURED
from trainables.errors import SpecError

MAX_RUNS = 200
"""At most this many runs are drawn, of each group the first; the picture says so."""
PER_DECADE, PLACES = 24, 300
"""At most this many records are drawn per decade of steps, and in all on a linear scale."""
SPLITS = ("test", "train", "ood")
"""In the order of strokes: the first has none."""
UNIT = ("accuracy", "share")
"""Metrics between 0 and 1, by the end of their names."""

COLUMNS = {
    "accuracy": {"train": "train_accuracy", "test": "test_accuracy", "ood": "ood_accuracy"},
    "loss": {"train": "train_loss", "test": "test_loss", "ood": "ood_loss"},
    "weight_norm": {"model": "weight_norm"},
    "fourier_ipr": {"model": "fourier_ipr"},
}
"""Metrics by split that the table `curves` has side by side, in a fifth of the rows of `metrics`. Some tasks have more
splits."""
SIDE_BY_SIDE = """
    unpivot (select run_id, step, {columns} from curves where run_id in ({runs}))
    on columns(* exclude (run_id, step)) into name line value value"""
RECORDS = """
    select run_id, step, split as line, value from metrics where metric = {what} and run_id in ({runs})
    union all
    select run_id, step, 'layer ' || layer || if(position = '', '', ' at ' || position) as line, value
    from probes where probe || '.' || metric = {what} and run_id in ({runs})"""
"""The values of a metric, or of one of a probe, of these runs: constants, so that filters come first."""


def of_runs(request: Request) -> Response:
    """The curves of the runs `run=`, each a group of its own. `what` is a metric, or `probe.metric`; `scale` is log or
    linear."""
    kept, given = request.app.state.kept, request.query_params
    groups = {run_id: (run_id,) for run_id in dict.fromkeys(given.getlist("run"))}
    if not 0 < len(groups) <= MAX_RUNS:
        raise SpecError(f"run= names {len(groups)} runs: give 1 to {MAX_RUNS} of them, as in run=0123456789abcdef.")
    return _answer(request, kept, kept.store, groups, "runs")


def of_cells(request: Request) -> Response:
    """The curves of the chosen cells of a study, each cell a group."""
    kept, asked = request.app.state.kept, asked_of(request)
    groups = groups_of(kept, asked)
    return _answer(request, kept, asked.judged(kept.store), groups, asked.study)


def _answer(request: Request, kept: Kept, store: Store, groups: dict[str, tuple[str, ...]], name: str) -> Response:
    given = request.query_params
    what, scale = given.get("what", "accuracy"), given.get("scale", "log")
    show = given.get("show", "runs")
    if scale not in ("log", "linear") or show not in ("runs", "band"):
        raise SpecError(f"scale={scale!r} and show={show!r} must be log or linear, and runs or band.")
    asked = ("curves", str(store.scope), tuple(groups.items()), what, scale, show)
    made = kept.get(asked, lambda: charts.encoded(_drawn(store, groups, what, scale == "log", show == "band")))
    return charts.answer(request, made, f"{name}_{what}")


def _drawn(store: Store, groups: dict[str, tuple[str, ...]], what: str, log: bool, band: bool) -> dict[str, Any]:
    rows = _rows(store, groups, what, log)
    if not rows:
        return {"missing": f"These runs have no records of {what}."}
    with charts.DRAWING:
        spec = charts.spec_of(picture(rows, what, log, band))
    drawn, number = len({row["run"] for row in rows}), sum(map(len, groups.values()))
    spec["title"] = {"text": what, "subtitle": f"{drawn} of {number} runs" if drawn < number else ""}
    return {"title": what.replace("_", " ").replace(".", " "), "read": "", "spec": spec}


def _rows(store: Store, groups: dict[str, tuple[str, ...]], what: str, log: bool) -> list[dict[str, Any]]:
    """Records, thinned to as many as a picture shows: `group`, `run`, `line` (a split, or a layer), `step`, `value`."""
    places = (
        f"{PER_DECADE} * log10(greatest(step, 0.5))" if log else f"{PLACES} * step / greatest(max(step) over (), 1)"
    )
    group_of = {run_id: group for group, runs in groups.items() for run_id in runs[: MAX_RUNS // len(groups)]}
    if not group_of:
        return []
    listed = ", ".join(map(literal, group_of))
    text = f"""
        select run_id, line, step, value from ({records(store, what, listed)})
        qualify row_number() over (
            partition by run_id, line, floor({places}) order by step desc) = 1
        order by run_id, line, step"""
    found = store.sql(text).to_arrow_table().to_pylist()
    turn = {group: number for number, group in enumerate(groups)}
    found.sort(key=lambda row: turn[group_of[row["run_id"]]])
    return [
        {"group": group_of[row["run_id"]], "run": row["run_id"], "line": row["line"], "step": row["step"]}
        | {"value": charts.rounded(row["value"])}
        for row in found
    ]


def records(store: Store, what: str, runs: str) -> str:
    """The select statement of the values of `what`: `run_id`, `step`, `line`, `value`."""
    names = [name.partition(".") for (name,) in store.sql(MEASURED.format(runs=runs)).fetchall()]
    known = COLUMNS.get(what, {})
    if not known or any(metric == what and split not in known for split, _, metric in names):
        return RECORDS.format(what=literal(what), runs=runs)
    columns = ", ".join(f"{column} as {split}" for split, column in known.items())
    return SIDE_BY_SIDE.format(columns=columns, runs=runs)


def picture(rows: list[dict[str, Any]], what: str, log: bool, band: bool) -> Any:
    """The picture of rows as `_rows` gives them. Colours are splits where there is one group, else groups, and then
    splits are kinds of strokes."""
    import altair as alt
    import pandas as pd

    from analysis.theme import SPLITS as COLORS
    from analysis.theme import step_axis

    lines, groups = {row["line"] for row in rows}, list(dict.fromkeys(row["group"] for row in rows))
    table = pd.DataFrame(rows)
    table["step"] = table["step"].clip(lower=0.5 if log else 0)
    names = [*(split for split in SPLITS if split in lines), *sorted(lines - set(SPLITS))]
    scale, axis = step_axis("optimizer step")
    x = alt.X("step:Q", scale=scale, axis=axis) if log else alt.X("step:Q").title("optimizer step")
    bounded = alt.Scale(domain=[0, 1]) if what.endswith(UNIT) else alt.Scale(zero=False)
    title = what.replace("_", " ").replace(".", " ")
    one, extent = len(groups) == 1, alt.SchemeParams("viridis", extent=[0.05, 0.85])
    if one:
        known = [COLORS[name] for name in names if name in COLORS]
        whole = len(known) == len(names)
        colors = alt.Scale(domain=names, range=known) if whole else alt.Scale(domain=names, scheme=extent)
        color = alt.Color("line:N", scale=colors, title=None).legend(symbolType="stroke")
    else:
        color = alt.Color("group:N", sort=groups, scale=alt.Scale(scheme=extent), title=None)
        color = color.legend(labelLimit=0, orient="top", columns=1, symbolType="stroke")
    base = alt.Chart(table).encode(x, color, detail=["line:N"])
    dash = alt.StrokeDash("line:N", sort=names, title=None).legend(symbolType="stroke")
    dashed = base.encode(strokeDash=dash)
    lined = dashed if not one and len(names) > 1 else base
    if band:
        middle = lined.mark_line(strokeWidth=2).encode(alt.Y("median(value):Q", scale=bounded, title=title))
        spread = base.mark_area(opacity=0.2).encode(
            alt.Y("min(value):Q", scale=bounded, title=title), alt.Y2("max(value):Q")
        )
        drawn = alt.layer(spread, middle)
    else:
        tips = ["group:N", "run:N", alt.Tooltip("line:N").title("of"), "step:Q", "value:Q"]
        drawn = lined.mark_line(strokeWidth=1.4, opacity=0.8).encode(
            alt.Y("value:Q", scale=bounded, title=title), detail=["line:N", "run:N"], tooltip=tips
        )
    return drawn.properties(width=420, height=240)
