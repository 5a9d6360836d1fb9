"""`study sql`: a query from the command line, a file or stdin, and its answer as a table or as data."""

import sys
from pathlib import Path

import click

from study.cli import names
from study.cli.options import json_option, store_option
from trainables.errors import SpecError

FORMATS = ("table", "csv", "json", "parquet")


@click.command()
@click.argument("query", required=False)
@click.option("-f", "--file", metavar="FILE", shell_complete=names.any_file, help="Read the query from FILE.")
@store_option
@click.option("--format", "form", type=click.Choice(FORMATS), help="Of the answer.  [default: table]")
@json_option
def sql(query: str | None, file: str | None, store: str, form: str | None, as_json: bool) -> None:
    """Read-only SQL on the store, also while a study runs.

    \b
    Example: study sql "select phase, count(*) from phases group by all"
             study sql --file boundary.sql --format csv > boundary.csv
             echo "from outcomes limit 3" | study sql

    QUERY is one statement; without it, or as `-`, it is read from stdin. Tables and views: runs, study_runs, attempts,
    metrics, curves, outcomes, phases, cells, probes; `study sql "describe runs"` shows the columns of one.
    """
    from study.cli.formats import write_table
    from study.store.database import Store
    from study.store.errors import QueryError

    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other.")
    text = read_query(query, file)
    try:
        answer = Store.open(store).sql(text).to_arrow_table()
    except QueryError as error:
        # The one mistake that has more than one line: DuckDB points at the place, and names what it may have been.
        click.echo(f"study: {error.details}", err=True)
        raise SystemExit(2) from None
    write_table(answer, "json" if as_json else form or "table")


def read_query(query: str | None, file: str | None) -> str:
    """The text of the query; SpecError where there is none, and where two are given."""
    if query is not None and file is not None:
        raise SpecError(f"give one of QUERY and --file, got {query!r} and {file!r}.")
    if file not in (None, "-"):
        try:
            return Path(str(file)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SpecError(f"--file {file!r} cannot be read: {reason}.") from None
    if query not in (None, "-"):
        return str(query)
    if query is None and file is None and sys.stdin.isatty():
        raise SpecError('give a query, as in `study sql "from outcomes limit 3"`, or --file FILE.')
    return sys.stdin.read()
