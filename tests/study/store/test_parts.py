"""Parts: written once, whole or not at all, and never overwritten."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from study.store import provenance
from study.store.part_file import ABOUT
from study.store.part_schemas import METRICS, PROBES
from study.store.parts import Recorder, write_plan, write_probes
from tests.support.parts import PROVENANCE, A, B, losses, plan_row, state
from trainables.errors import SpecError


def files_below(path: Path) -> list[str]:
    return sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())


def test_the_same_plan_is_written_once_whatever_the_order_of_its_rows(tmp_path):
    rows = [plan_row(A), plan_row(B)]
    name = write_plan(tmp_path, "s", {"seeds": 2}, rows)
    before = (tmp_path / "parts" / name).stat()
    assert write_plan(tmp_path, "s", {"seeds": 2}, rows[::-1]) == name
    assert (tmp_path / "parts" / name).stat() == before
    assert files_below(tmp_path) == [f"parts/{name}"]


@pytest.mark.parametrize(
    ("study", "spec", "changes"), [("t", {}, {}), ("s", {"seeds": 3}, {}), ("s", {}, {"horizon": 9})]
)
def test_a_plan_that_differs_in_anything_is_another_part(tmp_path, study, spec, changes):
    assert write_plan(tmp_path, "s", {}, [plan_row(A)]) != write_plan(tmp_path, study, spec, [plan_row(A, **changes)])


def test_a_study_name_cannot_lead_out_of_the_store(tmp_path):
    with pytest.raises(SpecError, match="not a file name"):
        write_plan(tmp_path, "../x", {}, [])


def test_a_flush_gives_back_what_was_recorded_and_who_recorded_it(tmp_path):
    columns = losses(A, range(3)) | {"value": np.array([1, np.nan, 3], dtype=np.float32)}
    name = Recorder(tmp_path, "pack", PROVENANCE).flush(columns, [state(A, steps=2)])
    table = pq.read_table(tmp_path / "parts" / name)
    about = json.loads(table.schema.metadata[ABOUT])
    assert name == "pack/0001-000001.parquet"
    assert table.schema.remove_metadata() == METRICS
    np.testing.assert_array_equal(table["value"].to_numpy(), [1.0, np.nan, 3.0])
    assert about["runs"] == [state(A, steps=2)]
    assert (about["kind"], about["format"], about["pack_id"], about["host"]) == ("metrics", 2, "pack", "here")


@pytest.mark.parametrize("empty", [{}, losses(A, []), dict.fromkeys(METRICS.names, np.empty(0))])
def test_columns_without_rows_are_a_part_whatever_their_type(tmp_path, empty):
    name = Recorder(tmp_path, "pack", {}).flush(empty, [state(A)])
    assert pq.read_table(tmp_path / "parts" / name).num_rows == 0


def test_a_retry_of_a_pack_writes_under_a_higher_attempt(tmp_path):
    first = Recorder(tmp_path, "pack", {})
    first.flush({}, [])
    retry = Recorder(tmp_path, "pack", {})
    retry.flush({}, [])
    first.flush({}, [])
    assert (first.attempt, retry.attempt, Recorder(tmp_path, "pack", {}).attempt) == (1, 2, 3)
    assert files_below(tmp_path / "parts/pack") == [
        "0001-000001.parquet",
        "0001-000002.parquet",
        "0002-000001.parquet",
    ]


def test_two_workers_on_one_pack_do_not_overwrite_each_other(tmp_path):
    one, other = Recorder(tmp_path, "pack", {}), Recorder(tmp_path, "pack", {})
    one.flush(losses(A, [1]), [])
    with pytest.raises(FileExistsError, match="another worker"):
        other.flush(losses(A, [2]), [])
    assert pq.read_table(tmp_path / "parts/pack/0001-000001.parquet")["step"].to_pylist() == [1]


def test_two_workers_that_write_at_the_same_moment_do_not_overwrite_each_other(tmp_path, monkeypatch):
    one, other = Recorder(tmp_path, "pack", {}), Recorder(tmp_path, "pack", {})
    fsync = os.fsync

    def meanwhile(handle: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        one.flush(losses(A, [1]), [])
        fsync(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)  # the draft of the other is written, and has no name yet
    with pytest.raises(FileExistsError, match="another worker"):
        other.flush(losses(A, [2]), [])
    assert pq.read_table(tmp_path / "parts/pack/0001-000001.parquet")["step"].to_pylist() == [1]
    assert files_below(tmp_path) == ["parts/pack/0001-000001.parquet"]


def test_findings_of_two_looks_are_two_parts(tmp_path):
    finding = dict(zip(PROBES.names, ([A], [1], ["p"], [0], ["h"], ["m"], [0.5]), strict=True))
    for _ in range(2):
        write_probes(tmp_path, "a-1-p", finding)
    assert len(files_below(tmp_path / "parts/probes")) == 2


def test_a_disk_that_fills_up_raises_and_leaves_no_file(tmp_path):
    script = """
import os, resource, signal, sys
from study.store.parts import Recorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
recorder = Recorder(sys.argv[1], "pack", {})
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    recorder.flush({}, [])
except OSError as error:
    sys.exit(0 if error.errno else 1)
sys.exit(2)
"""
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == 0
    assert files_below(tmp_path) == []


def test_provenance_names_versions_and_is_ready_for_json():
    about = provenance.provenance("cpu", 2, trial_id="t1")
    assert json.loads(json.dumps(about)) == about
    assert {"python", "torch", "duckdb", "ray"} <= set(about["versions"])
    assert (about["device"], about["threads"], about["trial_id"]) == ("cpu", 2, "t1")


def test_the_commit_is_that_of_the_checkout_the_code_runs_from_or_none(tmp_path, monkeypatch):
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "study" / "store" / "provenance.py"))
    source = provenance.source.__wrapped__
    assert source() == {"git_sha": None, "git_dirty": None}
    git("init")
    assert source() == {"git_sha": None, "git_dirty": None}
    git("commit", "--allow-empty", "-m", "m")
    assert source() == {"git_sha": git("rev-parse", "HEAD"), "git_dirty": False}
    (tmp_path / "new.py").touch()
    assert source()["git_dirty"] is True
