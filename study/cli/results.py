"""The commands that read results: status, phases, claims, report."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from study.cli import names
from study.cli.options import (
    definition_option,
    horizon_option,
    json_option,
    param_option,
    store_option,
    stored_argument,
)
from study.cli.output import note, print_json
from study.cli.plane import plane_options
from trainables.errors import SpecError


@click.command()
@stored_argument(required=False)
@store_option
@json_option
def status(study: str | None, store: str, as_json: bool) -> None:
    """Runs by status and phase, throughput, last error.

    Example: study status first_map

    Also while studies run. Phases are those of the study's own definition; a run that is not finished has none.
    """
    from study.cli.status_text import show_status
    from study.store.database import Store
    from study.store.status import status_rows
    from study.store.studies import source_notes

    opened = Store.open(store)
    rows = status_rows(opened, study)
    show_status(rows, as_json)
    for older in source_notes(opened, study):
        note(older)


@click.command()
@stored_argument()
@store_option
@definition_option
@param_option
@plane_options
@horizon_option
@json_option
def phases(
    study: str,
    store: str,
    definition: str | None,
    params: dict[str, float],
    horizon: int | None,
    as_json: bool,
    **plane: Any,
) -> None:
    """Runs by phase under every definition, or cells under one.

    \b
    Example: study phases first_map --definition liu2022
             study phases first_map --definition my_phases.sql
             study phases first_map --param threshold=0.95
             study phases first_map --at-horizon 500
             study phases first_map --x weight_decay --at train_fraction=0.8

    A definition is one of ours, one of the store's, or an SQL file, which is not stored. --at leaves
    only the cells at these values. With --x or --y the cells are over these axes, and the runs of all other axes'
    values are counted together.
    """
    from study.cli.status_text import show_phases
    from study.store.database import Store
    from study.store.status import phase_rows, standing_rows
    from study.store.studies import definition_of, judged

    opened = Store.open(store)
    if plane["at"] or (plane["x"], plane["y"]) != (None, None):
        from analysis.cell_rows import cell_rows

        rows = cell_rows(judged(opened, study, horizon), study, definition, params, **plane)
    else:
        rows = phase_rows(opened, study, definition, horizon, params)
        if definition is None and not params and not as_json:
            own = definition_of(opened, study, None).name
            note(f"the study's own definition is {own!r}: `--definition {own}` shows its cells.")
    show_phases(rows, as_json)
    judged_at = sorted({row["horizon"] for row in standing_rows(opened, study) if row["status"] == "finished"})
    if horizon is None and len(judged_at) > 1:
        first, last = judged_at[0], judged_at[-1]
        note(f"runs are judged at horizons {first:,} to {last:,}: `--at-horizon {first}` shows them at {first:,}.")


@click.command()
@click.argument("name", required=False, shell_complete=names.completing(names.claims))
@store_option
@click.option("--all", "everything", is_flag=True, help="Those that no study of the store answers, too.")
@json_option
def claims(name: str | None, store: str, everything: bool, as_json: bool) -> None:
    """What papers say against what the store's runs say.

    Example: study claims circuits_competition

    NAME is a study, a file of analysis/claims, or a study file, which is run for the CLAIMS beside its STUDY. A verdict
    follows from the 95% interval and the bar: reproduced, not reproduced, undecided where the interval crosses it, not
    yet run until all runs of the study have ended.
    """
    import analysis
    from analysis.claim import as_row
    from study.cli.claims_text import show_claims
    from study.store.database import FILE, Store

    opened = Store.open(store) if (Path(store) / FILE).exists() else None
    rows = [as_row(checked) for checked in analysis.check_claims(opened, name, everything=everything)]
    show_claims(rows, as_json)
    if name is not None and not rows:
        note(_no_claims(name))


def _no_claims(name: str) -> str:
    if name.endswith(".py"):
        return f"{name!r} has no CLAIMS: write `CLAIMS = [Claim(...)]` beside its STUDY."
    return f"no claim is about study {name!r}: they are about studies of papers, see `study claims --all`."


@click.command()
@click.argument("study", shell_complete=names.completing(names.stored))
@store_option
@click.option(
    "--out",
    metavar="FILE",
    shell_complete=names.any_file,
    help="Where to write: a page, .html.  [default: STUDY.html in the store]",
)
@plane_options
@horizon_option
@json_option
def report(study: str, store: str, out: str | None, horizon: int | None, as_json: bool, **plane: Any) -> None:
    """One self-contained HTML page: diagrams, curves, tables, specs.

    \b
    Example: study report first_map --out first_map.html
             study report first_map --x weight_decay --y train_fraction

    A study file is run for its CLAIMS; without the file the page has all else. --x, --y and --at choose what the first
    picture shows when the page opens.
    """
    from study.store.database import Store
    from study.store.studies import judged

    opened = Store.open(store)
    name = Path(study).stem if study.endswith(".py") else study
    if horizon is not None:
        opened = judged(opened, name, horizon)
    path = write_report(opened, name, out, study, plane)
    if as_json:
        print_json({"study": name, "report": str(path)})
    else:
        click.echo(f"report: {path}")


def write_report(
    store: Any, study: str, out: str | None, given: str, plane: Mapping[str, Any] = MappingProxyType({})
) -> Path:
    """Write the page; returns where. `given` is how the study was given: a file may have claims. `plane`: `x`, `y` and
    `at` of the first picture."""
    import analysis
    from analysis.own_claims import check_own, own_claims

    path = Path(out) if out is not None else store.path / f"{study}.html"
    if path.suffix.lower() not in (".html", ".htm"):
        raise SpecError(f"--out {out!r} must end in .html or .htm: a report is a page for a browser.")
    store.check_known(study)
    claims = check_own(store, own_claims(given), study) if given.endswith(".py") else []
    return analysis.report(store, study, path, claims, **plane)
