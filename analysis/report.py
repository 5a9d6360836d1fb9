"""One self-contained HTML page about a study: charts with their code and data, tables, spec, provenance."""

import itertools
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.store.files import atomic
from trainables.components import available, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.claim import Checked
    from study.store.database import Store

FIRST = ("claims", "explorer", "influence")
"""Charts at the top of the page."""
HELD = ("phase_diagram", "learning_curves")
"""Charts that the page leaves out, because the explorer shows both."""
MAX_ROWS = 500
"""A table shows this many rows at most; the page says how many there are."""
TABLES = {
    "states": """
        select status, stop_reason, count(*)::integer as runs
        from outcomes join study_runs using (run_id)
        where study = $study group by all order by all""",
    "scored": """
        select count(*)::integer as runs, count(chance_accuracy)::integer as with_accuracy
        from run_specs join study_runs using (run_id)
        where study = $study""",
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


def report(store: "Store", study: str, out: str | Path, claims: "Sequence[Checked]" = (), **plane: Any) -> Path:
    """Write the page to `out`, whole or not at all, and return its path. SpecError if the store has no such study.

    `claims` are checked claims to show before ours, such as those of the study's file. `plane` is what the first
    picture shows when the page opens: `x`, `y` and `at` as in `analysis.phase_diagram`.
    A chart that does not apply to the study is left out; a study without records gets a page that says so.
    """
    # Here, because `analysis` imports this module, and Altair takes a second to import.
    from jinja2 import Environment

    from analysis.answers import answer
    from analysis.charts import label, show, words
    from analysis.charts.learning_curves import MAX_RUNS
    from analysis.claim import as_row
    from analysis.claim_check import claims_about
    from analysis.report_rows import tables as tables_of
    from analysis.stored import read_cells, read_study, rows
    from analysis.theme import phase_colors
    from analysis.vega_bundle import vega_bundle
    from study.store.studies import definition_of, source_note

    facts = read_study(store, study)
    store = store.of(study)
    claims = [*claims, *claims_about(store, study)]
    tables = {name: rows(store, sql, study=study) for name, sql in TABLES.items()}
    colors = {facts.definition.name: phase_colors(facts.definition)}
    for name, of in itertools.groupby(tables["phases"], lambda row: row["definition"]):
        found = facts.definition if name == facts.definition.name else definition_of(store, study, name)
        colors[name] = phase_colors(found, (row["phase"] for row in of))
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    environment.filters |= {
        "color": lambda phase, definition: colors[definition][phase],
        "words": lambda axis: words(axis, facts.axes),
        "shown": show,
        "point": lambda text: label(json.loads(text), facts.axes),
        "parsed": _items,
        "pretty": lambda text: json.dumps(json.loads(text), indent=2, ensure_ascii=False),
    }
    template = environment.from_string(files("analysis").joinpath("report.html").read_text(encoding="utf-8"))
    page = template.render(
        facts=facts,
        answer=answer(store, study),
        cells=read_cells(store, facts),
        rows_of=tables_of(store, facts),
        charts=_charts(store, study, {"claims": {"claims": claims}, "explorer": plane}),
        claims=[as_row(checked) for checked in claims],
        older_source=source_note(store, study),
        max_rows=MAX_ROWS,
        max_runs=MAX_RUNS,
        bundle=vega_bundle(),
        menus=files("analysis").joinpath("menus.js").read_text(encoding="utf-8"),
        **tables,
    )
    path = Path(out)
    with atomic(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path


def _items(text: str) -> "list[tuple[str, Any]]":
    """Names and values of a JSON object; none of anything else, which a store may have."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(found.items()) if isinstance(found, dict) else []


def _charts(store: "Store", study: str, options: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every chart that applies to the study: name, title, subtitle, how to read it, and its Vega-Lite spec.

    `options` are further arguments by the name of the chart.
    """
    from analysis.charts import NotApplicable
    from analysis.menus import READ, menus

    charts = []
    for name in sorted(set(available("analysis.charts")) - set(HELD), key=lambda name: (name not in FIRST, name)):
        module = load("analysis.charts", name)
        try:
            found = menus(store, study, **options["explorer"]) if name == "explorer" else None
            chart, chosen = found or (module.chart(store, study, **options.get(name, {})), None)
            spec = chart.to_dict()
        except NotApplicable:
            continue
        subtitle = spec.pop("title", {}).get("subtitle", "")  # the page has the question on top
        texts = {"name": name, "title": module.TITLE, "subtitle": subtitle, "read": READ if chosen else module.READ}
        charts.append(texts | {"spec": spec, "menus": chosen})
    return charts
