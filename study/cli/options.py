"""Arguments and options that several commands have, and what the shell completes for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from study.cli import names
from study.cli.output import keep_stdout_for_data
from study.store.place import checked_folder
from trainables.errors import SpecError

study_argument = click.argument("study", shell_complete=names.completing(names.studies))


def _name_in_store(context: click.Context, parameter: click.Parameter, study: str | None) -> str | None:
    return Path(study).stem if study and study.endswith(".py") else study


def stored_argument(required: bool = True) -> Callable[..., Any]:
    """The name of a study that must be in the store; of a path, the name that the file's study has there."""
    completer = names.completing(names.stored)
    return click.argument("study", required=required, callback=_name_in_store, shell_complete=completer)


def _parameter(given: str) -> tuple[str, float]:
    """Name and value of a threshold."""
    name, equals, value = given.partition("=")
    if not name or not equals:
        raise SpecError(f"--param {given!r} is not NAME=VALUE, as in --param threshold=0.95.")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise SpecError(f"--param {given!r}: {value!r} is no number.") from None


def _is_folder(context: click.Context, parameter: click.Parameter, path: str) -> str:
    if not context.resilient_parsing:  # where a shell completes
        checked_folder(path)
    return path


store_option = click.option(
    "--store",
    callback=_is_folder,
    default="results",
    envvar="STUDY_STORE",
    show_default=True,
    metavar="DIR",
    shell_complete=names.any_folder,
    help="The store's folder.",
)
storage_option = click.option(
    "--storage",
    envvar="STUDY_STORAGE",
    metavar="URL",
    help="Where a new store keeps parts and checkpoints: s3://bucket/prefix.  [default: its folder]",
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=keep_stdout_for_data,
    help="Print JSON, and nothing else on stdout.",
)

horizon_option = click.option(
    "--at-horizon",
    "horizon",
    type=click.IntRange(min=1),
    metavar="N",
    help="Judge every run at this earlier step.  [default: at the longest horizon that it has finished]",
)

definition_option = click.option(
    "--definition",
    metavar="NAME",
    shell_complete=names.completing(names.definitions),
    help="A phase definition, instead of the study's own: a name, or the path of an SQL file.",
)
param_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    callback=lambda context, parameter, given: dict(map(_parameter, given)),
    help="Another value of a threshold of the definition: threshold=0.95.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda",
    shell_complete=names.listed(*names.DEVICES),
    help="What to train on.",
)
prune_option = click.option(
    "--prune",
    metavar="asha",
    shell_complete=names.listed(*names.PRUNERS),
    help="End runs early that look worse than others; they are censored.  [default: never]",
)


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Options that stand in a command's help in this order."""

    def on(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return on


share_options = together(
    click.option(
        "--pack-size",
        default="auto",
        show_default=True,
        metavar="auto|N",
        shell_complete=names.listed("auto"),
        help="Runs per pack.",
    ),
    click.option("--cpus-per-pack", type=int, default=1, show_default=True, metavar="N", help="Cores, on CPUs."),
    click.option("--gpus-per-pack", type=float, default=1.0, show_default=True, metavar="F", help="Part of one GPU."),
)
"""What one pack gets of the machine that trains it."""

run_options = together(
    click.option("--runs", type=int, metavar="N", help="Only the first N runs."),
    click.option("--seeds", type=int, metavar="N", help="N seeds at each point instead of the study's."),
    click.option("--horizon", type=int, metavar="N", help="N steps instead of the study's; longer continues."),
    device_option,
    share_options,
)
"""What `plan` and `run` have in common: how much of a study, and on what."""

flush_options = together(
    click.option(
        "--compile",
        default="auto",
        show_default=True,
        metavar="auto|on|off",
        shell_complete=names.listed(*names.COMPILES),
        help="torch.compile the packs.",
    ),
    click.option(
        "--flush-seconds", type=float, default=10.0, show_default=True, metavar="S", help="Seconds between checkpoints."
    ),
    click.option(
        "--hang-seconds",
        type=float,
        default=1800.0,
        show_default=True,
        metavar="S",
        help="A worker that is silent so long is ended.",
    ),
)
"""How packs are trained, wherever that is."""

train_options = together(
    click.option(
        "--address",
        default="auto",
        show_default=True,
        metavar="auto|local|HOST:PORT",
        shell_complete=names.listed(*names.ADDRESSES),
        help="Which Ray to use.",
    ),
    flush_options,
)
"""What commands that train have in common."""


def options_of(words: dict[str, Any]) -> Any:
    """`service.Options` from the words of the command line."""
    from study.train.options import Options

    size = words["pack_size"]
    if size != "auto" and not size.isdecimal():
        raise SpecError(f"--pack-size must be auto or a number, got {size!r}.")
    return Options(**{**words, "pack_size": None if size == "auto" else int(size)})


def asked(study: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """The study and the options that a command line asks for."""
    from study.check.preflight import preflight

    preflight(study)
    settings = options_of({k: v for k, v in options.items() if k not in ("seeds", "horizon")})
    if study.search is not None and options["seeds"] is not None:
        raise SpecError(f"--seeds {options['seeds']}: {study.name!r} is a search, its runs are those it has asked for.")
    return study.with_(seeds=options["seeds"], horizon=options["horizon"]), settings
