"""What `study list` says: the studies of the catalog in groups by how long they take, then those of the store alone."""

import sys
from collections.abc import Sequence
from typing import Any

from study.cli.output import width_of
from study.cli.study_text import workers_of
from study.cli.tables import column_widths, print_table, wrapped
from study.plan.estimate import seconds_from_nothing
from study.plan.packing import Machine
from study.spec import CATALOG, find
from study.store.database import Store
from study.store.status import stored_studies
from study.train.durations import roughly
from study.train.machine import machine
from study.train.timings import slowness
from trainables.components import available

TWO_CORES = Machine("cpu", workers=2, memory=7.5e8)
"""What groups are measured by, whatever machine this is."""
QUICK_SECONDS, SMALL_SECONDS = 900, 3 * 3600
MOST_LINES = 3
"""Of a question in a table."""
NAME_WIDTH = 29
GROUPS = {
    "quick": "up to 15 minutes on two CPU cores",
    "small": "small_*, and up to 3 hours on two CPU cores",
    "paper": "*_paper, and what takes two CPU cores longer",
    "own": "in this store alone: searches, and studies from files",
}
"""Group -> its rule. The times are estimates from the specs, within a factor of about two."""


def list_rows(store: Store | None, group: str | None = None) -> list[dict[str, Any]]:
    """One row per study, by group and name. Times are for all runs from nothing, in seconds."""
    stored = stored_studies(store) if store else {}
    here, rows = machine("auto"), []
    slower = slowness(store, here.device)
    for name in available(CATALOG):
        spec = find(name)
        rows.append(
            {
                "study": name,
                "group": group_of(name, seconds_from_nothing(spec, TWO_CORES)),
                "runs": len(spec.points()) * spec.seeds,
                **_progress(stored.pop(name, None)),
                "estimated_seconds": round(slower * seconds_from_nothing(spec, here)),
                "axes": ", ".join(spec.axes),
                "question": spec.question,
            }
        )
    for name, row in stored.items():
        about = {"axes": ", ".join(row["axes"]), "question": row["question"]}
        rows.append({"study": name, "group": "own", "runs": row["planned"], **_progress(row),
                     "estimated_seconds": None, **about})  # fmt: skip
    order = list(GROUPS)
    return sorted((row for row in rows if group in (None, row["group"])), key=lambda row: order.index(row["group"]))


def group_of(name: str, seconds: float) -> str:
    """The group of a study of the catalog with this name, which takes two CPU cores so long."""
    if name.endswith("_paper") or seconds > SMALL_SECONDS:
        return "paper"
    return "small" if name.startswith("small_") or seconds > QUICK_SECONDS else "quick"


def print_list(rows: Sequence[dict[str, Any]], done: bool, width: int | None = None) -> None:
    """The rows by group, as tables with as many of axes and question as fit, or some lines for each study.

    `done` says whether there is a store that knows what is done.
    """
    if not rows:
        print("no studies")
        return
    width = width or width_of(sys.stdout)
    lines = [_for_people(row, done) for row in rows]
    shorter = [{name: value for name, value in line.items() if name != "axes"} for line in lines]
    shown, widths = lines, column_widths(lines, width, MOST_LINES)
    if widths is None:
        shown, widths = shorter, column_widths(shorter, width, MOST_LINES)
    for group, rule in GROUPS.items():
        members = [line for line, row in zip(shown, rows, strict=True) if row["group"] == group]
        if not members:
            continue
        print(f"{group}: {rule}\n")
        if widths is None:
            print("\n".join(_in_lines(line, width) for line in members))
        else:
            print_table(members, widths)
        print()
    here = machine("auto")
    print(f"Times are guesses for {workers_of(here)}, within a factor of about two.")


def _for_people(row: dict[str, Any], done: bool) -> dict[str, Any]:
    """A row as it is shown."""
    seconds, all_runs = row["estimated_seconds"], max(row["runs"], row["planned"])
    shown: dict[str, Any] = {"study": row["study"], "runs": row["runs"]}
    if done:
        shown["done"] = f"{row['finished']:,}/{all_runs:,}" if row["planned"] else "-"
    shown["time"] = "-" if seconds is None else "<1 min" if seconds < 60 else f"~{roughly(seconds)}"
    return shown | {"question": row["question"], "axes": row["axes"]}


def _in_lines(line: dict[str, Any], width: int) -> str:
    """A study where the terminal is too narrow for a table: what it takes, then what it asks."""
    facts = f"{line['runs']} runs, {line['time']}" + (f", {line['done']} done" if line.get("done", "-") != "-" else "")
    head = [f"{line['study']:{NAME_WIDTH}} {facts}"]
    if len(head[0]) > width:
        head = [line["study"], f"  {facts}"]
    return "\n".join(head + [f"  {text}" for text in wrapped(line["question"], max(width - 2, 16))])


def _progress(row: dict[str, Any] | None) -> dict[str, int]:
    return {"planned": row["planned"] if row else 0, "finished": row["finished"] if row else 0}
