"""What the commands print: tables for people, JSON for programs, and the one live line of a running study."""

import json
import math
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from study.packing import Machine, estimated_seconds
from study.plan import Plan
from study.progress import duration
from study.spec import StudySpec
from study.store import Store
from trainables.errors import SpecError

PLAIN_LINE_SECONDS = 10.0
MAX_TABLE_ROWS = 200


def show_table(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Rows with the same keys, as a table or as JSON."""
    if as_json:
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        print(json.dumps(plain, default=str, indent=1))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0] if rows else ["no rows"]:
        numeric = bool(rows) and isinstance(rows[0][name], (int, float)) and not isinstance(rows[0][name], bool)
        table.add_column(escape(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows[:MAX_TABLE_ROWS]:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if len(rows) > MAX_TABLE_ROWS:
        print(f"... {len(rows) - MAX_TABLE_ROWS:,} more rows; --json or --format csv gives all of them.")


def show_claims(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """What papers say, what was measured, and the verdicts: the rows of `analysis.claim.as_row`."""
    if as_json:
        show_table(rows, True)
        return
    lines = [
        {
            "claim": f"{row['says']} {row['source']}",
            "published": row["published"],
            "ours": f"{row['ours']} {row['unit']}" if row["ours"] else "",
            "bar": row["bar"],
            "verdict": row["verdict"],
            "study": row["study"],
            "runs": f"{row['ended']}/{row['planned']}",
        }
        for row in rows
    ]
    show_table(lines, False)
    for note in dict.fromkeys(row["note"] for row in rows if row["note"] and row["ours"]):
        print(f"- {note}")


def write_table(table: pa.Table, form: str) -> None:
    """An Arrow table on stdout as table, csv, json (one list of objects) or parquet."""
    if form == "csv":
        nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
        if nested:
            raise SpecError(
                f"column {nested[0]!r} holds lists, which CSV has no place for: use --format json or parquet."
            )
        pa_csv.write_csv(table, sys.stdout.buffer)
    elif form == "parquet":
        pq.write_table(table, pa.PythonFile(sys.stdout.buffer, mode="w"))
    else:
        show_table(table.to_pylist(), form == "json")


def show_study(plan: Plan, machine: Machine, as_json: bool) -> None:
    """A study's resolved spec and what it would cost from nothing."""
    study, packs = plan.study, plan.packs
    cost = {"num_runs": len(plan.runs), "num_packs": len(packs), "workers": machine.workers, "device": machine.device}
    cost["estimated_seconds"] = round(estimated_seconds(packs, machine))
    if as_json:
        print(json.dumps({"study": study.name, **study.to_json(), **cost}, indent=1))
        return
    print(f"{study.name}: {study.question}\n")
    over = study.search["over"] if study.search else {}
    for path, values in study.axes.items():
        print(f"  {path:28} {over.get(path) or ', '.join(map(str, values))}")
    if study.search:
        sought = study.search["objective"] or " or ".join(study.search["phases"])
        print(f"  {'sampler':28} {study.sampler}, for {sought}\n  {'budget':28} {study.search['runs']:,} runs")
    print(f"  {'seeds':28} {study.seeds}\n  {'horizon':28} {study.horizon:,} steps")
    if study.extra:
        print(f"  {'extra points':28} {len(study.extra)}")
    print("\nbase:")
    for part, fields in study.base.to_json().items():
        text = "  ".join(f"{k}={v}" for k, v in fields.items()) if isinstance(fields, dict) else fields
        print(f"  {part:12} {text}")
    seconds = duration(cost["estimated_seconds"])
    about = f"very roughly {seconds} on {machine.workers} x {machine.device}"
    print(f"\n{len(plan.runs):,} runs in {len(packs):,} packs; {about}.")


def show_plan(plan: Plan, machine: Machine, as_json: bool) -> None:
    """Planned, finished and missing runs, then the packs by shape. A search also has runs that it may still ask for."""
    about = {"planned": len(plan.runs), "finished": len(plan.finished), "missing": plan.missing}
    if plan.study.search:
        about["not asked for yet"] = max(0, plan.study.search["runs"] - len(plan.runs))
    shapes = Counter(
        (len(p.run_ids), p.start_step, p.specs[0].model.width, p.specs[0].model.layers) for p in plan.packs
    )
    rows = []
    for (runs, start, width, layers), number in sorted(shapes.items()):
        same = [p for p in plan.packs if (len(p.run_ids), p.start_step) == (runs, start)]
        largest = max(p.bytes for p in same if p.specs[0].model.width == width)
        rows.append({"packs": number, "runs each": runs, "layers": layers, "width": width, "from step": start,
                     "memory MB": round(largest / 1e6)})  # fmt: skip
    seconds = round(estimated_seconds(plan.packs, machine))
    if as_json:
        print(json.dumps({"study": plan.study.name, **about, "packs": rows, "estimated_seconds": seconds}, indent=1))
        return
    print(f"{plan.study.name}: " + ", ".join(f"{number:,} {word}" for word, number in about.items()))
    if rows:
        show_table(rows, as_json=False)
        print(f"very roughly {duration(seconds)} on {machine.workers} x {machine.device}")


def phase_summary(store: Store, study: StudySpec, plan: Plan) -> str:
    """One line after a run: how many are done, why others failed, and in which phases they are."""
    text = """select phase, count(*)::integer as runs from phases join study_runs using (run_id)
              where study = ? and definition = ? group by phase order by runs desc, phase"""
    rows = store.sql(text, [study.name, study.definition]).fetchall()
    found = ", ".join(f"{runs} {phase}" for phase, runs in rows)
    state = f"all {len(plan.runs)} runs are in"
    pruned = "select count(*) from runs join study_runs using (run_id) where study = ? and stop_reason = 'pruned'"
    [(number,)] = store.sql(pruned, [study.name]).fetchall()
    if number:
        state += f", {number} of them pruned (the same call without --prune goes on with these)"
    if plan.missing:
        text = "select mode(error) from runs join study_runs using (run_id) where study = ? and status = 'failed'"
        [(error,)] = store.sql(text, [study.name]).fetchall()
        state = f"{plan.missing} of {len(plan.runs)} runs are missing" + (f" ({error})" if error else "")
    return f"{study.name}: {state}; {study.definition}: {found}"


class ProgressLine:
    """The one live line: rewritten in place on a terminal, a plain line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self.live, self.said_at, self.length = sys.stderr.isatty(), 0.0, 0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.live and self.length:
            print(file=sys.stderr)

    def say(self, line: str, last: bool = False) -> None:
        """Show the newest line."""
        if self.live:
            line = line[: shutil.get_terminal_size().columns - 1]  # a line that wraps cannot be rewritten
            print(f"\r{line:{self.length}}", end="", file=sys.stderr, flush=True)
            self.length = len(line)
        elif last or time.monotonic() - self.said_at > PLAIN_LINE_SECONDS:
            print(line, file=sys.stderr, flush=True)
            self.said_at = time.monotonic()


def _plain(value: Any) -> Any:
    """JSON has no NaN: the loss of a diverged run is null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
