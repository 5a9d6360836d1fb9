"""Thousands of parts become few files and nothing else changes, whoever is killed, in a bucket, and where they rot."""

import errno
import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest

from study.store import compaction
from study.store.archive import archived, unpacked
from study.store.database import Store
from study.store.errors import StoreError
from study.store.folder import Folder
from study.store.parts import Recorder
from study.store.status import skipped_parts
from study.store.storage import storage_at
from study.train import service
from tests.study.store.test_database import contents
from tests.support.parts import PROVENANCE, A, losses, state, write_parts
from tests.support.s3 import serving
from tests.support.studies import metrics, small
from tests.support.without_ray import OPTIONS, run_and_extend, without_ray
from trainables.errors import SpecError

PARTS = 300


class Killed(Exception):
    pass


def killed() -> None:
    raise Killed


def unchecked() -> None:
    pass


def filled(folder: Path, storage: str | None = None) -> Store:
    """A store with a plan and PARTS parts of one pack, all brought in."""
    store = Store.open(folder, write=True, storage=storage)
    write_parts(storage or folder, PARTS, rows=3)
    assert store.ingest().parts == PARTS + 1
    return store


def files(store: Store) -> dict[str, bytes]:
    storage = storage_at(store.place)
    return {name: storage.read(name) for name in sorted(storage.names("parts"))}


@pytest.fixture
def store(tmp_path) -> Store:
    return filled(tmp_path / "store")


@pytest.fixture(scope="module")
def s3():
    with serving() as server:
        yield server


def test_parts_become_one_file_that_tar_makes_them_of_again(store, tmp_path):
    before, parts = contents(store), files(store)
    assert store.compact(unchecked) == PARTS
    plan, archive = sorted(files(store), key=lambda name: name.endswith(".tar"))
    assert plan.startswith("parts/plan/")
    assert not (store.path / "parts/pack").exists()
    subprocess.run(["tar", "xf", store.path / archive, "-C", tmp_path], check=True)
    assert {f"parts/{name}": (tmp_path / name).read_bytes() for name in unpacked_names(tmp_path)} == {
        name: data for name, data in parts.items() if name != plan
    }
    for rebuild, expected in ((False, (0, 0, [])), (True, (PARTS + 1, 3 * PARTS + 1, []))):
        report = store.ingest(rebuild=rebuild)
        assert (report.parts, report.rows, report.skipped) == expected
        assert contents(store) == before
    assert store.compact(unchecked) == 0


def unpacked_names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in (folder / "pack").iterdir()]


def test_few_parts_and_large_ones_and_those_that_the_database_has_not_stay_as_they_are(tmp_path):
    store = filled(tmp_path)
    recorder = Recorder(tmp_path, "new", PROVENANCE)
    new = recorder.flush(losses(A, range(1000, 1003)), [state(A, steps=1003)])
    rows = compaction.MAX_ROWS // compaction.SMALL + 1
    large = Recorder(tmp_path, "large", PROVENANCE).flush(losses(A, range(2000, 2000 + rows)), [state(A, steps=9**6)])
    damaged = tmp_path / "parts/pack/0001-000002.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-100] + bytes(100))
    store.ingest()
    unknown = recorder.flush(losses(A, range(1003, 1006)), [state(A, steps=1006)])
    assert store.compact(unchecked) == PARTS  # all of the pack but the damaged one, and `new`
    assert {name for name in files(store) if name.endswith(".parquet")} >= {
        f"parts/{large}", f"parts/{unknown}", "parts/pack/0001-000002.parquet"
    }  # fmt: skip
    assert f"parts/{new}" not in files(store)
    few = Store.open(tmp_path / "few", write=True)
    write_parts(few.path, compaction.LEAST_PARTS - 1)
    few.ingest()
    assert few.compact(unchecked) == 0


def test_archives_are_bounded(store, monkeypatch):
    monkeypatch.setattr(compaction, "LEAST_PARTS", 10)
    monkeypatch.setattr(compaction, "MAX_PARTS", 70)
    before = contents(store)
    assert store.compact(unchecked) == PARTS
    archives = [unpacked(name.removeprefix("parts/"), data) for name, data in files(store).items() if ".tar" in name]
    assert sorted(len(held) for held, damage in archives) == [20, 70, 70, 70, 70]
    assert not any(damage for _, damage in archives)
    store.ingest(rebuild=True)
    assert contents(store) == before


def test_who_dies_before_the_parts_are_removed_loses_nothing_and_the_next_one_removes_them(store):
    before = contents(store)
    with pytest.raises(Killed):
        store.compact(killed)
    assert len(files(store)) == PARTS + 2
    store.ingest(rebuild=True)
    assert contents(store) == before
    assert store.sql("select count(*) from overruled").fetchall() == [(0,)]
    assert store.compact(unchecked) == PARTS
    assert len(files(store)) == 2
    store.ingest(rebuild=True)
    assert contents(store) == before


def test_who_dies_while_the_parts_are_removed_loses_nothing(store, monkeypatch):
    before, remove = contents(store), Folder.delete

    def some(self, name: str) -> None:
        if name.endswith("7.parquet"):
            raise Killed
        remove(self, name)

    monkeypatch.setattr(Folder, "delete", some)
    with pytest.raises(Killed):
        store.compact(unchecked)
    monkeypatch.undo()
    assert 2 < len(files(store)) < PARTS
    store.ingest(rebuild=True)
    assert contents(store) == before


def test_a_disk_that_is_full_or_gives_back_other_bytes_costs_no_part(store, monkeypatch):
    parts = files(store)

    def full(self, name: str, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    create = Folder.create
    monkeypatch.setattr(Folder, "create", full)
    with pytest.raises(OSError, match="No space left"):
        store.compact(unchecked)
    assert files(store) == parts
    monkeypatch.setattr(Folder, "create", lambda self, name, data: create(self, name, data[:-512] + b"x" * 512))
    with pytest.raises(OSError, match="gives back other bytes"):
        store.compact(unchecked)
    assert files(store) == parts
    monkeypatch.undo()
    for rebuild in (False, True):
        assert store.ingest(rebuild=rebuild).skipped == []
    assert store.compact(unchecked) == PARTS


def test_an_archive_that_has_rotted_since_its_writer_was_killed_is_written_again(store):
    before = contents(store)
    with pytest.raises(Killed):
        store.compact(killed)
    [archive] = (store.path / "parts/compacted").iterdir()
    data = bytearray(archive.read_bytes())
    data[2000] ^= 1
    archive.write_bytes(data)
    for rebuild in (False, True):
        report = store.ingest(rebuild=rebuild)
        assert f"compacted/{archive.name}" in dict(report.skipped)
        assert contents(store) == before
    assert store.compact(unchecked) == PARTS
    assert len(files(store)) == 2
    assert store.ingest(rebuild=True).skipped == []
    assert contents(store) == before


def test_a_copy_of_an_archive_and_files_taken_out_of_one_count_once(store, tmp_path):
    before = contents(store)
    store.compact(unchecked)
    [archive] = (store.path / "parts/compacted").iterdir()
    (archive.parent / f"{'0' * 64}.tar").write_bytes(archive.read_bytes())
    subprocess.run(["tar", "xf", archive, "-C", store.path / "parts"], check=True)
    report = store.ingest(rebuild=True)
    assert (report.parts, [name for name, _ in report.skipped]) == (PARTS + 1, [f"compacted/{'0' * 64}.tar"])
    assert contents(store) == before


def test_what_lies_among_archives_and_is_none_is_named(store):
    store.compact(unchecked)
    [archive] = (store.path / "parts/compacted").iterdir()
    archive.rename(archive.with_suffix(".tgz"))
    [(name, why)] = store.ingest(rebuild=True).skipped
    assert (name, "is no archive" in why) == (f"compacted/{archive.stem}.tgz", True)


def test_one_that_only_reads_compacts_nothing(store):
    with pytest.raises(StoreError, match="open it with write=True to compact"):
        Store.open(store.path).compact(unchecked)


def test_no_part_that_cannot_be_read_keeps_the_others_from_becoming_few(store, monkeypatch):
    monkeypatch.setattr(compaction, "LEAST_PARTS", 10)
    parts = sorted((store.path / "parts/pack").iterdir())
    parts[3].unlink()
    os.mkfifo(parts[3])
    parts[5].write_bytes(parts[6].read_bytes() + b"longer")
    assert store.compact(unchecked) == PARTS - 2
    assert {path.name for path in (store.path / "parts/pack").iterdir()} == {parts[3].name, parts[5].name}
    monkeypatch.setattr(compaction, "LEAST_PARTS", 1)
    assert store.compact(unchecked) == 0
    assert len(list((store.path / "parts/compacted").iterdir())) == 1, "none is empty"


def test_a_file_under_the_name_of_another_part_is_named(store):
    parts = sorted((store.path / "parts/pack").iterdir())
    parts[3].write_bytes(parts[4].read_bytes())
    [(name, why)] = store.ingest(rebuild=True).skipped
    assert (name, "it was written as 'pack/0001-000005.parquet'" in why) == (f"pack/{parts[3].name}", True)


def test_a_file_that_was_restored_with_its_time_is_read_by_the_command(store):
    """As `cp -p` and `rsync -a` do; what rots has its old time, too."""
    part = sorted((store.path / "parts/pack").iterdir())[3]
    whole, times = part.read_bytes(), part.stat()
    part.write_bytes(whole[:-100] + bytes(100))
    os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert len(store.ingest(rebuild=True).skipped) == 1
    assert len(store.ingest(check=True).skipped) == 1, "it is named each time"
    part.write_bytes(whole)
    os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert store.ingest(check=True).parts == 1
    assert store.sql("select count(*) from metrics").fetchall() == [(3 * PARTS,)]


def test_a_part_that_was_hit_within_an_archive_is_shown_as_long_as_the_archive_is_there(store):
    store.compact(unchecked)
    [archive] = (store.path / "parts/compacted").iterdir()
    data = bytearray(archive.read_bytes())
    data[5000] ^= 1
    archive.write_bytes(data)
    store.ingest(rebuild=True)
    assert {name.partition("/")[0] for name, _ in skipped_parts(store)} == {"compacted", "pack"}
    archive.unlink()
    assert skipped_parts(store) == []


def test_an_archive_that_was_away_when_a_study_went_on_hides_nothing_of_it(tmp_path):
    """Its parts have the names of no part that another driver writes."""
    store = Store.open(tmp_path, write=True)
    with without_ray(), patch.object(compaction, "LEAST_PARTS", 2):
        service.run(small(horizon=30), store, OPTIONS, lambda line: None)
    [archive] = (tmp_path / "parts/compacted").iterdir()
    away = archive.rename(tmp_path / "away")
    (tmp_path / "study.duckdb").unlink()
    shutil.rmtree(tmp_path / "checkpoints")
    store = Store.open(tmp_path, write=True)
    with without_ray():
        assert service.run(small(horizon=60), store, OPTIONS, lambda line: None).missing == 0
    expected = metrics(store)
    away.rename(archive)
    for rebuild in (False, True):
        store.ingest(rebuild=rebuild)
        more = set(metrics(store)) - set(expected)
        assert set(metrics(store)) >= set(expected)
        assert {step for _, step, *_ in more} == {30}, "the end of the shorter training, where the longer has no rows"
    with without_ray():
        assert service.run(small(horizon=60), store, OPTIONS, lambda line: None).missing == 0


def test_a_driver_that_is_not_the_driver_any_more_removes_nothing(store):
    parts = files(store)

    def lost() -> None:
        raise SpecError("another `study run` has taken over")

    with pytest.raises(SpecError):
        store.compact(lost)
    assert files(store).items() >= parts.items()


@pytest.mark.parametrize("place", [*range(300, 200_000, 17_321), -1, -20_000])
def test_of_an_archive_that_rots_all_parts_go_in_but_those_that_were_hit(store, place):
    store.compact(unchecked)
    [archive] = (store.path / "parts/compacted").iterdir()
    data = bytearray(archive.read_bytes())
    data[place] ^= 1
    archive.write_bytes(data)
    report = store.ingest(rebuild=True)
    assert PARTS <= report.parts <= PARTS + 1
    said = dict(report.skipped)
    assert "its bytes are not those that were written" in said.pop(f"compacted/{archive.name}")
    assert len(said) <= 1
    [(rows,)] = store.sql("select count(*) from metrics").fetchall()
    assert rows == 3 * (report.parts - 1)
    archive.write_bytes(archived(dict(sorted(unpacked_whole(archive, data, place).items())))[1])
    assert store.ingest().skipped == [], "mended"
    assert store.sql("select count(*) from metrics").fetchall() == [(3 * PARTS,)]


def unpacked_whole(archive: Path, data: bytearray, place: int) -> dict[str, bytes]:
    data[place] ^= 1
    return unpacked(f"compacted/{archive.name}", bytes(data))[0]


ODD = (
    *("../../x.parquet", "/etc/x.parquet", "a\\b.parquet", ".x.parquet", "README", "a/b/c.parquet"),
    *("plan/s-0123.parquet", "sources/x.parquet", "compacted/x.parquet", f"pack/{'x' * 101}.parquet"),
    *("pack/\udcff.parquet", "pack/\x1b[31m.parquet", "pack/a\nb.parquet"),
)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_part_in_an_archive_is_told_and_the_others_go_in(store, tmp_path, odd):
    before = contents(store)
    parts = {name.removeprefix("parts/"): data for name, data in files(store).items() if "/pack/" in name}
    shutil.rmtree(store.path / "parts/pack")
    name, data = archived(parts | {odd: next(iter(parts.values()))})
    Folder(store.path).create(f"parts/{name}", data)
    report = store.ingest(rebuild=True)
    [(said, why)] = report.skipped
    assert (report.parts, said) == (PARTS + 1, name)
    assert f"not written by this package; {PARTS} parts and 1 other things were found in it" in why
    assert contents(store) == before
    assert not (tmp_path / "x.parquet").exists()


def test_no_archive_under_its_right_name_is_told(store):
    data = gzip.compress(b"x")
    name = f"compacted/{hashlib.sha256(data).hexdigest()}.tar"
    Folder(store.path).create(f"parts/{name}", data)
    [(said, why)] = store.ingest().skipped
    assert (said, "is no tar archive" in why) == (name, True)


def test_in_a_bucket_and_for_another_folder_that_reads_it(s3, tmp_path, monkeypatch):
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    store = filled(tmp_path / "a", s3.new_url())
    late = Store.open(tmp_path / "b", write=True, storage=store.place)
    assert late.ingest().parts == PARTS + 1
    assert store.compact(unchecked) == PARTS
    assert len(files(store)) == 2
    s3.requests.clear()
    assert late.ingest().parts == 0
    listings = [query for method, _, query in s3.requests if "list-type" in query]
    assert len(listings) <= 2
    other = Store.open(tmp_path / "c", write=True, storage=store.place)
    assert other.ingest().parts == PARTS + 1
    assert contents(other) == contents(store)


@pytest.fixture(scope="module")
def loose(tmp_path_factory) -> Store:
    """A study that was trained and extended, with every part in a file of its own."""
    folder = tmp_path_factory.mktemp("loose")
    run_and_extend(small(horizon=30), folder, least_parts=10**6)
    return Store.open(folder)


def test_a_pack_whose_parts_are_in_an_archive_goes_on_as_if_they_were_not(loose, tmp_path):
    run_and_extend(small(horizon=30), tmp_path)
    store = Store.open(tmp_path, write=True)
    assert not list((tmp_path / "parts").glob("*/0*.parquet"))
    assert list((loose.path / "parts").glob("*/0*.parquet"))
    tried = "select run_id, attempt, pack_id, status, steps, horizon from attempts order by all"
    named = """
        select regexp_replace(part, '-[0-9a-f]{8}[.]', '.') from parts
        where kind not in ('archive', 'timings') order by all"""
    for rebuild in (False, True):
        store.ingest(rebuild=rebuild)
        assert metrics(store) == metrics(loose)
        for text in (tried, named):
            assert store.sql(text).fetchall() == loose.sql(text).fetchall()


def test_a_study_ends_well_where_its_parts_cannot_be_compacted(tmp_path, monkeypatch):
    """The disk is full to its last block, for instance."""

    def full(*given: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("study.store.database.compact", full)
    said: list[object] = []
    store = Store.open(tmp_path, write=True)
    with without_ray():
        plan = service.run(small(horizon=4), store, OPTIONS, said.append)
    assert plan.missing == 0
    assert any("stay as many files as they are" in str(line) for line in said)
