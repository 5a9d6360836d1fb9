"""`study check`: what the package's own parts are tested for, on a user's file."""

from pathlib import Path

import click

from study.cli import names
from study.cli.options import json_option

WORDS = {True: "yes", False: "no", None: "-"}


@click.command()
@click.argument("file", metavar="FILE", shell_complete=names.any_file)
@json_option
def check(file: str, as_json: bool) -> None:
    """What of FILE a study can use, what not, and the mend.

    \b
    Example: study check parity.py
             study check my_phases.sql

    FILE is Python with a class Task, Model or Optimizer, a function measure or examine (a probe) or suggest (a
    sampler), STUDY = StudySpec(...) with CLAIMS; or a phase definition in SQL. It is run for what it defines, and
    nothing is stored. The exit code is 1 if a check fails. `-` is what cannot be tried here, and why.
    """
    from study.check.file import checks
    from study.cli.tables import show_rows

    import torch  # isort: skip

    torch.set_num_threads(1)  # a quick look at small models: more threads wait for each other
    found = list(checks(Path(file)))
    rows = [{"check": row.name, "ok": WORDS[row.ok], "detail": row.detail} for row in found]
    show_rows(rows, as_json)
    if any(row.ok is False for row in found):
        raise SystemExit(1)
