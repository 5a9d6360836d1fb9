"""Thousands of parts become few files and nothing else changes, whoever is killed, in a bucket, and where they rot."""

import errno
import subprocess
from pathlib import Path

import pytest

from study.store import compaction
from study.store.archive import archived, unpacked
from study.store.database import Store
from study.store.folder import Folder
from study.store.parts import Recorder
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
    assert files(store).items() >= parts.items()
    store.ingest()
    assert len(store.sql("select part from parts where error is not null").fetchall()) == 1, "the archive is named"


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


def test_no_name_in_an_archive_leads_elsewhere(store, tmp_path):
    part = next(data for name, data in files(store).items() if "/pack/" in name)
    name, data = archived({"../../x.parquet": part, "/etc/x.parquet": part, "a\\b.parquet": part, ".x.parquet": part})
    Folder(store.path).create(f"parts/{name}", data)
    report = store.ingest()
    assert (report.parts, report.skipped) == (0, [])
    assert not (tmp_path / "x.parquet").exists()


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
    named = "select part from parts where kind <> 'archive' order by all"
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
