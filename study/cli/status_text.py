"""Status and phases of studies for people, and as JSON."""

import json
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from study.cli.output import print_json, width_of
from study.cli.tables import Row, cell, print_rows, show_rows, without_empty


def show_status(rows: Sequence[Row], as_json: bool) -> None:
    """The rows of `status_rows`; for people without columns that say nothing, and with errors below."""
    if as_json:
        print_json(list(rows))
        return
    print_rows(without_empty([status_for_people(row) for row in rows]))
    for row in rows:
        if row["failed"]:
            said = f"{row['study']}: {row['failed']:,} runs failed, the last with: {cell(row['last_error'])}"
            print(textwrap.fill(said, width_of(sys.stdout), break_long_words=False, break_on_hyphens=False))


def status_for_people(row: Row) -> Row:
    """How a study stands: what is finished of all runs, and where the others are."""
    words = {"earlier": "at an earlier horizon", "running": "begun", "planned": "planned", "failed": "failed"}
    others = [f"{row[state]:,} {said}" for state, said in words.items() if row[state]]
    return {
        "study": row["study"],
        "finished": f"{row['finished']:,}/{row['runs']:,}",
        "others": ", ".join(others),
        "phases": row["phases"] if row["has_accuracy"] else "none: answers are numbers",
        "steps/s, worker": row["run_steps_per_worker_second"],
        "last heard": row["last_heard"] and row["last_heard"].partition(".")[0],
    }


def show_phases(rows: Sequence[Row], as_json: bool) -> None:
    """The rows of `phase_rows`; for people cells have a column for each axis."""
    cells = bool(rows) and "point" in rows[0] and not as_json
    show_rows([cell_for_people(row) for row in rows] if cells else rows, as_json)


def cell_for_people(row: Row) -> dict[str, Any]:
    """A cell and a phase: the values of the axes, how many runs, and their share with its 95% interval."""
    point = json.loads(row["point"])
    short = {path: path.rpartition(".")[2] for path in point}
    names = {path: name if list(short.values()).count(name) == 1 else path for path, name in short.items()}
    interval = f"{row['low']:.2f} to {row['high']:.2f}"
    values = {names[path]: value for path, value in point.items()}
    return values | {"phase": row["phase"], "runs": row["runs"], "share": row["fraction"], "95%": interval}
