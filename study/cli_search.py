"""`study search` and `study extend`: studies that grow, by a sampler's points or by a longer horizon."""

from typing import Any

import click

from study.options import (
    device_option,
    options_of,
    pack_size_option,
    prune_option,
    share_options,
    storage_option,
    store_option,
    train_options,
)
from trainables.errors import SpecError


@click.command()
@click.argument("task")
@store_option
@storage_option
@click.option("--over", multiple=True, metavar="PATH=RANGE", help="An axis: a,b,c or lo:hi, with :log and :int.")
@click.option("--sampler", default="boundary", show_default=True, metavar="NAME", help="A file of study/samplers.")
@click.option("--runs", type=int, required=True, metavar="N", help="Runs in all; a larger N goes on.")
@click.option("--seeds", type=int, metavar="N", help="Runs at each point that is suggested.  [default: 1]")
@click.option("--name", metavar="NAME", help="The study's name in the store; made from the search by default.")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Change the base run; `none` is no value.")
@click.option("--model", metavar="mlp|transformer", help="Model of the base run, where the task has several.")
@click.option("--horizon", type=int, metavar="N", help="Steps of every run, instead of the base's.")
@click.option(
    "--objective", metavar="min|max:COLUMN", help="Of outcomes, for tpe, gp, cma.  [default: min:test_step_95]"
)
@click.option(
    "--phase", "phases", multiple=True, metavar="PHASE", help="A side of the boundary.  [default: generalized]"
)
@click.option("--definition", metavar="NAME", help="Phase definition, instead of the base's.")
@click.option(
    "--until-width", type=float, metavar="W", help="End when the boundary's band is narrower: 0.03 of a range."
)
@device_option
@pack_size_option
@share_options
@train_options
@prune_option
def search(task: str, store: str, storage: str | None, **options: Any) -> None:
    """Search on TASK for a boundary or an optimum; start again to go on.

    Example: study search modular --over task.train_fraction=0.2:0.8 --over optimizer.weight_decay=0.01:10:log
    --runs 96

    \b
    TASK                begins from the base run and horizon of the study
    modular             first_map (mlp), modular_addition_decay (transformer)
    composition         small_composition_ratio
    comparison          small_comparison_ratio
    complex_comparison  small_complex_reasoning
    STUDY or FILE.py    itself
    """
    from study import service
    from study.display import ProgressLine
    from study.past import check_objective
    from study.search import BASES, make_search
    from study.spec import CATALOG
    from study.store import Store
    from study.stored import stored_names
    from trainables.components import available

    words = (
        "over",
        "sampler",
        "runs",
        "seeds",
        "name",
        "sets",
        "model",
        "horizon",
        "objective",
        "phases",
        "definition",
        "until_width",
    )
    if task not in (*BASES, *available(CATALOG)) and task in stored_names(store):
        raise SpecError(
            f"{task!r} is a study of this store, not a task: name the task or file that it began from, "
            f"and --name {task} to go on with it; `study show {task} --store {store}` has its options."
        )
    asked = make_search(task, **{word: options.pop(word) for word in words})
    settings = options_of(options)
    check_objective(asked)
    opened = Store.open(store, write=True, storage=storage)
    with ProgressLine() as line:
        done, outcome = service.search(asked, opened, settings, line.say)
    click.echo(f"{asked.study.name}: {outcome}.")
    _finish(asked.study, opened, done)


@click.command()
@click.argument("study")
@store_option
@storage_option
@click.option("--horizon", type=int, required=True, metavar="N", help="Steps up to which runs are continued.")
@click.option("--where", metavar="SQL", help="Which runs: columns of runs and outcomes, and phase.  [default: all]")
@device_option
@pack_size_option
@share_options
@train_options
def extend(study: str, store: str, storage: str | None, horizon: int, where: str | None, **options: Any) -> None:
    """Continue STUDY's runs from their checkpoints to a longer horizon.

    Example: study extend first_map --horizon 4000 --where "phase = 'memorization' and weight_decay > 0"
    """
    from study import service
    from study.display import ProgressLine
    from study.store import Store
    from study.stored import stored_study

    if horizon < 1:
        raise SpecError(f"--horizon must be 1 or larger, got {horizon}.")
    settings = options_of(options)
    Store.open(store)  # a store that is not there is not made
    opened = Store.open(store, write=True, storage=storage)
    spec = stored_study(opened, study).with_(horizon=horizon)
    with ProgressLine() as line:
        done = service.extend(opened, study, horizon, where, settings, line.say)
    _finish(spec, opened, done)


def _finish(study: Any, store: Any, done: Any) -> None:
    """Say what came of it, and exit with 1 where runs are missing."""
    from study.display import phase_summary

    click.echo(phase_summary(store, study, done))
    if done.missing:
        raise SystemExit(1)
