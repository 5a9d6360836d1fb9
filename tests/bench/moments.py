"""Every moment of a study, gone wrong: killed before and after each call that changes a file, a full disk, a power cut.

    python -m tests.bench.moments [--kills 1000] [--kinds before,after,full,old,dropped,truncated,zeros] [--processes 2]

A tiny study is trained, then extended to twice its horizon, by the real service, worker, recorder and ingest, in one
process without Ray. For each moment (see `tests/support/moments.py`) and each kind of fault, a process of its own does
so until the fault; another does the same again from what is left. Then parts, database and an undisturbed store are
compared value by value: rows that are lost, that are there twice or that differ, runs that are not finished, and a
database that is not the one which its parts give.

A kill while a pack writes the last states of its runs, one file each, leaves some of them to be trained again in a
smaller pack. On some processors products of a smaller batch round otherwise: those stores are counted, and differ in
the last digits of those runs alone.
"""

import argparse
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from study.store.database import Store
from tests.support.moments import ENDED, KINDS, Fault, faulty
from tests.support.studies import small
from tests.support.without_ray import run_and_extend

STUDY = small(horizon=6, evaluations_per_decade=4, seeds=2)
TABLES = {
    "metrics": "select run_id, step, split, metric, value from metrics order by all",
    "curves": "from curves order by all",
    "outcomes": "from outcomes order by all",
    "phases": "from phases order by all",
    "runs": "select run_id, spec, status, stop_reason, horizon, steps, error from runs order by all",
    "study_runs": "select study, run_id, point, horizon, horizons from study_runs order by all",
}
"""What must not depend on what went wrong meanwhile."""


@dataclass(frozen=True)
class Outcome:
    """What came of one fault."""

    fault: Fault
    wrong: str = ""
    """'' where all is as it should be."""
    rounded: bool = False
    """Whether some numbers are others in their last digits."""


def main() -> None:
    options = arguments()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        expected, counts = undisturbed(Path(folder))
        total = sum(counts.values())
        print(f"{total} moments: {dict(counts)}", flush=True)
        every = [Fault(number, kind) for number in range(1, total + 1) for kind in options.kinds.split(",")]
        kills = min(options.kills or len(every), len(every))
        faults = [every[i * len(every) // kills] for i in range(kills)]
        wrong, rounded = Counter[str](), Counter[str]()
        for done, outcome in enumerate(outcomes(faults, expected, Path(folder), options.processes), 1):
            rounded[outcome.fault.kind] += outcome.rounded
            if outcome.wrong:
                wrong[outcome.fault.kind] += 1
                print(f"{outcome.fault}: {outcome.wrong}", flush=True)
            if done % 100 == 0:
                print(f"{done} of {len(faults)} faults, {time.monotonic() - started:.0f} s", flush=True)
    print(f"{len(faults)} faults in {(time.monotonic() - started) / 60:.1f} min on {options.processes} processes")
    for kind in options.kinds.split(","):
        number = sum(fault.kind == kind for fault in faults)
        print(f"{kind:<10} {number:>5} faults, {wrong[kind]} stores that differ, {rounded[kind]} in last digits alone")
    sys.exit(bool(wrong))


def undisturbed(folder: Path) -> tuple[dict[str, list[tuple]], Counter[str]]:
    """The tables of a study that nothing has disturbed, and how many moments it has of each name."""
    with faulty(folder / "undisturbed") as counts:
        run_and_extend(STUDY, folder / "undisturbed")
        return tables(Store.open(folder / "undisturbed")), counts.copy()


def outcomes(
    faults: list[Fault], expected: dict[str, list[tuple]], folder: Path, processes: int
) -> Iterator[Outcome]:  # fmt: skip
    """Try all faults. Each process is a fork of this one, which has imported everything."""
    with get_context("fork").Pool(processes, initializer=_share, initargs=(expected, folder)) as pool:
        yield from pool.imap_unordered(_try, faults)


_shared: dict[str, object] = {}


def _share(expected: dict[str, list[tuple]], folder: Path) -> None:
    _shared.update(expected=expected, folder=folder)


def _try(fault: Fault) -> Outcome:
    return outcome_of(fault, _shared["expected"], _shared["folder"])  # type: ignore[arg-type]


def outcome_of(fault: Fault, expected: dict[str, list[tuple]], folder: Path) -> Outcome:
    """Let a fault come true in a process of its own, go on in another, and compare."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        store, log = place / "store", place / "log"

        def disturbed() -> None:
            with faulty(store, fault):
                run_and_extend(STUDY, store)

        code = ended(disturbed, log)
        if code not in (0, 1 if fault.kind == "full" else ENDED):
            return Outcome(fault, f"ended with {code}: {last_line(log)}")
        if code := ended(lambda: run_and_extend(STUDY, store), log):
            return Outcome(fault, f"cannot go on, ended with {code}: {last_line(log)}")
        return Outcome(fault, *difference(store, expected))
    finally:
        shutil.rmtree(place)


def ended(work: Callable[[], None], log: Path) -> int:
    """The exit code of a forked process that does this; what it says goes to a file."""
    if not (pid := os.fork()):
        code = 1
        try:
            with log.open("w") as file, redirect_stderr(file):
                try:
                    work()
                    code = 0
                except BaseException:
                    traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def difference(folder: Path, expected: dict[str, list[tuple]]) -> tuple[str, bool]:
    """How a store differs from the undisturbed one, or its database from its parts, '' if in nothing; and whether some
    numbers are others in their last digits."""
    store, rounded = Store.open(folder, write=True), False
    for what in ("database", "parts"):
        if what == "parts":
            store.ingest(rebuild=True)
        for name, rows in tables(store).items():
            if rows == expected[name]:
                continue
            if len(rows) != len(expected[name]) or not all(map(alike, rows, expected[name])):
                here, there = Counter(map(str, rows)), Counter(map(str, expected[name]))
                return f"{name} of the {what}: lost {(there - here).total()}, more {(here - there).total()}", rounded
            rounded = True
    again = """
        select count(*) from attempts join
        (select run_id, horizon, min(attempt) as finished from attempts where status = 'finished' group by all)
        using (run_id, horizon) where attempt > finished"""
    [(num_again,)] = store.sql(again).fetchall()
    return f"{num_again} finished runs were trained again" if num_again else "", rounded


def alike(row: tuple, other: tuple) -> bool:
    """Whether two rows are the same but for the last digits of their numbers in float32."""

    def same(value: object, expected: object) -> bool:
        if not isinstance(value, float) or not isinstance(expected, float):
            return value == expected
        return math.isclose(value, expected, rel_tol=1e-5, abs_tol=1e-6)

    return all(map(same, row, other))


def tables(store: Store) -> dict[str, list[tuple]]:
    """All that a study has come to."""
    return {name: store.sql(query).fetchall() for name, query in TABLES.items()}


def last_line(log: Path) -> str:
    return (log.read_text().strip().splitlines() or [""])[-1][:300]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, metavar="N", help="About so many faults, evenly spread; all without it.")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    return parser.parse_args()


if __name__ == "__main__":
    main()
