"""The command line. A user's mistake is one line and exit code 2; a bug is a traceback.

Imports of torch, ray, duckdb and altair stay inside the commands that need them: `study --help` starts at once.
"""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import click

from study.cli_cluster import doctor, submit
from study.cli_results import claims, phases, report, sql, write_report
from study.cli_search import extend, search
from study.options import (
    asked,
    json_option,
    options_of,
    prune_option,
    run_options,
    storage_option,
    store_option,
    train_options,
)
from trainables.errors import SpecError

EXAMPLES = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=EXAMPLES)
@click.version_option(package_name="grokking-study")
def cli() -> None:
    """Hyperparameter studies of grokking: when does a network memorize, when does it generalize?

    \b
    study run first_map                      # train what is missing
    study report first_map                   # look at the phase diagram
    study sql "select * from outcomes"       # ask anything
    """


@cli.command("list")
@json_option
def list_(as_json: bool) -> None:
    """The catalog: name, question, axes, number of runs.   Example: study list"""
    from study.display import show_table
    from study.spec import CATALOG, find
    from trainables.components import available

    studies = [find(name) for name in available(CATALOG)]
    rows = [
        {"study": s.name, "runs": len(s.points()) * s.seeds, "axes": ", ".join(s.axes), "question": s.question}
        for s in studies
    ]
    show_table(rows, as_json)


@cli.command()
@click.argument("study")
@store_option
@json_option
def show(study: str, store: str, as_json: bool) -> None:
    """The resolved spec of STUDY, its runs, packs and cost.   Example: study show first_map

    A search is as the store has it, with the runs that it has asked for by now.
    """
    from study.display import show_study
    from study.machine import machine
    from study.plan import plan_runs
    from study.store import Store
    from study.stored import find_study, runs_of

    spec, target = find_study(study, store), machine("auto")
    opened = Store.open(store) if spec.search is not None else None
    show_study(plan_runs(spec, runs_of(spec, opened), None, target), target, as_json)


@cli.command()
@click.argument("study")
@store_option
@run_options
@json_option
def plan(study: str, store: str, as_json: bool, **options: Any) -> None:
    """What `run` would do: planned, finished, missing, packs by shape.   Example: study plan first_map"""
    from study import service
    from study.display import show_plan
    from study.store import Store
    from study.stored import find_study

    spec, settings = asked(find_study(study, store), options)
    opened = Store.open(store, write=True) if Path(store).exists() else None
    show_plan(service.plan(spec, opened, settings), service.machine(settings.device, settings.share), as_json)


@cli.command()
@click.argument("study", required=False)
@store_option
@storage_option
@run_options
@train_options
@prune_option
@click.option("--report", is_flag=True, help="Write the report page at the end.")
@click.option("--watch", metavar="DIR", help="In place of STUDY: all study files of a folder, until told to stop.")
def run(study: str | None, watch: str | None, store: str, storage: str | None, report: bool, **options: Any) -> None:
    """Train what STUDY is missing, through Ray Tune. Stop and start it at any moment.

    Example: study run first_map --report
    """
    from study import service
    from study.display import ProgressLine, phase_summary
    from study.status import skipped_parts
    from study.store import Store
    from study.stored import find_study

    if (study is None) == (watch is None):
        raise SpecError("give one of STUDY, as in `study run first_map`, and --watch DIR.")
    if watch is not None:
        _watch(watch, report, Store.open(store, write=True, storage=storage), options)
        return
    spec, settings = asked(find_study(str(study), store), options)
    if spec.search is not None:
        raise SpecError(f"study {study!r} is a search: `study search` with its own options and --name {study} goes on.")
    opened = Store.open(store, write=True, storage=storage)
    with ProgressLine() as line:
        done = service.run(spec, opened, settings, say=line.say)
    click.echo(phase_summary(opened, spec, done))
    for part, reason in skipped_parts(opened):
        click.echo(f"skipped part {part}: {reason}", err=True)
    if report:
        write_report(opened, spec.name, None)
    if done.missing:
        raise SystemExit(1)


@cli.command()
@click.argument("study", required=False)
@store_option
@json_option
def status(study: str | None, store: str, as_json: bool) -> None:
    """Runs by status and phase, throughput, last error.   Example: study status first_map"""
    from study.display import show_table
    from study.status import status_rows
    from study.store import Store

    show_table(status_rows(Store.open(store), study), as_json)


@cli.command()
@click.argument("study")
@store_option
@click.option("--probe", "names", multiple=True, metavar="NAME", help="Only this one; may be given more than once.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda")
@click.option(
    "--examples", type=int, default=300, show_default=True, metavar="N", help="Examples to look at per state."
)
def probe(study: str, store: str, names: tuple[str, ...], device: str, examples: int) -> None:
    """Logit lens and causal tracing on STUDY's saved states.   Example: study probe small_composition_ratio

    Findings are rows of `probes`, and pictures in the report. States that were looked into before are passed over.
    """
    from study import probe as probing
    from study.display import ProgressLine
    from study.spec import find
    from study.store import Store

    with ProgressLine() as line:
        opened = Store.open(store, write=True)
        num_states = probing.probe(
            find(study), opened, names or probing.DEFAULT, device=device, count=examples, say=line.say
        )
    click.echo(f"{study}: {num_states} states looked into; see `probes` or `study report {study}`")


@cli.command()
@store_option
@storage_option
@click.option("--rebuild", is_flag=True, help="Make the DuckDB file anew, from all parts.")
def ingest(store: str, storage: str | None, rebuild: bool) -> None:
    """Bring new Parquet parts into the DuckDB file.   Example: study ingest --rebuild

    With --storage a new store is made from what another one keeps there.
    """
    from study.place import settle
    from study.store import Store

    if Path(store).is_file() or not (Path(store).exists() or storage):
        raise SpecError(f"store '{store}' does not exist: give the folder of a store with --store.")
    settle(Path(store).absolute(), storage)
    # A garbage file cannot be opened, but it can be replaced.
    done = Store(Path(store).absolute(), write=True).ingest(rebuild=rebuild)
    click.echo(f"{done.parts} parts, {done.rows:,} rows brought in.")
    for part, reason in done.skipped:
        click.echo(f"skipped part {part}: {reason}", err=True)
    if done.busy:
        raise SpecError(done.busy)


def _watch(folder: str, report: bool, store: Any, options: dict[str, Any]) -> None:
    """Run what comes into a folder until Ctrl-C, or until the process is asked to end."""
    import signal

    from study.display import ProgressLine
    from study.watch import watch

    given = [name for name in ("runs", "seeds", "horizon") if options.pop(name) is not None]
    if given or report:
        name = given[0] if given else "report"
        raise SpecError(f"--{name} is for one study; with --watch write it into the study's file.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ProgressLine() as line:
        watch(Path(folder), store, options_of(options), line.say)


for command in (search, extend, sql, phases, claims, report, submit, doctor):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    # Workers keep every core busy: threads of a search's algebra would wait for each other, up to ten times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        status = cli.main(prog_name="study", standalone_mode=False)
    except SpecError as error:
        status = _complain(str(error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        status = _complain(f"the disk is full ({error}). What is written is safe: free some space, and call it again.")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        status = 0
    except click.UsageError as error:
        status = _complain(f"{error.format_message()} See `{error.ctx.command_path if error.ctx else 'study'} --help`.")
    except click.ClickException as error:
        status = _complain(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        click.echo("study: stopped; the same command goes on from here.", err=True)
        status = 130
    sys.exit(status)


def _complain(message: str) -> int:
    click.echo("study: " + " ".join(message.split()), err=True)
    return 2
