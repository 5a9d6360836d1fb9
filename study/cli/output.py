"""What a command prints: data for programs on stdout alone, and how wide the terminal is that people read on."""

import contextlib
import json
import math
import os
import sys
from typing import Any, TextIO

import click

PIPED_WIDTH = 160
"""Columns where there is no terminal: a file, a pager, another program."""
STDOUT = "study.cli.output.stdout"


def keep_stdout_for_data(context: click.Context, parameter: click.Parameter, as_json: bool) -> bool:
    """Callback of `--json`: what else is printed, by a study file or by Ray, goes to stderr until the command ends."""
    if as_json:
        context.meta[STDOUT] = sys.stdout
        context.with_resource(contextlib.redirect_stdout(sys.stderr))
    return as_json


def print_json(value: Any) -> None:
    """One JSON value on stdout. JSON has no NaN: the loss of a diverged run is null."""
    context = click.get_current_context(silent=True)
    stream = context.meta.get(STDOUT, sys.stdout) if context else sys.stdout
    print(json.dumps(plain(value), default=str, indent=1, allow_nan=False), file=stream)


def note(text: str) -> None:
    """A line beside the data, on stderr."""
    click.echo(text, err=True)


def width_of(stream: TextIO) -> int:
    """Columns of the terminal behind a stream, as COLUMNS says it or as it is; PIPED_WIDTH where there is none."""
    if not stream.isatty():
        return PIPED_WIDTH
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):  # no file behind it
        return 80


def plain(value: Any) -> Any:
    """A value that JSON has a place for, nested ones too: what is not finite is None."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
