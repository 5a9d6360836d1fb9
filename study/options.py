"""Options that several commands have."""

from typing import Any

import click

from trainables.errors import SpecError

store_option = click.option(
    "--store", default="results", envvar="STUDY_STORE", show_default=True, metavar="DIR", help="The store's folder."
)
storage_option = click.option(
    "--storage",
    envvar="STUDY_STORAGE",
    metavar="URL",
    help="Where a new store keeps parts and checkpoints: s3://bucket/prefix.  [default: its folder]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")

device_option = click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda")
pack_size_option = click.option(
    "--pack-size", default="auto", show_default=True, metavar="auto|N", help="Runs per pack."
)

prune_option = click.option(
    "--prune", metavar="asha", help="End runs early that look worse than others; they are censored.  [default: never]"
)


def share_options(command: Any) -> Any:
    """What one pack gets of the machine that trains it."""
    for option in reversed(
        [
            click.option(
                "--cpus-per-pack", type=int, default=1, show_default=True, metavar="N", help="Cores, on CPUs."
            ),
            click.option(
                "--gpus-per-pack", type=float, default=1.0, show_default=True, metavar="F", help="Part of one."
            ),
        ]
    ):
        command = option(command)
    return command


def run_options(command: Any) -> Any:
    """What `plan` and `run` have in common: how much of a study, and on what."""
    for option in reversed(
        [
            click.option("--runs", type=int, metavar="N", help="Only the first N runs."),
            click.option("--seeds", type=int, metavar="N", help="N seeds at each point instead of the study's."),
            click.option("--horizon", type=int, metavar="N", help="N steps instead of the study's; longer continues."),
            device_option,
            pack_size_option,
        ]
    ):
        command = option(command)
    return share_options(command)


def train_options(command: Any) -> Any:
    """What commands that train have in common."""
    where = "auto|local|HOST:PORT"
    address = click.option("--address", default="auto", show_default=True, metavar=where, help="Which Ray to use.")
    return address(flush_options(command))


def flush_options(command: Any) -> Any:
    """How packs are trained, wherever that is."""
    for option in reversed(
        [
            click.option(
                "--compile", default="auto", show_default=True, metavar="auto|on|off", help="torch.compile the packs."
            ),
            click.option("--flush-seconds", type=float, default=10.0, show_default=True, help="Between checkpoints."),
            click.option(
                "--hang-seconds", type=float, default=1800.0, show_default=True, help="After them a still worker ends."
            ),
        ]
    ):
        command = option(command)
    return command


def options_of(words: dict[str, Any]) -> Any:
    """`service.Options` from the words of the command line."""
    from study.service import Options

    size = words["pack_size"]
    if size != "auto" and not size.isdecimal():
        raise SpecError(f"--pack-size must be auto or a number, got {size!r}.")
    return Options(**{**words, "pack_size": None if size == "auto" else int(size)})


def asked(study: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """The study and the options that a command line asks for."""
    settings = options_of({k: v for k, v in options.items() if k not in ("seeds", "horizon")})
    if study.search is not None and options["seeds"] is not None:
        raise SpecError(f"--seeds {options['seeds']}: {study.name!r} is a search, its runs are those it has asked for.")
    return study.with_(seeds=options["seeds"], horizon=options["horizon"]), settings
