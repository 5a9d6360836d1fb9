"""`study submit` and `study doctor`: what has to do with a cluster before and beside training on it."""

import re
from pathlib import Path
from typing import Any

import click

from study.options import asked, flush_options, json_option, prune_option, run_options, storage_option, store_option
from trainables.errors import SpecError


@click.command()
@click.argument("study")
@store_option
@storage_option
@click.option("--address", required=True, metavar="URL", help="The cluster's dashboard: http://HOST:8265.")
@run_options
@flush_options
@prune_option
def submit(study: str, store: str, storage: str | None, address: str, **options: Any) -> None:
    """`study run` as a job of a Ray cluster, followed here until it ends. Ctrl-C leaves it running.

    STUDY is a name of the catalog or a Python file; the store is on the cluster.

    Example: study submit first_map --address http://127.0.0.1:8265 --store /mnt/study/results
    """
    from study.jobs import Job
    from study.spec import find

    if not re.fullmatch(r"https?://[^\s/]+/?", address):
        raise SpecError(f"--address {address!r} is not the URL of a cluster's dashboard, as in http://127.0.0.1:8265.")
    if not Path(store).is_absolute():
        raise SpecError(f"--store {store!r}: name the folder that the cluster's nodes share, as in /mnt/study/results.")
    asked(find(study), options)  # mistakes are said here, before any cluster is touched
    options |= {"store": store, "storage": storage}
    given = {name: value for name, value in options.items() if value is not None}
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    job = Job(address.rstrip("/"), study, words)
    click.echo(f"job {job.job_id} runs on the cluster. {job.commands()}", err=True)
    try:
        ended_well = job.follow(lambda text: click.echo(text, nl=False))
    except KeyboardInterrupt:
        click.echo(f"study: job {job.job_id} goes on without this terminal. {job.commands()}", err=True)
        raise SystemExit(130) from None
    if not ended_well:
        click.echo(f"study: job {job.job_id} did not end well; its words above say why.", err=True)
        raise SystemExit(1)


@click.command()
@store_option
@click.option("--address", metavar="auto|HOST:PORT", help="Ask the nodes of this Ray cluster, too.")
@json_option
def doctor(store: str, address: str | None, as_json: bool) -> None:
    """What works here; a failing line says the mend.   Example: study doctor --address auto"""
    from study.display import show_table
    from study.doctor import checks

    rows = checks(Path(store), address)
    show_table(rows, as_json)
    if any(row["ok"] == "no" for row in rows):
        raise SystemExit(1)
