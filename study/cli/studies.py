"""The commands that look at studies before anything is trained: list, show, plan."""

import os
from pathlib import Path
from typing import Any

import click

from study.cli.options import asked, json_option, run_options, store_option, study_argument
from study.cli.output import note


@click.command("list")
@click.argument("group", required=False, type=click.Choice(("quick", "small", "paper", "own")))
@store_option
@json_option
def list_(group: str | None, store: str, as_json: bool) -> None:
    """Studies by how long they take, with what they ask and what is done.

    \b
    Example: study list
             study list quick

    \b
    GROUP  holds
    quick  studies of up to 15 minutes on two CPU cores
    small  small_*, and studies of up to 3 hours on two CPU cores
    paper  *_paper, and studies that take two CPU cores longer
    own    studies of this store that the catalog does not have: searches, files

    The times are guesses from the specs, within a factor of about two. A study's axes, and in a narrow terminal its
    question, make way for the rest; --json and `study show STUDY` have them.
    """
    from study.cli.listing import list_rows, print_list
    from study.cli.output import print_json
    from study.store.database import FILE, Store
    from study.store.errors import StoreError

    opened = None
    try:
        opened = Store.open(store) if (Path(store) / FILE).exists() else None
        rows = list_rows(opened, group)
    except StoreError as error:  # the catalog is there whatever the store is like
        note(f"study: what is done is not shown: {error}")
        opened, rows = None, list_rows(None, group)
    if as_json:
        print_json(rows)
    else:
        print_list(rows, done=opened is not None)


@click.command()
@study_argument
@store_option
@click.option("--source", is_flag=True, help="Print the source of its own parts, as the store has it.")
@json_option
def show(study: str, store: str, source: bool, as_json: bool) -> None:
    """The resolved spec of STUDY, its runs, packs and cost.

    Example: study show first_map

    A search is as the store has it, with the runs that it has asked for by now. What the store has of the study is
    said, too: how many runs have been judged, and at which horizons.
    """
    from study.cli.study_text import show_sources, show_study
    from study.plan.plan import plan_runs
    from study.plan.same import check_same
    from study.plan.stored import find_study, runs_of
    from study.store.database import FILE, Store
    from study.store.status import standing_rows
    from study.train.machine import machine
    from study.train.timings import slowness

    if source:
        show_sources(Store.open(store), Path(study).stem if study.endswith(".py") else study, as_json)
        return
    spec, target = find_study(study, store), machine("auto")
    opened = Store.open(store) if (Path(store) / FILE).exists() else None
    if opened:
        check_same(spec, opened)
    standing = standing_rows(opened, spec.name) if opened else []
    slower = slowness(opened, target.device)
    show_study(plan_runs(spec, runs_of(spec, opened), None, target), target, standing, as_json, slower)


@click.command()
@study_argument
@store_option
@run_options
@json_option
def plan(study: str, store: str, as_json: bool, **options: Any) -> None:
    """What `run` would train: missing runs, packs by shape, time.

    Example: study plan first_map --seeds 8
    """
    from study.cli.study_text import show_plan
    from study.plan.stored import find_study
    from study.store.database import FILE, Store
    from study.train import service
    from study.train.timings import slowness

    spec, settings = asked(find_study(study, store), options)
    folder, opened = Path(store), None
    if all(os.access(path, os.W_OK) for path in (folder, folder / FILE) if path.exists()):
        opened = Store.open(store, write=True) if folder.exists() else None
    elif (folder / FILE).exists():
        note(f"study: store '{store}' cannot be written to: parts that are not in {FILE} yet are not counted.")
        opened = Store.open(store)
    # Who cannot write reads no storage: a bucket may be out of reach.
    place = opened.place if opened and opened.write else None
    here = service.machine(settings.device, settings.share, place=place)
    show_plan(service.plan(spec, opened, settings, here), here, as_json, slowness(opened, here.device))
