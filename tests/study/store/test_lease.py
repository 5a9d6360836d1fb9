"""One driver per storage: whatever dies, sleeps or is started at the same time, there are never two."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from study.store import lease
from study.store.lease import CLAIMS, Lease, held
from study.store.process import Process
from study.store.storage import Storage, storage_at
from tests.support.s3 import S3, serving
from trainables.errors import SpecError

STALE = 2.0
"""Seconds in the tests where it matters; elsewhere nobody is taken for dead because this machine is busy."""

HOLD = """
import sys, time
from study.store import lease
from study.store.storage import storage_at
lease.RENEW_SECONDS, lease.STALE_SECONDS = 0.1, float(sys.argv[2])
with lease.held(storage_at(sys.argv[1]), print) as mine:
    print("at work", flush=True)
    while True:
        mine.check()
        time.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    for name, seconds in (("RENEW", 0.1), ("STALE", 3600.0), ("LOOK", 0.02)):
        monkeypatch.setattr(lease, f"{name}_SECONDS", seconds)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(lease, "STALE_SECONDS", STALE)


@pytest.fixture(scope="module")
def s3():
    with serving() as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def storage(request, tmp_path, s3) -> Storage:
    return storage_at(tmp_path if request.param == "folder" else s3.new_url())


def claims(storage: Storage) -> list[str]:
    return sorted(storage.names(CLAIMS))


def taken(storage: Storage) -> tuple[Lease, list[str]]:
    """A lease that nobody renews, as that of a process that sleeps; and what was said."""
    said: list[str] = []
    mine = Lease(storage)
    mine.take(said.append)
    return mine, said


def from_elsewhere(storage: Storage, **about: object) -> str:
    """A claim of a driver on another machine."""
    process = {"host": "elsewhere", "pid": os.getpid(), "started": "1", "table": "another machine"}
    storage.write(f"{CLAIMS}/other", json.dumps({**process, "holds": True, "renewals": 7, **about}).encode())
    return f"{CLAIMS}/other"


def test_a_second_driver_is_refused_in_a_line_that_names_the_first(storage):
    with held(storage, pytest.fail) as first:
        with pytest.raises(SpecError) as error, held(storage, lambda line: None):
            pytest.fail("two drivers")
        first.check()
        assert claims(storage) == [first.claim]
    assert str(error.value) == (
        f"storage '{storage}': another `study run` is at work here ({Process.this()}). Wait for it, end it, or take "
        f"another --store, and another --storage if you have given one."
    )
    assert claims(storage) == []
    with held(storage, pytest.fail):
        pass


def test_of_many_that_begin_at_once_there_is_never_more_than_one_at_work(storage):
    at_work, most, turns = [0], [0], []
    start, lock = threading.Barrier(4), threading.Lock()

    def drive() -> None:
        start.wait()
        for _ in range(3):
            with suppress(SpecError), held(storage, lambda line: None) as mine:
                with lock:
                    at_work[0] += 1
                    most[0] = max(most[0], at_work[0])
                time.sleep(0.05)
                mine.check()
                turns.append(mine.claim)
                with lock:
                    at_work[0] -= 1

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert turns
    assert claims(storage) == []


def test_a_driver_that_was_killed_on_this_machine_is_taken_over_from_at_once(storage):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(storage), "3600"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet buried
    for _ in range(2):
        said: list[str] = []
        [left] = claims(storage)
        data = storage.read(left)
        with held(storage, said.append):
            pass
        [line] = said
        assert (
            line
            == f"storage '{storage}': taken over from process {process.pid} on {os.uname().nodename}, which is dead"
        )
        storage.write(left, data)
        process.wait()
    assert not Process.this().is_dead()


def test_a_process_that_is_suspended_is_taken_over_from_and_ends_when_it_goes_on(storage, monkeypatch):
    monkeypatch.setattr(lease, "STALE_SECONDS", 6.0)
    line = [sys.executable, "-c", HOLD, str(storage), "6"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGSTOP)
    said: list[str] = []
    with held(storage, said.append) as mine:
        assert said[-1].endswith(f"process {process.pid} on {os.uname().nodename}, which was not heard of for 6 s")
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=120)
        assert "another `study run` has taken over" in err
        mine.check()
        assert claims(storage) == [mine.claim]


def test_another_process_with_the_number_of_a_dead_one_is_not_taken_for_it(storage):
    mine = Process.this()
    assert Process(mine.host, mine.pid, "1", mine.table).is_dead()
    assert not Process(mine.host, 2**22 + 1, "1", "another machine").is_dead(), "only its own machine knows"


def test_a_silent_driver_elsewhere_is_taken_over_from_by_the_observers_own_clock(storage, short, monkeypatch):
    from_elsewhere(storage)
    monkeypatch.setattr(time, "time", lambda: 0.0)  # in 1970 here
    said: list[str] = []
    began = time.monotonic()
    with held(storage, said.append) as mine:
        assert time.monotonic() - began >= STALE
        assert claims(storage) == [mine.claim]
    waiting, over = said
    assert (
        waiting
        == f"storage '{storage}': waiting up to 2 s for process {os.getpid()} on elsewhere, which may be at work here"
    )
    assert over.endswith("which was not heard of for 2 s")


def test_a_driver_elsewhere_is_at_work_as_long_as_its_claim_changes_whatever_its_clock_says(storage):
    def renew() -> None:
        for renewal in range(6, 0, -1):  # its numbers need not grow either
            if done.wait(0.3):
                break
            from_elsewhere(storage, renewals=renewal)

    from_elsewhere(storage)
    done = threading.Event()
    other = threading.Thread(target=renew)
    other.start()
    with pytest.raises(SpecError, match="elsewhere"), held(storage, lambda line: None):
        pytest.fail("two drivers")
    done.set()
    other.join()
    assert claims(storage) == [f"{CLAIMS}/other"]


@pytest.mark.parametrize("garbage", [b"", b"{", b"[1]", b'{"host": 1, "pid": "x"}', b"\xff\x00"])
def test_a_claim_that_nobody_can_read_goes_when_nobody_renews_it(storage, short, garbage):
    storage.write(f"{CLAIMS}/zz", garbage)
    began = time.monotonic()
    _, said = taken(storage)
    assert time.monotonic() - began >= STALE
    assert "an unknown process" in said[-1]


def test_a_driver_that_slept_while_another_took_over_is_told_and_the_other_goes_on(storage, short):
    mine, _ = taken(storage)
    said: list[str] = []
    with held(storage, said.append) as other:
        assert "not heard of" in said[-1]
        for _ in range(2):
            with pytest.raises(SpecError, match=r"another `study run` has taken over, .*did the machine sleep\?"):
                mine.check()
        mine.end()
        other.check()
        assert claims(storage) == [other.claim]


def test_a_driver_that_wakes_up_while_another_waits_gives_way_or_goes_on_but_not_both(storage, short):
    mine, _ = taken(storage)
    other = Lease(storage)
    other._write()  # it waits
    time.sleep(STALE / 2 + 0.1)
    with pytest.raises(SpecError, match="has taken over"):
        mine.check()
    assert claims(storage) == [other.claim]


def test_a_driver_that_slept_and_was_not_missed_goes_on(storage, short):
    mine, _ = taken(storage)
    time.sleep(STALE + 0.1)
    mine.check()
    assert claims(storage) == [mine.claim]


def test_one_that_wakes_up_after_the_other_has_ended_does_not_go_on_with_what_it_knew(storage, short):
    mine, _ = taken(storage)
    taken(storage)[0].end()
    with pytest.raises(SpecError, match="has taken over"):
        mine.check()
    assert claims(storage) == []


def test_where_the_storage_does_not_answer_a_driver_stops_before_others_take_over(s3: S3, short):
    storage = storage_at(s3.new_url())
    with held(storage, pytest.fail) as mine:
        with s3.failing(lambda method, path, query: 500 if CLAIMS in path + query else None):
            mine.check()  # that was a moment ago
            time.sleep(STALE / 2 + 0.2)
            with pytest.raises(OSError, match="cannot be used"):
                mine.check()
        mine.check()


def test_a_waiting_driver_that_is_stopped_leaves_no_claim(storage, short):
    from_elsewhere(storage)

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), held(storage, stop):
        pass
    assert claims(storage) == [f"{CLAIMS}/other"]
