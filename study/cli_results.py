"""The commands that read results: sql, phases, claims, report."""

from pathlib import Path
from typing import Any

import click

from study.options import json_option, store_option


@click.command()
@click.argument("query")
@store_option
@click.option("--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table")
def sql(query: str, store: str, form: str) -> None:
    """Read-only SQL on the store, also while a study runs.

    Example: study sql "select phase, count(*) from phases group by all"
    """
    from study.display import write_table
    from study.store import Store

    write_table(Store.open(store).sql(query).to_arrow_table(), form)


@click.command()
@click.argument("study")
@store_option
@click.option("--definition", metavar="NAME", help="Cells by phase under this file of analysis/phases.")
@json_option
def phases(study: str, store: str, definition: str | None, as_json: bool) -> None:
    """Runs and cells by phase.   Example: study phases first_map --definition liu2022"""
    from study.display import show_table
    from study.status import phase_rows
    from study.store import Store

    show_table(phase_rows(Store.open(store), study, definition), as_json)


@click.command()
@click.argument("name", required=False)
@store_option
@click.option("--all", "everything", is_flag=True, help="Those that no study of the store answers, too.")
@json_option
def claims(name: str | None, store: str, everything: bool, as_json: bool) -> None:
    """What papers say against what the store's runs say.   Example: study claims circuits_competition

    NAME is a study or a file of analysis/claims. A verdict follows from the 95% interval and the bar: reproduced,
    not reproduced, undecided where the interval crosses it, not yet run until all runs of the study have ended.
    """
    from analysis.claim import as_row, check_claims
    from study.display import show_claims
    from study.store import FILE, Store

    opened = Store.open(store) if (Path(store) / FILE).exists() else None
    show_claims([as_row(checked) for checked in check_claims(opened, name, everything)], as_json)


@click.command()
@click.argument("study")
@store_option
@click.option("--out", metavar="FILE", help="Where to write; STUDY.html in the store by default.")
def report(study: str, store: str, out: str | None) -> None:
    """One self-contained HTML page: diagrams, curves, tables, specs.   Example: study report first_map"""
    from study.store import Store

    write_report(Store.open(store), study, out)


def write_report(store: Any, study: str, out: str | None) -> None:
    """Write the page, and say where."""
    import analysis

    path = Path(out) if out else store.path / f"{study}.html"
    click.echo(f"report: {analysis.report(store, study, path)}")
