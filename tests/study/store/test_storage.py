"""Storage: the same names and bytes in a folder and in a bucket, whole or not at all, and nothing outside of it."""

import errno
import os
import pickle
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSystem

from study.cli.main import main
from study.store import checkpoints
from study.store.database import Store
from study.store.errors import StorageError
from study.store.parts import Recorder, write_plan
from study.store.place import FILE, place_of, settle
from study.store.status import skipped_parts
from study.store.storage import Storage, _bucket, storage_at
from study.train.probe import probe
from study.train.worker import record_failure, train
from tests.study.store.test_database import contents
from tests.study.train.test_asha import STUDY as PRUNED
from tests.study.train.test_worker import finish, only_pack, statuses, train_until
from tests.support.parts import PROVENANCE, A, losses, plan_row, state, write_parts
from tests.support.s3 import S3, serving
from tests.support.studies import MACHINE, make_plan, metrics, planned, settings, small, study_file, trained
from trainables.checkpoint import Checkpoint, CheckpointError
from trainables.errors import SpecError


@pytest.fixture(scope="module")
def s3():
    with serving() as server:
        yield server


@pytest.fixture
def url(s3) -> str:
    return s3.new_url()


@pytest.fixture
def store(url, tmp_path) -> Store:
    """A store that keeps its parts in a bucket."""
    return Store.open(tmp_path / "store", write=True, storage=url)


@pytest.fixture(params=["folder", "mounted", "bucket"])
def storage(request, tmp_path, s3) -> Storage:
    places = {"folder": lambda: tmp_path, "mounted": lambda: f"file://{tmp_path}/a%20b", "bucket": s3.new_url}
    return storage_at(places[request.param]())


@pytest.fixture
def call(monkeypatch, capsys):
    """The command line in this process: how it ends, and what it says."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["study", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


# Names and bytes.


def test_what_is_written_is_there_under_its_name_and_nothing_else_is(storage):
    storage.write("parts/a/1.parquet", b"one")
    storage.write("parts/b/2.parquet", b"twice as much" * 1000)
    storage.write("parts/b/2.parquet", b"two")
    storage.write("rungs/s/1/a.json", b"{}")
    assert sorted(storage.names("parts")) == ["parts/a/1.parquet", "parts/b/2.parquet"]
    assert list(storage.names("parts/a")) == ["parts/a/1.parquet"]
    assert list(storage.names("checkpoints")) == []
    assert storage.read("parts/b/2.parquet") == b"two"
    assert storage.stamp("parts/b/2.parquet")[0] == 3
    assert storage.stamp("parts/b/2.parquet")[1] > 1e18
    storage.rename("parts/a/1.parquet", "parts/a/1.torn")
    storage.delete("parts/b/2.parquet")
    storage.delete("parts/b/2.parquet")
    assert list(storage.names("parts")) == ["parts/a/1.torn"]
    assert (storage.exists("parts/a/1.torn"), storage.exists("parts/a/1.parquet")) == (True, False)
    for look in (storage.read, storage.stamp):
        with pytest.raises(FileNotFoundError):
            look("parts/b/2.parquet")
    storage.check_writing()
    assert list(storage.names("parts")) == ["parts/a/1.torn"]


def test_what_must_be_new_does_not_replace_what_is_there(storage):
    storage.create("parts/a/1.parquet", b"one")
    with pytest.raises(FileExistsError):
        storage.create("parts/a/1.parquet", b"other")
    assert storage.read("parts/a/1.parquet") == b"one"
    assert list(storage.names("parts")) == ["parts/a/1.parquet"]


@pytest.mark.parametrize("links", [True, False])
def test_of_two_that_make_a_file_at_the_same_moment_one_is_refused(tmp_path, monkeypatch, links):
    """In a folder: the other one comes after the draft was written, and before it gets its name."""

    def first(*paths: object) -> None:
        (tmp_path / "x").write_bytes(b"first")
        monkeypatch.undo()
        if not links:
            raise OSError(errno.EPERM, "no links here")
        os.link(*paths)

    monkeypatch.setattr(os, "link", first)
    with pytest.raises(FileExistsError):
        storage_at(tmp_path).create("x", b"second")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"first")]


def test_a_folder_without_links_takes_new_files_all_the_same(tmp_path, monkeypatch):
    def link(*paths: object) -> None:
        raise OSError(errno.ENOTSUP, "no links here")

    monkeypatch.setattr(os, "link", link)
    storage_at(tmp_path).create("a/x", b"one")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x"]


def test_states_go_in_and_out_and_torn_ones_are_left_out(storage):
    import torch

    weights = torch.randn(2, 40_000)
    whole = Checkpoint(["a", "b"], 7, {"weights": weights, "generalized_at": torch.tensor([1, -1])})
    names = [
        checkpoints.pack_state("p"),
        checkpoints.run_state(A),
        checkpoints.snapshot("a", 7),
        checkpoints.run_state("torn"),
    ]
    for name in names:
        checkpoints.save(storage, name, whole)
    data = storage.read(names[-1])
    storage.write(names[-1], data[: len(data) // 2])
    storage.write(checkpoints.run_state("pickle"), pickle.dumps(Bomb()))
    back = checkpoints.load(storage, names[0])
    assert (back.run_ids, back.step) == (["a", "b"], 7)
    assert back.tensors["weights"].equal(weights)
    assert [path for folder in ("packs", "runs") for path in checkpoints.states_below(storage, folder)] == [
        names[0],
        names[1],
        checkpoints.run_state("pickle"),
        names[3],
    ]
    asked = [*names, checkpoints.run_state("pickle"), checkpoints.run_state("nobody")]
    assert checkpoints.readable(storage, asked) == dict.fromkeys(names[:3], (["a", "b"], 7))
    for name in (names[-1], checkpoints.run_state("pickle")):
        with pytest.raises(CheckpointError):
            checkpoints.load(storage, name)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


@pytest.mark.parametrize("name", ["../x", "parts/../../x", "/x", "parts//x", "", ".", "parts/./x", "a\\..\\x", "x/.y"])
def test_no_name_leads_out_of_a_storage(storage, tmp_path, name):
    (tmp_path.parent / "x").write_text("untouched")
    calls = [
        lambda: storage.write(name, b"bad"),
        lambda: storage.read(name),
        lambda: storage.delete(name),
        lambda: storage.exists(name),
        lambda: storage.stamp(name),
        lambda: list(storage.names(name)),
        lambda: storage.rename("parts/a", name),
        lambda: storage.drafted(name).__enter__(),
        lambda: storage.fetched(name).__enter__(),
        lambda: storage.open(name).__enter__(),
    ]
    for call in calls:
        with pytest.raises(StorageError, match="is no name in a storage"):
            call()
    assert (tmp_path.parent / "x").read_text() == "untouched"


def test_a_part_cannot_send_a_worker_out_of_the_store(tmp_path):
    for name in ("../../x", "/x"):
        with pytest.raises(SpecError, match="not a file name"):
            Recorder(tmp_path, name, PROVENANCE)
    with pytest.raises(StorageError, match="bad id"):
        storage_at(tmp_path).read("parts/../../x")


def test_objects_with_foreign_names_are_not_listed(s3, url):
    files, root = FileSystem.from_uri(url)
    for key in ("parts/../../x.parquet", "parts/.hidden.parquet"):
        with files.open_output_stream(f"{root}/{key}") as stream:
            stream.write(b"x")
    assert list(storage_at(url).names("parts")) == []


# What can go wrong on the way.


@pytest.mark.parametrize("size", [1000, 30_000_000])
def test_an_upload_that_fails_leaves_the_old_object(s3: S3, url, size):
    storage = storage_at(url)
    storage.write("parts/x", b"old")

    def refuse(method: str, path: str, query: str) -> int | None:
        return 403 if method == "PUT" and (size < 9999 or "partNumber=2" in query) else None

    with s3.failing(refuse), pytest.raises(OSError, match="cannot be used"):
        storage.write("parts/x", b"n" * size)
    assert storage.read("parts/x") == b"old"
    storage.write("parts/x", b"n" * size)
    assert storage.stamp("parts/x")[0] == size


def test_a_server_that_is_busy_for_a_moment_is_asked_again(s3: S3, url):
    storage, refusals = storage_at(url), [503, 500]

    def refuse(method: str, path: str, query: str) -> int | None:
        return refusals.pop() if refusals and method == "PUT" else None

    with s3.failing(refuse):
        storage.write("parts/x", b"data")
    assert refusals == []
    assert storage.read("parts/x") == b"data"


def test_a_small_part_is_one_request(s3: S3, url):
    storage = storage_at(url)
    storage.exists("parts")
    before = len(s3.requests)
    storage.write("parts/x", b"data")
    assert [method for method, *_ in s3.requests[before:]] == ["PUT"]


def test_an_ingest_without_news_asks_for_names_alone(s3: S3, store):
    write_parts(store.place, 9)
    assert store.ingest().parts == 10
    before = len(s3.requests)
    store.ingest()
    assert [(method, "list-type=2" in query) for method, _, query in s3.requests[before:]] == [("GET", True)]


def test_a_state_is_not_made_again_because_nobody_answers(s3: S3, store):
    """A pack that began anew would write over the state that it should have gone on from."""
    pack = only_pack(store)
    train_until(pack, store, 4)
    with s3.failing(lambda method, path, query: 403 if "checkpoints" in path + query else None):
        with pytest.raises(StorageError, match="credentials"):
            make_plan(small(), store, MACHINE)
        with pytest.raises(StorageError, match="credentials"):
            train(pack, settings(store), "trial", lambda message: None)
    [again] = make_plan(small(), store, MACHINE).packs
    assert again.start_step > 0


# Stores.


def test_parts_in_a_bucket_are_brought_in_as_those_in_a_folder(store, tmp_path):
    assert store.ingest().parts == 0
    write_parts(store.place, 5)
    write_parts(tmp_path / "local", 5)
    local = Store.open(tmp_path / "local", write=True)
    assert (local.ingest().parts, store.ingest().parts, store.ingest().parts) == (6, 6, 0)
    assert metrics(store) == metrics(local)
    assert len(metrics(store)) == 100
    before = contents(store)
    assert store.ingest(rebuild=True).parts == 6
    assert contents(store) == before
    assert {path.name for path in store.path.iterdir()} == {".lock", FILE, "study.duckdb"}


def test_a_torn_part_is_passed_over_and_tried_again_when_it_has_changed(store):
    name = Recorder(store.place, "pack", PROVENANCE).flush(losses(A, range(9)), [state(A, steps=9)])
    storage, data = storage_at(store.place), storage_at(store.place).read(f"parts/{name}")
    storage.write(f"parts/{name}", data[:-50])
    storage.write("parts/garbage.parquet", b"garbage")
    write_plan(store.place, "s", {}, [plan_row(A)])
    assert sorted(part for part, _ in store.ingest().skipped) == ["garbage.parquet", name]
    assert [part for part, _ in skipped_parts(store)] == ["garbage.parquet", name]
    assert store.ingest().skipped == []
    storage.write(f"parts/{name}", data)
    storage.delete("parts/garbage.parquet")
    assert store.ingest().parts == 1
    assert store.sql("select count(*)::integer from metrics").fetchall() == [(9,)]
    assert skipped_parts(store) == []


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Store:
    """The small study, trained undisturbed on the local disk."""
    store = Store.open(tmp_path_factory.mktemp("local"), write=True)
    trained(small(), store, pack_size=8)
    return store


def test_a_pack_with_its_state_in_a_bucket_ends_like_one_on_a_disk_also_when_it_was_interrupted(store, local):
    pack = only_pack(store)
    train_until(pack, store, 6)
    assert storage_at(store.place).exists(checkpoints.pack_state(pack.pack_id))
    store.ingest()
    [pack] = make_plan(small(), store, MACHINE).packs
    assert pack.start_step > 0
    finish(store, pack)
    assert metrics(store) == metrics(local)
    assert statuses(store) == [("finished", "horizon", 60, None)]
    here, there = storage_at(store.place), storage_at(local.place)
    assert checkpoints.states_below(here, "runs") == checkpoints.states_below(there, "runs") != []
    for name in checkpoints.states_below(there, "runs"):
        ended, expected = checkpoints.load(here, name), checkpoints.load(there, name)
        assert (ended.run_ids, ended.step, list(ended.tensors)) == (expected.run_ids, 60, list(expected.tensors))
        assert all(ended.tensors[key].equal(expected.tensors[key]) for key in ended.tensors)
    assert list(here.names("checkpoints/packs")) == []
    assert {path.name for path in store.path.iterdir()} == {".lock", FILE, "study.duckdb"}


def test_a_torn_state_in_a_bucket_is_put_aside_and_the_pack_begins_again(store, local):
    pack = only_pack(store)
    train_until(pack, store, 6)
    storage, name = storage_at(store.place), checkpoints.pack_state(pack.pack_id)
    storage.write(name, pickle.dumps(Bomb()))
    finish(store, pack)
    assert metrics(store) == metrics(local)
    assert list(storage.names("checkpoints/packs")) == [name.replace(".safetensors", ".torn")]
    record_failure(pack, settings(store), "trial", "too late")
    store.ingest()
    assert statuses(store) == [("finished", "horizon", 60, None)]


def test_a_longer_horizon_goes_on_from_states_in_a_bucket(store, local, tmp_path):
    shutil.copytree(local.path, tmp_path / "copy")
    for folder in ("parts", "checkpoints"):
        for name in storage_at(local.place).names(folder):
            storage_at(store.place).write(name, storage_at(local.place).read(name))
    on_disk = Store.open(tmp_path / "copy", write=True)
    for each in (store, on_disk):
        trained(small(horizon=90), each)
    assert metrics(store) == metrics(on_disk)


def test_runs_are_pruned_by_rungs_in_a_bucket(store):
    plan = planned(PRUNED, store, pack_size=16)
    for pack in plan.packs:
        train(pack, settings(store, prune_in="rungs/small"), "trial", lambda message: None)
    store.ingest()
    rows = dict(store.sql("select stop_reason, count(*)::integer from runs group by all").fetchall())
    assert rows["pruned"] > 8
    assert len({name.split("/")[2] for name in storage_at(store.place).names("rungs/small")}) == 3


def test_kept_weights_in_a_bucket_are_looked_into(store):
    from tests.study.train.test_probe import PROBES, reasoning
    from tests.study.train.test_probe import trained as train_reasoning

    train_reasoning(reasoning(), store)
    assert probe(reasoning(), store, PROBES[:1], count=10) == 4
    assert len({name.split("/")[2] for name in storage_at(store.place).names("checkpoints/snapshots")}) == 2
    assert store.sql("select count(distinct (run_id, step))::integer from probes").fetchall() == [(4,)]


# Which storage a store has.


def test_a_store_remembers_its_storage(store, url, tmp_path, call, monkeypatch):
    assert place_of(store.path) == url == store.place
    assert Store.open(store.path, write=True).place == url
    assert Store.open(store.path, write=True, storage=f"{url}/").place == url
    assert Store.open(tmp_path / "plain", write=True).place == str(tmp_path / "plain")
    write_plan(url, "s", {}, [plan_row(A)])
    assert call("ingest", "--store", store.path) == (0, "1 parts, 1 rows brought in.\n", "")
    monkeypatch.setenv("STUDY_STORAGE", url)
    assert call("ingest", "--store", tmp_path / "elsewhere") == (0, "1 parts, 1 rows brought in.\n", "")
    assert Store.open(tmp_path / "elsewhere").sql("select run_id from runs").fetchall() == [(A,)]


def mistakes(url: str, folder: Path) -> dict[str, tuple[str, str]]:
    """Words for --storage, and what the one line says."""
    return {
        "another one": (url + "-other", "keeps its parts in"),
        "local parts": (url, "has its parts in its own folder"),
        "no URL": ("bucket/prefix", "is no URL: give s3://"),
        "a relative path": ("file://nfs", "is no URL"),
        "an unknown scheme": ("ftp://host/x", "Unrecognized filesystem type"),
        "an unknown word": (url + "?regoin=x", "regoin"),
        "a password": (url.replace("s3://", "s3://key:secret@"), "has a password"),
        "no bucket": ("s3://no-such-bucket-1/x", "there is no bucket 'no-such-bucket-1'"),
    }


@pytest.mark.parametrize("mistake", list(mistakes("", Path())))
def test_a_storage_that_cannot_be_used_is_one_line_and_nothing_is_made(store, url, tmp_path, mistake):
    said, expected = mistakes(url, tmp_path)[mistake]
    folder = store.path if mistake == "another one" else tmp_path / "new"
    if mistake == "local parts":
        write_parts(folder, 1)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(SpecError) as caught:
        Store.open(folder, write=True, storage=said)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_file_that_does_not_say_the_storage_is_one_line(tmp_path):
    (tmp_path / FILE).write_text('{"url": 1}')
    with pytest.raises(SpecError, match="does not say where"):
        Store.open(tmp_path, write=True)


def test_wrong_credentials_are_one_line_before_any_work(s3: S3, url, tmp_path, call, monkeypatch):
    study, folder = study_file(tmp_path), tmp_path / "store"
    with monkeypatch.context() as wrong:
        wrong.setenv("AWS_ACCESS_KEY_ID", "AKIABADBADBADBADBAD0")
        code, out, err = call("run", study, "--store", folder, "--storage", url)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "AWS_ACCESS_KEY_ID" in err
    assert not folder.exists()
    _bucket.cache_clear()  # another process
    settle(folder, url)
    with s3.failing(lambda method, path, query: 403 if method == "PUT" else None):  # may read, may not write
        code, out, err = call("run", study, "--store", folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot be used" in err
    assert list(storage_at(url).names("parts")) == []


def test_parts_of_one_storage_are_plain_parquet(store):
    name = Recorder(store.place, "pack", PROVENANCE).flush(losses(A, range(3)), [])
    files, root = FileSystem.from_uri(store.place)
    table = pq.read_table(f"{root}/parts/{name}", filesystem=files)
    assert table["step"].to_pylist() == [0, 1, 2]
