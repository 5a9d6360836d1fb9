"""The file of a part: what was written is read, anything else is refused and named, and nothing large is unpacked."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from study.store import part_file
from study.store.errors import PartError
from study.store.folder import Folder
from study.store.part_file import ABOUT, DIGEST, EMPTY, MARK, decoded, encoded
from study.store.part_reader import read_file, read_part
from study.store.part_schemas import METRICS, PLAN
from study.store.parts import Recorder, last_states, write_plan
from tests.bench.fuzz import FORMATS
from tests.support.damage import outcomes
from tests.support.parts import PROVENANCE, A, losses, plan_row, state
from trainables.errors import SpecError


@pytest.mark.parametrize("name", [name for name in FORMATS if name.endswith("part")])
def test_a_part_with_other_bytes_is_refused_or_says_the_same(name, tmp_path):
    found = outcomes(FORMATS[name].make(tmp_path), FORMATS[name].read, tries=300)
    assert (found["silent"], found.total()) == (0, 300)
    assert found["refused"] > 290


def part() -> bytes:
    return encoded(pa.table(losses(A, range(5))).cast(METRICS), {"kind": "metrics", "runs": []})


def test_the_digest_is_that_of_all_bytes_with_zeros_in_its_place_and_parquet_reads_the_file():
    data = part()
    metadata = pq.read_metadata(pa.BufferReader(data)).metadata
    digest = metadata[DIGEST]
    assert data.count(digest) == 1
    assert hashlib.sha256(data.replace(digest, EMPTY)).hexdigest().encode() == digest
    assert json.loads(metadata[ABOUT]) == {"format": 2, "kind": "metrics", "runs": []}
    assert pq.read_table(pa.BufferReader(data))["step"].to_pylist() == [0, 1, 2, 3, 4]
    assert decoded(data).checked


def test_a_part_that_has_lost_its_digest_is_refused_and_one_of_the_format_before_is_read_unchecked():
    for about in ({"format": 2}, {"format": 1}, {}):
        table = pa.table(losses(A, [1])).cast(METRICS).replace_schema_metadata({ABOUT: json.dumps(about)})
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer)
        if about == {"format": 1}:
            assert not decoded(buffer.getvalue().to_pybytes()).checked
        else:
            with pytest.raises(PartError, match=r"has lost its digest|format None is not 1 or 2"):
                decoded(buffer.getvalue().to_pybytes())
    with pytest.raises(PartError, match=r"its bytes are not those that were written: .* digest"):
        decoded(part().replace(MARK, MARK.replace(b"sha256", b"sha257")))


def test_a_part_of_a_pack_that_does_not_fit_its_digest_has_no_states_to_go_on_from(tmp_path):
    recorder = Recorder(tmp_path, "pack", PROVENANCE)
    recorder.flush({}, [state(A, steps=5)])
    name = recorder.flush({}, [state(A, steps=7)])
    path = tmp_path / "parts" / name
    assert last_states(tmp_path, "pack")[A]["steps"] == 7
    path.write_bytes(path.read_bytes().replace(b'"steps": 7', b'"steps": 9'))
    assert last_states(tmp_path, "pack")[A]["steps"] == 5


# Bounds.


def written(folder: Path, table: pa.Table, about: dict) -> str:
    """A small file of many rows, as nobody of ours writes it."""
    path = folder / "parts/bad/0001-000001.parquet"
    path.parent.mkdir(parents=True)
    about = {"format": 1, "kind": "metrics", "written_at": None, "runs": []} | about
    pq.write_table(table.replace_schema_metadata({ABOUT: json.dumps(about)}), path, compression="zstd")
    assert path.stat().st_size < 3_000_000
    return path.relative_to(folder / "parts").as_posix()


READ = """
import resource, sys
from pathlib import Path
from study.store.folder import Folder
from study.store.part_reader import read_file, read_part
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(read_part(*read_file(Folder(Path(sys.argv[1])), sys.argv[2])).error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def read_apart(folder: Path, name: str) -> tuple[str, int]:
    """Why a part is refused, and by how many kilobytes reading it has raised the memory of its process."""
    done = subprocess.run([sys.executable, "-c", READ, folder, name], check=True, text=True, stdout=subprocess.PIPE)
    why, size = done.stdout.splitlines()
    return why, int(size)


def test_a_small_file_of_many_rows_is_refused_before_they_are_read(tmp_path):
    one = pa.table(losses(A, [1])).cast(METRICS)
    count = 10 * part_file.MAX_ROWS
    table = pa.table([pa.repeat(one[column][0], count) for column in METRICS.names], schema=METRICS)
    why, size = read_apart(tmp_path, written(tmp_path, table, {}))
    assert why == "10,485,760 rows, 0 MB before compression: a part has at most 1,048,576 rows and 1,074 MB."
    assert size < 100_000


def test_a_long_text_that_is_stored_once_for_many_rows_is_refused_before_it_is_copied(tmp_path):
    columns = {name: pa.nulls(100_000, PLAN.field(name).type) for name in PLAN.names}
    long = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 100_000), pa.array(["x" * 500_000]))
    about = {"kind": "plan", "study": "s", "created_at": "2026-01-01T00:00:00+00:00", "spec": {}}
    why, size = read_apart(tmp_path, written(tmp_path, pa.table(columns | {"spec": long}), about))
    assert why.startswith("100,000 rows, 50,000 MB before compression: a part has at most")
    assert size < 100_000


def test_a_flush_that_one_part_cannot_hold_becomes_several_and_the_last_has_the_states(tmp_path, monkeypatch):
    for module in ("part_file", "parts"):
        monkeypatch.setattr(f"study.store.{module}.MAX_ROWS", 4)
    recorder = Recorder(tmp_path, "pack", PROVENANCE)
    last = recorder.flush(losses(A, range(10)), [state(A, steps=9)])
    found = {"run_id": A, "step": 1, "probe": "p", "layer": 0, "position": "h", "metric": "m", "value": 1.0}
    recorder.flush_findings({name: [value] * 5 for name, value in found.items()})
    names = sorted(path.relative_to(tmp_path / "parts").as_posix() for path in tmp_path.rglob("*.parquet"))
    parts = [read_part(*read_file(Folder(tmp_path), name)) for name in names]
    assert [(part.name.rpartition("/")[2], part.rows, part.error) for part in parts] == [
        ("0001-000001.parquet", 4, None),
        ("0001-000002.parquet", 4, None),
        ("0001-000003.parquet", 2, None),
        ("probes-0001-000001.parquet", 4, None),
        ("probes-0001-000002.parquet", 1, None),
    ]
    assert last == "pack/0001-000003.parquet"
    assert [part.tables["new_states"].num_rows for part in parts[:3]] == [0, 0, 1]
    with pytest.raises(SpecError, match="study 's' asks for 5 runs, a plan holds at most 4"):
        write_plan(tmp_path, "s", {}, [plan_row(A)] * 5)
