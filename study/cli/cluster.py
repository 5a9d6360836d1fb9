"""`study submit` and `study doctor`: what has to do with a cluster before and beside training on it."""

import re
from pathlib import Path
from typing import Any

import click

from study.cli import names
from study.cli.options import (
    asked,
    flush_options,
    json_option,
    prune_option,
    run_options,
    storage_option,
    store_option,
    study_argument,
)
from study.cli.output import print_json
from trainables.errors import SpecError


@click.command()
@study_argument
@store_option
@storage_option
@click.option("--address", required=True, metavar="URL", help="The cluster's dashboard: http://HOST:8265.")
@run_options
@flush_options
@prune_option
@json_option
def submit(study: str, store: str, storage: str | None, address: str, as_json: bool, **options: Any) -> None:
    """`study run` as a job of a Ray cluster, followed to its end.

    Example: study submit first_map --address http://127.0.0.1:8265 --store /mnt/study/results

    STUDY is a name of the catalog or of the store, or a Python file; the store is on the cluster. Ctrl-C leaves the
    job running. With --json the job's words are on stderr, and one object comes at the end: the job, and whether it
    ended well.
    """
    from study.plan.stored import find_study
    from study.store.place import checked_url
    from study.train.jobs import Job

    if not re.fullmatch(r"https?://[^\s/@]+/?", address):
        raise SpecError(f"--address {address!r} is not the URL of a cluster's dashboard, as in http://127.0.0.1:8265.")
    if not Path(store).is_absolute():
        raise SpecError(f"--store {store!r}: name the folder that the cluster's nodes share, as in /mnt/study/results.")
    spec, _ = asked(find_study(study, store), options)  # mistakes are said here, before any cluster is touched
    if spec.search is not None:
        raise SpecError(f"study {study!r} is a search: `study search` trains it, `study submit` other studies.")
    options |= {"store": store, "storage": storage and checked_url(storage)}
    given = {name: value for name, value in options.items() if value is not None}
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    job = Job(address.rstrip("/"), study, words)
    click.echo(f"job {job.job_id} runs on the cluster. {job.commands()}", err=True)
    try:
        ended_well = job.follow(lambda text: click.echo(text, nl=False, err=as_json))
    except KeyboardInterrupt:
        click.echo(f"study: job {job.job_id} goes on without this terminal. {job.commands()}", err=True)
        raise SystemExit(130) from None
    if as_json:
        print_json({"study": study, "job": job.job_id, "address": job.url, "succeeded": ended_well})
    if not ended_well:
        click.echo(f"study: job {job.job_id} did not end well; its words above say why.", err=True)
        raise SystemExit(1)


@click.command()
@store_option
@click.option(
    "--address",
    metavar="auto|HOST:PORT",
    shell_complete=names.listed("auto"),
    help="Ask the nodes of this Ray cluster, too.",
)
@click.option("--calibrate", is_flag=True, help="Measure this machine's device, while nothing else runs.")
@json_option
def doctor(store: str, address: str | None, calibrate: bool, as_json: bool) -> None:
    """What works here; each failing line says how to fix it.

    Example: study doctor --address auto

    With --calibrate the device is measured first, seconds on a CPU and about two minutes on a GPU; the
    store keeps it, and packs on devices of this name are sized by it. The exit code is 1 where something does not
    work.
    """
    from study.cli.doctor import calibrated, checks
    from study.cli.output import note
    from study.cli.tables import show_rows

    if calibrate:
        calibrated(Path(store), lambda text: note(f"study: measuring {text}"))
    rows = checks(Path(store), address)
    show_rows(rows, as_json)
    if any(row["ok"] == "no" for row in rows):
        raise SystemExit(1)
