"""The command line. A user's mistake is one line and exit code 2; a bug is a traceback.

Imports of torch, ray, duckdb and altair stay inside the commands that need them: `study --help` starts at once.
"""

import os
import sys
from contextlib import redirect_stderr, suppress
from typing import Any

import click

from study import __version__
from study.cli.check import check
from study.cli.cluster import doctor, submit
from study.cli.completion import VARIABLE, completion
from study.cli.extend import extend
from study.cli.figure import figure
from study.cli.new import new
from study.cli.os_errors import as_a_line
from study.cli.output import clean_streams
from study.cli.results import claims, phases, report, status
from study.cli.run import run
from study.cli.search import search
from study.cli.serve import serve
from study.cli.sql import sql
from study.cli.store import ingest, probe
from study.cli.studies import list_, plan, show
from study.train.interrupts import end_as_ctrl_c_does
from trainables.errors import SpecError

SECTIONS = {
    "Look before": (new, list_, show, plan, check, doctor),
    "Train": (run, search, extend, submit),
    "Read": (status, serve, sql, phases, claims, report, figure),
    "Tend": (probe, ingest, completion),
}


class Sections(click.Group):
    """A group whose help has its commands in the order of use."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. click would write an empty line when it is stopped, also to a terminal that was closed."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(_stopped()) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section; the first sentence of each."""
        longest = max(map(len, self.commands))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                room = formatter.width - longest - 6
                formatter.write_dl([(f"{c.name:{longest}}", c.get_short_help_str(room)) for c in commands])


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Hyperparameter studies of grokking: when does a network memorize, when does it generalize?

    \b
    study run first_map                      # train what is missing
    study report first_map                   # look at the phase diagram
    study sql "select * from outcomes"       # ask anything
    """


for command in (command for section in SECTIONS.values() for command in section):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    # Workers keep every core busy: threads of a search's algebra would wait for each other, up to ten times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if VARIABLE in os.environ:
        _complete()  # in bytes
    clean_streams()
    end_as_ctrl_c_does()
    try:
        status = cli.main(prog_name="study", standalone_mode=False)
    except SpecError as error:
        status = _complain(str(error))
    except OSError as error:
        line = as_a_line(error)
        if line is None:
            raise
        status = _complain(line)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        status = 0
    except click.UsageError as error:
        status = _complain(f"{error.format_message()} See `{error.ctx.command_path if error.ctx else 'study'} --help`.")
    except click.ClickException as error:
        status = _complain(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        status = _stopped()
    sys.exit(status)


def _complete() -> None:
    """Answer a shell that completes, and leave. Nothing is said beside it: it would stand in a command line."""
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere), suppress(Exception):
        cli.main(prog_name="study", complete_var=VARIABLE)
    sys.exit(0)


def _stopped() -> int:
    with suppress(OSError):  # the terminal may be closed
        click.echo("study: stopped; the same command goes on from here.", err=True)
    return 130


def _complain(message: str) -> int:
    click.echo("study: " + " ".join(message.split()), err=True)
    return 2
