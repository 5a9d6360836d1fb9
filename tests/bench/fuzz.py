"""Which changed bytes go in unseen: every kind of file that a store reads, with many changes, one at a time.

    python -m tests.bench.fuzz [--tries 100000] [--seed 0] [FORMAT ...]

A change is a bit, a byte, a block that is zero, lost, doubled or another one's, or an end that is zero or lost.
`silent` counts files that were read and said something else than what was written: it must be 0.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from study.store.archive import FOLDER, archived, unpacked
from study.store.connection import connected, read_all
from study.store.database import Store
from study.store.folder import Folder
from study.store.part_reader import read_file, read_part
from study.store.parts import Recorder, write_plan, write_probes, write_sources
from tests.support.damage import outcomes
from tests.support.parts import PROVENANCE, RunId, losses, plan_row, state, write_runs
from tests.support.runs import mlp_run
from trainables import checkpoint
from trainables.checkpoint import Checkpoint


class Format(NamedTuple):
    make: Callable[[Path], Path]
    """Writes one file below a folder."""
    read: Callable[[Path], Any]
    """What it says, to be compared; OSError or ValueError where it is refused."""


RUNS = [RunId(mlp_run(seed=seed).to_json()) for seed in range(4)]


def plan(folder: Path) -> Path:
    rows = [plan_row(run, seed=seed, point=json.dumps({"seed": seed})) for seed, run in enumerate(RUNS)]
    return folder / "parts" / write_plan(folder, "s", {"question": "?"}, rows)


def metrics(folder: Path) -> Path:
    columns = losses(RUNS[0], range(200))
    columns |= {"run_id": [run for run in RUNS for _ in range(50)], "value": [1 / (step + 1) for step in range(200)]}
    return folder / "parts" / Recorder(folder, "pack", PROVENANCE).flush(columns, [state(run) for run in RUNS])


def probes(folder: Path) -> Path:
    found = {"run_id": RUNS, "step": [100] * 4, "probe": ["p"] * 4, "layer": [0, 1, 0, 1], "position": ["h"] * 4}
    write_probes(folder, "found", found | {"metric": ["m"] * 4, "value": [0.1, 0.2, 0.3, 0.4]})
    [path] = (folder / "parts/probes").iterdir()
    return path


def sources(folder: Path) -> Path:
    write_sources(folder, {"abc": {"parity": Path(__file__).read_text(), "parity.net": "width = 16\n"}})
    return folder / "parts/sources/abc.parquet"


def part(path: Path) -> Any:
    read = read_part(*read_file(Folder(path.parents[2]), path.relative_to(path.parents[1]).as_posix()))
    if read.error:
        raise ValueError(read.error)
    return read.kind, read.checked, {name: table.to_pylist() for name, table in read.tables.items()}


def archive(folder: Path) -> Path:
    write_runs(folder / "from", RUNS)
    below = folder / "from/parts"
    name, data = archived({str(p.relative_to(below)): p.read_bytes() for p in sorted(below.glob("pack*/*.parquet"))})
    Folder(folder).create(f"parts/{name}", data)
    return folder / "parts" / name


def files(path: Path) -> Any:
    found, damage = unpacked(f"{FOLDER}/{path.name}", path.read_bytes())
    if damage:
        raise ValueError(damage)
    return found


def state_of_a_pack(folder: Path) -> Path:
    numbers = torch.Generator().manual_seed(0)
    tensors = {"weights": torch.rand(4, 500, generator=numbers), "generalized_at": torch.arange(4)}
    checkpoint.save(folder / "state.safetensors", Checkpoint([*RUNS], 100, tensors, "layout"))
    return folder / "state.safetensors"


def loaded(path: Path) -> Any:
    found = checkpoint.load(path)
    return found.run_ids, found.step, found.layout, {name: tensor.tolist() for name, tensor in found.tensors.items()}


def database(folder: Path) -> Path:
    write_runs(folder, RUNS)
    store = Store.open(folder, write=True)
    store.ingest()
    return folder / "study.duckdb"


def tables(path: Path) -> Any:
    """As a writer finds it: with every value read."""
    with connected(path) as connection:
        read_all(connection)
        names = connection.execute("select table_name from duckdb_tables() where not internal").fetchall()
        return {name: connection.execute(f"from {name} order by all").fetchall() for (name,) in [*names, ("outcomes",)]}


FORMATS = {
    "plan part": Format(plan, part),
    "metrics part": Format(metrics, part),
    "probes part": Format(probes, part),
    "sources part": Format(sources, part),
    "archive": Format(archive, files),
    "checkpoint": Format(state_of_a_pack, loaded),
    "database": Format(database, tables),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", choices=[*FORMATS, []], metavar="FORMAT")
    parser.add_argument("--tries", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args()
    print(f"{'':16}{'tries':>10}{'refused':>10}{'identical':>10}{'silent':>10}")
    for name in options.formats or FORMATS:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            found = outcomes(FORMATS[name].make(Path(folder)), FORMATS[name].read, options.tries, options.seed)
        print(
            f"{name:16}{options.tries:10,}" + "".join(f"{found[end]:10,}" for end in ("refused", "identical", "silent"))
        )


if __name__ == "__main__":
    main()
