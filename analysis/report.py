"""One self-contained HTML page about a study: charts with their data, curves, tables, spec, provenance.

It looks as the study's page in `study serve` does, from whose style sheet, templates and marks it is made.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.store.files import atomic
from trainables.components import available, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from analysis.claim import Checked
    from analysis.stored import Study
    from study.store.database import Store

HELD = ("claims", "phase_diagram", "learning_curves", "explorer")
"""Charts that have a place of their own in the page."""
MAX_ROWS = 500
"""A table shows this many rows at most; the page says how many there are."""
SCRIPTS = (("study.web", "static/marks.js"), ("analysis", "report.js"), ("analysis", "report_curves.js"),
           ("analysis", "report_runs.js"))  # fmt: skip
MENUS = (("analysis", "menus.js"),)
STYLES = (("study.web", "static/style.css"), ("analysis", "report.css"))


def report(store: "Store", study: str, out: str | Path, claims: "Sequence[Checked]" = (), **plane: Any) -> Path:
    """Write the page to `out`, whole or not at all, and return its path. SpecError if the store has no such study.

    `claims` are checked claims to show before ours, such as those of the study's file. `plane` is what the first
    picture shows when the page opens: `x`, `y` and `at` as in `analysis.phase_diagram`.
    A chart that does not apply to the study is left out; a study without records gets a page that says so.
    """
    # Here, because `analysis` imports this module, and Altair takes a second to import.
    from analysis.answers import answer
    from analysis.charts import label
    from analysis.claim import as_row
    from analysis.claim_check import claims_about
    from analysis.report_curves import curves_of
    from analysis.report_facts import phases_of, standing_of, tables_of
    from analysis.report_rows import tables
    from analysis.report_runs import runs_of
    from analysis.stored import read_cells, read_study
    from analysis.vega_bundle import vega_bundle
    from study.store.printable import plain
    from study.store.studies import source_note

    facts = read_study(store, study)
    store = store.of(study)
    claims = [*claims, *claims_about(store, study)]
    found = tables_of(store, study)
    standing = standing_of(store, study)
    numbers = not standing["has_accuracy"]
    cells = read_cells(store, facts)
    firsts = [cell for cell in cells if cell["start"] == 0]
    curves = curves_of(store, study, {cell["key"]: cell["cell"] for cell in cells})
    diagram = _diagram(store, facts, cells, plane) if "accuracy" in curves["pictures"] else None
    drawn = _charts(store, study, ("boundary",) if diagram and _has_band(diagram["spec"]) else ())
    page = _environment(facts).get_template("report.html").render(
        facts=facts,
        answer="" if numbers else answer(store, study),
        standing=standing,
        numbers=numbers,
        phases=[] if numbers else phases_of(store, facts),
        cells=cells,
        labels=[label(cell["point"], facts.axes) for cell in firsts],
        totals=[cell["total"] for cell in firsts],
        diagram=plain(diagram),
        curves=curves,
        runs=plain(runs_of(store, facts, numbers)),
        rows_of=tables(store, facts),
        charts=drawn,
        claims=[as_row(checked) for checked in claims],
        claims_chart=_chart(store, study, "claims", claims=claims),
        older_source=source_note(store, study),
        max_rows=MAX_ROWS,
        bundle=vega_bundle(),
        scripts=_script(*SCRIPTS, *(MENUS if diagram and diagram["menus"] else ())),
        styles="\n".join(_texts(STYLES)),
        **found,
    )  # fmt: skip
    path = Path(out)
    with atomic(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path


def _script(*names: tuple[str, str]) -> str:
    """Modules as one script, in which all of their names are known."""
    return "\n".join(_texts(names)).replace("export function", "function")


def _texts(names: "Sequence[tuple[str, str]]") -> list[str]:
    return [files(package).joinpath(name).read_text(encoding="utf-8") for package, name in names]


def _environment(facts: "Study") -> "Environment":
    """The report's template and those of the live page."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    from analysis.charts import label, show, words
    from analysis.theme import phase_colors

    def source(name: str) -> str:
        place = ("analysis", name) if name.startswith("report") else ("study.web", f"templates/{name}")
        return _texts([place])[0]

    made = Environment(
        loader=FunctionLoader(source), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    made.filters |= {
        "color": lambda phase: phase_colors(facts.definition, [phase])[phase],
        "words": lambda axis: words(axis, facts.axes),
        "shown": show,
        "point": lambda text: label(json.loads(text), facts.axes),
        "parsed": _items,
        "pretty": lambda text: json.dumps(json.loads(text), indent=2, ensure_ascii=False),
    }
    return made


def _items(text: str) -> "list[tuple[str, Any]]":
    """Names and values of a JSON object; none of anything else, which a store may have."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(found.items()) if isinstance(found, dict) else []


def _diagram(store: "Store", facts: "Study", cells: list[dict[str, Any]], plane: dict[str, Any]) -> Any:
    from analysis.charts import NotApplicable
    from analysis.report_map import map_of

    try:
        return map_of(store, facts, cells, plane)
    except NotApplicable:
        return None


def _has_band(spec: dict[str, Any]) -> bool:
    """True of dots with line and band of the boundary, which the chart of the boundary would draw again."""
    return any(layer.get("mark", {}).get("type") == "circle" for layer in spec.get("layer", ()))


def _charts(store: "Store", study: str, drawn: "Sequence[str]") -> list[dict[str, Any]]:
    """Every other chart that applies to the study, without those that are `drawn` already."""
    names = sorted({*available("analysis.charts")} - {*HELD, *drawn}, key=lambda name: (name != "influence", name))
    return [made for name in names if (made := _chart(store, study, name))]


def _chart(store: "Store", study: str, name: str, **options: Any) -> dict[str, Any] | None:
    """A chart's name, title, subtitle, how to read it, and its Vega-Lite spec; None where it does not apply."""
    from analysis.charts import NotApplicable
    from study.store.printable import plain

    module = load("analysis.charts", name)
    try:
        spec = plain(module.chart(store, study, **options).to_dict())
    except NotApplicable:
        return None
    subtitle = spec.pop("title", {}).get("subtitle", "")  # the page has the question on top
    said = " ".join(subtitle) if isinstance(subtitle, list) else subtitle
    return {"name": name, "title": module.TITLE, "subtitle": said, "read": module.READ, "spec": spec}
