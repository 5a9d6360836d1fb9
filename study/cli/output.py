"""What a command prints: data for programs on stdout alone, text that cannot steer a terminal, and how wide that is.

Errors, names of studies, hosts and paths come from stores, workers and files of other people. So everything that is
printed goes through `Clean`, which `main` puts before both streams.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO, TextIO, cast

import click

from study.store.printable import clean, plain

PIPED_WIDTH = 160
"""Columns where there is no terminal: a file, a pager, another program."""
STDOUT = "study.cli.output.stdout"


class Clean:
    """A text stream to which only `clean` text is written. It has no `buffer`: bytes go to `data_stream`."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(clean(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name in ("stream", "buffer"):  # `stream` is asked for before there is one, where this is copied
            raise AttributeError(name)
        return getattr(self.stream, name)


def clean_streams() -> None:
    """Clean whatever this process prints from now on, tracebacks and warnings of other packages, too."""
    if not isinstance(sys.stdout, Clean):
        sys.stdout = cast(TextIO, Clean(sys.stdout))
    if not isinstance(sys.stderr, Clean):
        sys.stderr = cast(TextIO, Clean(sys.stderr))


def steered(stream: TextIO) -> TextIO:
    """The stream behind `Clean`, for our own sequences that move the cursor: its text must be clean."""
    return stream.stream if isinstance(stream, Clean) else stream


def data_stream() -> BinaryIO:
    """Standard output for bytes that no person reads."""
    return steered(sys.stdout).buffer


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
