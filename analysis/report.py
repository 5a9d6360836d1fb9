"""One HTML page about a study that needs nothing else: charts with their code and data, tables, spec, provenance."""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.components import available, load

if TYPE_CHECKING:
    from study.store import Store

FIRST = ("claims", "explorer")
HELD = ("phase_diagram", "learning_curves")
"""Charts that the explorer holds."""
MAX_ROWS = 500
"""Rows that a table shows; the page says how many more there are."""
TABLES = {
    "states": """
        select status, stop_reason, count(*)::integer as runs
        from runs join study_runs using (run_id)
        where study = $study group by all order by all""",
    "phases": """
        select definition, phase, count(*)::integer as runs
        from phases join study_runs using (run_id)
        where study = $study group by all order by definition, runs desc""",
    "failures": """
        select run_id, point::text as point, steps, error
        from runs join study_runs using (run_id)
        where study = $study and status = 'failed' order by run_id""",
    "attempts": """
        select host, device, threads, versions::text as versions, git_sha, git_dirty, count(*)::integer as attempts,
            date_trunc('second', min(started_at)) as first_start,
            date_trunc('second', max(coalesce(ended_at, updated_at))) as last_end,
            sum(attempts.wall_seconds)::double as seconds
        from attempts join study_runs using (run_id)
        where study = $study
        group by host, device, threads, attempts.versions::text, git_sha, git_dirty order by first_start""",
    "specs": """
        select spec::text as spec, date_trunc('second', created_at) as created_at
        from studies where study = $study""",
}


def report(store: "Store", study: str, out: str | Path) -> Path:
    """Write the page to `out` and return its path. Raises SpecError if the store has no such study.

    A chart that does not apply to the study is left out; a study without records gets a page that says so.
    """
    # Here, because the store imports this package to find its views, and that must stay light.
    from jinja2 import Environment
    from vl_convert import javascript_bundle

    from analysis.charts import read_cells, read_study, rows
    from analysis.charts.learning_curves import MAX_RUNS
    from analysis.claim import as_row, claims_about
    from analysis.theme import PHASES, UNNAMED

    facts = read_study(store, study)
    claims = claims_about(store, study)
    tables = {name: rows(store, sql, study=study) for name, sql in TABLES.items()}
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    environment.filters |= {
        "color": lambda phase: PHASES.get(phase, UNNAMED),
        "parsed": lambda text: json.loads(text).items(),
        "pretty": lambda text: json.dumps(json.loads(text), indent=2, ensure_ascii=False),
    }
    template = environment.from_string(files("analysis").joinpath("report.html").read_text(encoding="utf-8"))
    page = template.render(
        facts=facts,
        cells=read_cells(store, facts),
        charts=_charts(store, study, {"claims": {"claims": claims}}),
        claims=[as_row(checked) for checked in claims],
        max_rows=MAX_ROWS,
        max_runs=MAX_RUNS,
        bundle=javascript_bundle(),  # pyright: ignore[reportCallIssue] (the stub lacks the default)
        **tables,
    )
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _charts(store: "Store", study: str, options: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the page needs of every chart that applies: name, heading, subtitle, how to read it, Vega-Lite spec.

    `options` are those of a chart by its name.
    """
    from analysis.charts import NotApplicable

    charts = []
    for name in sorted(set(available("analysis.charts")) - set(HELD), key=lambda name: (name not in FIRST, name)):
        module = load("analysis.charts", name)
        try:
            spec = module.chart(store, study, **options.get(name, {})).to_dict()
        except NotApplicable:
            continue
        subtitle = spec.pop("title", {}).get("subtitle", "")  # the page has the question on top
        charts.append({"name": name, "title": module.TITLE, "subtitle": subtitle, "read": module.READ, "spec": spec})
    return charts
