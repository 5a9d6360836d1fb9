"""Whatever lies among the parts is named, and never keeps the others out."""

import json
import os
import socket
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from study.store.database import Store
from study.store.part_file import ABOUT, encoded
from study.store.parts import Recorder, last_states, write_plan
from tests.support.parts import PROVENANCE, A, B, invented, plan_row, write_parts


@pytest.fixture
def folder(tmp_path) -> Path:
    write_parts(tmp_path, 2)
    return tmp_path


def odd(folder: Path, name: bytes, content: bytes | None = None) -> None:
    good = next(folder.glob("parts/pack/0001-000001.parquet")).read_bytes()
    Path(os.fsdecode(os.path.join(os.fsencode(folder), b"parts/pack", name))).write_bytes(content or good)


def check(folder: Path, *reasons: tuple[str, str]) -> None:
    """Each ingest names these files with these words, the first brings in all others, and all can be queried."""
    store = Store.open(folder, write=True)
    for parts in (3, 0):
        report = store.ingest()
        assert (report.parts, report.busy) == (parts, None)
        assert len(report.skipped) == len(reasons)
        for (name, reason), (expected, words) in zip(sorted(report.skipped), sorted(reasons), strict=True):
            assert name == expected
            assert words in reason
            assert "\n" not in reason
    assert store.sql("select count(*) from metrics").fetchall() == [(40,)]


def test_a_name_that_is_not_utf_8_is_named_and_left_out(folder):
    odd(folder, b"0001-0000\xff.parquet")
    odd(folder, b"a\\b.parquet")
    check(folder, (r"pack/0001-0000\xff.parquet", "not UTF-8"), (r"pack/a\b.parquet", "has a backslash: rename"))


def test_names_that_are_odd_do_not_stop_a_worker(folder):
    for name in (b"0001-0000\xff.parquet", b"0x-1.parquet", "٣-1.parquet".encode(), b"1-2-3.parquet"):
        odd(folder, name)
    assert Recorder(folder, "pack", PROVENANCE).attempt == 2
    assert last_states(folder, "pack")[A]["steps"] == 40


def test_what_is_no_regular_file_is_named_and_nobody_waits_for_it(folder, monkeypatch):
    pack = folder / "parts/pack"
    os.mkfifo(pack / "0001-000009.parquet")
    monkeypatch.chdir(pack)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.parquet")
    (pack / "nowhere.parquet").symlink_to("gone")
    (pack / "loop.parquet").symlink_to("loop.parquet")
    (pack / "zero.parquet").symlink_to("/dev/zero")
    check(
        folder,
        ("pack/0001-000009.parquet", "is no regular file"),
        ("pack/socket.parquet", "No such device"),
        ("pack/nowhere.parquet", "No such file"),
        ("pack/loop.parquet", "symbolic links"),
        ("pack/zero.parquet", "is no regular file"),
    )
    assert last_states(folder, "pack")[A]["steps"] == 40


def test_a_link_to_a_part_and_a_folder_that_has_a_parts_name_are_no_trouble(folder):
    (folder / "elsewhere").mkdir()
    part = folder / "parts/pack/0001-000002.parquet"
    part.rename(folder / "elsewhere/x")
    part.symlink_to("../../elsewhere/x")
    (folder / "parts/pack/folder.parquet").mkdir()
    check(folder)


def test_a_run_id_that_is_not_the_hash_of_its_spec_is_refused(tmp_path):
    write_plan(tmp_path, "good", {}, [plan_row(A)])
    write_plan(tmp_path, "swapped", {}, [plan_row(B), plan_row(A, spec=invented("c").spec)])
    table = pq.read_table(next((tmp_path / "parts/plan").glob("swapped-*")))
    about = json.loads(table.schema.metadata[ABOUT]) | {"format": 1, "study": "old", "name": "plan/old.parquet"}
    (tmp_path / "parts/plan/old.parquet").write_bytes(encoded(table, about))
    store = Store.open(tmp_path, write=True)
    report = store.ingest()
    assert (report.parts, len(report.skipped)) == (1, 2)
    for _, reason in report.skipped:
        assert reason == f"it gives run '{A}' a spec whose id is '{invented('c')}': it was not written by this package."
    assert store.sql("select run_id, spec::text from run_specs").fetchall() == [(A, A.spec)]


def test_the_id_does_not_hang_on_how_the_json_is_written(tmp_path):
    spec = {"b": [1, 2.5, "é"], "a": {"d": None, "c": 1e-7}, "name": "x"}
    run = invented("x", b=spec["b"], a=spec["a"])
    write_plan(tmp_path, "s", {}, [plan_row(run, spec=json.dumps(spec, indent=1, ensure_ascii=False))])
    assert Store.open(tmp_path, write=True).ingest().parts == 1
