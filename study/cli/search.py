"""`study search`: a study that grows by the points of a sampler."""

from typing import Any

import click

from study.cli import names
from study.cli.options import (
    device_option,
    json_option,
    options_of,
    prune_option,
    share_options,
    storage_option,
    store_option,
    together,
    train_options,
)
from study.cli.serve import serve_option, served
from trainables.errors import SpecError

AXES = names.completing(names.axes)
space_options = together(
    click.option(
        "--over",
        multiple=True,
        metavar="PATH=RANGE",
        shell_complete=AXES,
        help="An axis: a,b,c or lo:hi, with :log, :int or :int:STEP.",
    ),
    click.option(
        "--sampler",
        default="boundary",
        show_default=True,
        metavar="NAME",
        shell_complete=names.files_of(names.SAMPLERS),
        help="A file of study/samplers.",
    ),
    click.option("--runs", type=int, required=True, metavar="N", help="Runs in all; a larger N goes on."),
    click.option("--seeds", type=int, metavar="N", help="Runs at each point that is suggested.  [default: 1]"),
    click.option(
        "--name",
        metavar="NAME",
        shell_complete=names.completing(names.stored),
        help="The study's name in the store.  [default: made from the search]",
    ),
    click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="PATH=VALUE",
        shell_complete=AXES,
        help="Change the base run; `none` is no value.",
    ),
    click.option(
        "--model",
        metavar="NAME",
        shell_complete=names.completing(names.models),
        help="Model of the base run, where the task has several.",
    ),
    click.option("--horizon", type=int, metavar="N", help="Steps of every run, instead of the base's."),
    click.option(
        "--objective",
        metavar="min|max:COLUMN",
        shell_complete=names.listed(*names.OBJECTIVES),
        help="Of outcomes, for tpe, gp, cma.  [default: min:test_step_95]",
    ),
    click.option(
        "--phase",
        "phases",
        multiple=True,
        metavar="PHASE",
        help="A side of the boundary.  [default: generalized]",
    ),
    click.option(
        "--definition",
        metavar="NAME",
        shell_complete=names.completing(names.definitions),
        help="Phase definition, instead of the base's: a name, or the path of an SQL file.",
    ),
    click.option(
        "--until-width", type=float, metavar="W", help="End when the boundary's band is narrower: 0.03 of a range."
    ),
)
"""What a search looks over, how, and for what: the words of `make_search`."""
WORDS = ("over", "sampler", "runs", "seeds", "name", "sets", "model", "horizon", "objective", "phases", "definition",
         "until_width")  # fmt: skip


@click.command()
@click.argument("task", shell_complete=names.completing(names.tasks))
@store_option
@storage_option
@space_options
@device_option
@share_options
@train_options
@prune_option
@serve_option
@json_option
def search(task: str, store: str, storage: str | None, serving: bool, as_json: bool, **options: Any) -> None:
    """Look for a boundary or an optimum on TASK, with a sampler.

    \b
    Example: study search modular --over task.train_fraction=0.2:0.8 \\
                 --over optimizer.weight_decay=0.01:10:log --runs 96
             study search regimes --runs 64

    \b
    TASK                begins from the base run and horizon of the study
    modular             first_map (mlp), modular_addition_decay (transformer)
    composition         small_composition_ratio
    comparison          small_comparison_ratio
    complex_comparison  small_complex_reasoning
    STUDY or FILE.py    itself; without --over it looks over its own axes

    Called again it goes on, with more --runs, too. With --json one object comes at the end: runs and phases as of
    `study run`, why the search has ended, the width of the boundary's band as a share of the axes, and how many points
    that cannot be run were passed over.
    """
    from study.check.preflight import preflight
    from study.cli.ending import ending, finish
    from study.cli.progress_line import ProgressLine
    from study.search.base import BASES
    from study.search.history import check_objective
    from study.search.request import make_search
    from study.spec import CATALOG
    from study.store.database import Store
    from study.store.studies import stored_names
    from study.train import service
    from study.train.timings import CallTimer, process_start
    from trainables.components import available

    if task not in (*BASES, *available(CATALOG)) and task in stored_names(store):
        raise SpecError(
            f"{task!r} is a study of this store, not a task: name the task or file that it began from, "
            f"and --name {task} to go on with it; `study show {task} --store {store}` has its options."
        )
    asked = make_search(task, **{word: options.pop(word) for word in WORDS})
    settings = options_of(options)
    preflight(asked.study)
    check_objective(asked)
    opened = Store.open(store, write=True, storage=storage)
    with served(store, serving), ProgressLine() as line:
        done, outcome = service.search(asked, opened, settings, line.say, CallTimer(process_start()))
    end = ending(opened, asked.study, done)
    end |= {"ended": outcome.why, "band_width": outcome.band_width, "passed_over": outcome.passed_over}
    if not as_json:
        click.echo(f"{asked.study.name}: {outcome}.")
    finish(end, as_json)
