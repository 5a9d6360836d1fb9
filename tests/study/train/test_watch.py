"""`study run --watch`: studies come and go in a folder, and share the workers."""

import os
import signal
from pathlib import Path

import pytest

from study.store import checkpoints
from study.store.database import Store
from study.store.storage import storage_at
from study.train import watch
from study.train.driver import only_driver
from study.train.options import Options
from study.train.worker import Settings, Stopped, train
from tests.support.driver import Driver, wait_for
from tests.support.studies import MACHINE, metrics, study_file, trained_file

OPTIONS = Options(pack_size=2, compile="off")


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def queue(folder, tmp_path) -> watch.Queue:
    said: list[str] = []
    queue = watch.Queue(folder, Store.open(tmp_path / "store", write=True), MACHINE, OPTIONS, said.append)
    queue.said = said
    return queue


def looked(queue: watch.Queue) -> watch.Queue:
    queue.look()
    return queue


def names(queue: watch.Queue, count: int) -> list[str]:
    """The studies of the next packs."""
    found = []
    for _ in range(count):
        work = queue.next_work()
        assert work is not None
        found.append(next(e.study.name for e in queue.entries.values() if work[0].pack_id in e.handed))
    return found


def test_studies_take_turns_and_a_late_one_does_not_catch_up(queue, folder):
    study_file(folder, "a", axes={"model.width": (16,)}, seeds=8)
    study_file(folder, "b", axes={"model.width": (17,)}, seeds=8)
    assert sorted(names(looked(queue), 4)) == ["a", "a", "b", "b"]
    study_file(folder, "c", axes={"model.width": (18,)}, seeds=8)
    turns = names(looked(queue), 6)
    assert sorted(turns) == ["a", "a", "b", "b", "c", "c"]
    assert queue.next_work()[0].flops > 0
    assert len(names(queue, 1)) == 1
    assert queue.next_work() is None


def test_a_file_that_fails_is_told_once_until_it_changes(queue, folder):
    file = folder / "bad.py"
    file.write_text("STUDY = 1 / 0")
    looked(looked(queue))
    assert len(queue.said) == 1
    assert f"{file}: " in queue.said[0]
    assert "ZeroDivisionError" in queue.said[0]
    study_file(folder, "bad", seeds=1)
    looked(queue)
    assert queue.next_work() is not None, queue.said


def test_what_is_no_file_of_a_study_ends_nothing_and_is_told_once(queue, folder):
    study_file(folder, "a", seeds=1)
    (folder / ".#a.py").symlink_to("somebody@somewhere.123:456")  # an editor's lock
    (folder / "gone.py").symlink_to(folder / "nowhere.txt")
    (folder / "circle.py").symlink_to(folder / "circle.py")
    (folder / "package.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    os.close(os.open(os.fsencode(folder) + b"/not\xffutf.py", os.O_CREAT))
    looked(looked(queue))
    told = {Path(line.partition(": ")[0]).name: line for line in queue.said}
    assert sorted(told) == ["circle.py", "gone.py", "package.py", "pipe.py"]
    assert len(queue.said) == 4
    assert told["gone.py"].endswith(
        "cannot be read (No such file or directory): mend it, or take it out of the folder."
    )
    assert "cannot be read (it is no file)" in told["pipe.py"]
    assert names(queue, 1) == ["a"]
    (folder / "package.py").rmdir()
    looked(queue)
    (folder / "package.py").mkdir()
    assert len(looked(queue).said) == 5


def test_a_study_whose_name_is_not_utf_8_is_told(queue, folder):
    study_file(folder, "a", seeds=1).rename(os.fsdecode(os.fsencode(folder) + b"/not\xffutf.py"))
    [said] = looked(looked(queue)).said
    assert "may hold letters, digits, '_' and '-' only. Rename the file." in said
    assert queue.next_work() is None


@pytest.mark.parametrize("method", ["stat", "read_text", "read_bytes"])
def test_a_file_that_goes_while_it_is_looked_at_ends_nothing(queue, folder, monkeypatch, method):
    study_file(folder, "a", seeds=1)
    study_file(folder, "b", axes={"model.width": (17,)}, seeds=1)
    real = getattr(Path, method)

    def going(path: Path, *args: object, **options: object) -> object:
        if path.name == "a.py":
            path.unlink(missing_ok=True)
        return real(path, *args, **options)

    monkeypatch.setattr(Path, method, going)
    assert names(looked(looked(queue)), 1) == ["b"]
    assert len(queue.said) <= 1


def test_a_file_over_another_base_is_told_once_and_not_run(queue, folder):
    study_file(folder, "a", seeds=1)
    assert looked(queue).next_work() is not None
    study_file(folder, "a", seeds=1, learning_rate=0.02)
    assert looked(looked(queue)).next_work() is None
    [said] = queue.said
    assert "study 'a' is in this store already with another base run: optimizer.learning_rate 0.01, now 0.02" in said


def test_what_another_study_of_the_folder_trains_is_not_trained_twice(queue, folder):
    a = study_file(folder, "a", seeds=1)
    study_file(folder, "b", seeds=2)
    packs = [work[0] for work in iter(looked(queue).next_work, None)]
    runs = [run_id for pack in packs for run_id in pack.run_ids]
    assert len(runs) == len(set(runs)) == 8
    assert looked(queue).next_work() is None
    a.unlink()
    left = [run_id for work in iter(looked(queue).next_work, None) for run_id in work[0].run_ids]
    assert len(left) == len(set(left)) == 4
    assert set(left) < set(runs)


def test_a_study_that_is_taken_away_stops_at_its_next_flush_and_goes_on_when_it_is_back(queue, folder, tmp_path):
    file = study_file(folder, "a", axes={"model.width": (16,)}, seeds=2, horizon=300)
    undisturbed = trained_file(file, tmp_path / "undisturbed", 2)
    pack, settings = looked(queue).next_work()
    file.rename(tmp_path / "a.py")
    told: list[dict] = []

    def beat(message: dict) -> None:
        told.append(message)
        if len(told) == 3:
            looked(queue)

    eager = Settings(**{**vars(settings), "flush_seconds": -1.0})
    with pytest.raises(Stopped):
        train(pack, eager, "t", beat)
    assert len(told) == 3
    assert storage_at(queue.store.place).exists(checkpoints.stop_sign(pack.pack_id))
    (tmp_path / "a.py").rename(file)
    again, settings = looked(queue).next_work()
    assert again.start_step > 0
    train(again, settings, "t", told.append)
    queue.store.ingest()
    assert metrics(queue.store) == metrics(undisturbed)


def test_a_stop_sign_does_not_outlive_the_watch(queue, folder, tmp_path):
    file = study_file(folder, "a", axes={"model.width": (16,)}, seeds=2)
    pack, settings = looked(queue).next_work()
    file.rename(tmp_path / "a.py")
    looked(queue)
    with pytest.raises(Stopped):
        train(pack, settings, "t", lambda message: None)
    with only_driver(queue.store, pytest.fail):  # a later `study run`
        train(pack, settings, "t", lambda message: None)
    queue.store.ingest()
    assert queue.store.sql("select status, count(*)::integer from runs group by 1").fetchall() == [("finished", 2)]


@pytest.mark.ray
def test_a_watched_folder_is_run_until_told_to_stop(folder, tmp_path):
    first = study_file(folder, "first", axes={"model.width": (16,)}, seeds=2, horizon=100)
    store = tmp_path / "store"

    def num_finished() -> int:
        return len(list((store / "checkpoints/runs").glob("*.safetensors")))

    with Driver(f"--watch={folder}", store, "--compile", "off", "--pack-size", 2, "--flush-seconds", 0.2) as driver:
        assert wait_for(lambda: num_finished() == 2, 300)
        study_file(folder, "second", axes={"model.width": (24,)}, seeds=2, horizon=100)
        assert wait_for(lambda: num_finished() == 4, 300)
        driver.process.send_signal(signal.SIGTERM)
        code, out, err = driver.end()
    assert (code, out) == (130, ""), err
    assert "Traceback" not in err
    opened = Store.open(store, write=True)
    opened.ingest()
    rows = opened.sql("select study, status, count(*)::integer from study_runs join runs using (run_id) group by all")
    assert sorted(rows.fetchall()) == [("first", "finished", 2), ("second", "finished", 2)]
    undisturbed = trained_file(first, tmp_path / "undisturbed", 2)
    expected = metrics(undisturbed)
    assert [row for row in metrics(opened) if row[0] in {row[0] for row in expected}] == expected
