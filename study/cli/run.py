"""`study run`: train what a study is missing, or what comes into a folder."""

from pathlib import Path
from typing import Any

import click

from study.cli import names
from study.cli.options import (
    asked,
    json_option,
    options_of,
    prune_option,
    run_options,
    storage_option,
    store_option,
    train_options,
)
from study.cli.output import note, print_json
from study.cli.results import write_report
from study.cli.serve import serve_option, served
from trainables.errors import SpecError

MENDS = {"report": "study report STUDY", "timings": "study sql 'from attempts'", "json": "study status --json"}
"""What to call beside --watch in place of a flag for one study."""


@click.command()
@click.argument("study", required=False, shell_complete=names.completing(names.studies))
@store_option
@storage_option
@run_options
@train_options
@prune_option
@click.option("--retrain", is_flag=True, help="Train runs anew that are of an older source of your own parts.")
@click.option("--report", is_flag=True, help="Write the report page at the end.")
@click.option("--timings", is_flag=True, help="Print at the end where the time went.")
@serve_option
@click.option(
    "--watch",
    metavar="DIR",
    shell_complete=names.any_folder,
    help="In place of STUDY: all study files of a folder, until told to stop.",
)
@json_option
def run(
    study: str | None,
    watch: str | None,
    store: str,
    storage: str | None,
    report: bool,
    serving: bool,
    timings: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train what STUDY is missing, through Ray Tune. Stop and start it at any moment.

    \b
    Example: study run first_map --report
             study run my_study.py --seeds 8

    STUDY is a name of the catalog (`study list`), a study of the store, or a Python file. The exit code is 1 where runs
    are missing in the end. With --json one object comes at the end: the runs that are planned, finished, missing and
    failed, and how many are in each phase.

    The store keeps where the time of a call went, once it has trained all: in `timings`, and of runs in `attempts`.
    """
    from study.cli.ending import ending, sentence
    from study.cli.progress_line import ProgressLine
    from study.plan.stored import find_study
    from study.sources import sources_of
    from study.store.database import Store
    from study.store.status import skipped_parts
    from study.store.studies import source_note
    from study.train import service
    from study.train.timings import CallTimer, process_start, timings_of

    if (study is None) == (watch is None):
        raise SpecError("give one of STUDY, as in `study run first_map`, and --watch DIR.")
    if watch is not None:
        opened = Store.open(store, write=True, storage=storage)
        with served(store, serving):
            _watch(watch, {"report": report, "timings": timings, "json": as_json}, opened, options)
        return
    spec, settings = asked(find_study(str(study), store), options)
    if spec.search is not None:
        raise SpecError(f"study {study!r} is a search: `study search` with its own options and --name {study} goes on.")
    opened = Store.open(store, write=True, storage=storage)
    timer = CallTimer(process_start())
    with served(store, serving), ProgressLine() as line:
        done = service.run(spec, opened, settings, say=line.say, timer=timer)
    spent = timings_of(timer, opened, spec.name) if timings else None
    end = ending(opened, spec, done)
    if not as_json:
        click.echo(sentence(end))
    if older := source_note(opened, spec.name, sources_of(spec).texts):
        note(older)
    for part, reason in skipped_parts(opened):
        note(f"skipped part {part}: {reason}")
    if report:
        end["report"] = str(write_report(opened, spec.name, None, str(study)))
        click.echo(f"report: {end['report']}", err=as_json)
    if spent:
        end["timings"] = spent.to_json()
        click.echo(str(spent), err=as_json)
    if as_json:
        print_json(end)
    if end["missing"]:
        raise SystemExit(1)


def _watch(folder: str, flags: dict[str, bool], store: Any, options: dict[str, Any]) -> None:
    """Run what comes into a folder until Ctrl-C, or until the process is asked to end."""
    from study.cli.progress_line import ProgressLine
    from study.train.watch import watch

    given = [name for name in ("runs", "seeds", "horizon") if options.pop(name) is not None]
    if given:
        raise SpecError(f"--{given[0]} is for one study; with --watch write it into the study's file.")
    for flag, mend in MENDS.items():
        if flags[flag]:
            raise SpecError(f"--{flag} is for one study, and --watch has no end: call `{mend}` beside it.")
    with ProgressLine() as line:
        watch(Path(folder), store, options_of(options), line.say)
