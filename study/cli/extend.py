"""`study extend`: runs of a study go on to a longer horizon."""

from typing import Any

import click

from study.cli import names
from study.cli.options import (
    device_option,
    json_option,
    options_of,
    share_options,
    storage_option,
    store_option,
    train_options,
)
from study.cli.serve import serve_option, served
from trainables.errors import SpecError


@click.command()
@click.argument("study", shell_complete=names.completing(names.stored))
@store_option
@storage_option
@click.option("--horizon", type=int, required=True, metavar="N", help="Steps up to which runs are continued.")
@click.option("--where", metavar="SQL", help="Which runs: columns of runs and outcomes, and phase.  [default: all]")
@device_option
@share_options
@train_options
@serve_option
@json_option
def extend(
    study: str,
    store: str,
    storage: str | None,
    horizon: int,
    where: str | None,
    serving: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Continue STUDY's runs to a longer horizon, from checkpoints.

    Example: study extend first_map --horizon 4000 --where "phase = 'memorization' and weight_decay > 0"

    With --json one object comes at the end, as of `study run`: of the runs that were chosen, and of all their phases.
    """
    from study.cli.ending import ending, finish
    from study.cli.progress_line import ProgressLine
    from study.plan.stored import stored_study
    from study.spec import find
    from study.store.database import Store
    from study.train import service
    from study.train.timings import CallTimer, process_start

    if horizon < 1:
        raise SpecError(f"--horizon must be 1 or larger, got {horizon}.")
    settings = options_of(options)
    if study.endswith(".py"):  # for its parts; what is continued is what the store has
        study = find(study).name
    Store.open(store)  # a store that is not there is not made
    opened = Store.open(store, write=True, storage=storage)
    spec = stored_study(opened, study).with_(horizon=horizon)
    with served(store, serving), ProgressLine() as line:
        done = service.extend(opened, study, horizon, where, settings, line.say, CallTimer(process_start()))
    finish(ending(opened, spec, done), as_json)
