"""Many readers of one process do not keep a writer out for ever."""

import threading
import time

import pytest

from study.store import turns
from study.store.database import Store
from study.store.parts import Recorder
from study.store.turns import Turns
from tests.support.parts import PROVENANCE, A, losses, write_parts


@pytest.mark.parametrize(("hold", "gets_in"), [(turns.HOLD_SECONDS, True), (1e9, False)])
def test_readers_whose_queries_overlap_let_a_writer_in(tmp_path, monkeypatch, hold, gets_in):
    monkeypatch.setattr(turns, "HOLD_SECONDS", hold)
    write_parts(tmp_path, 1)
    store = Store.open(tmp_path, write=True)
    store.ingest()
    reader, over = Store.open(tmp_path), threading.Event()
    begun = threading.Barrier(7)

    def read(turn: int) -> None:
        begun.wait()
        time.sleep(turn / 20)
        while not over.is_set():
            with reader.together():
                reader.sql("select count(*) from metrics")
                time.sleep(0.3)

    readers = [threading.Thread(target=read, args=(turn,)) for turn in range(6)]
    for one in readers:
        one.start()
    begun.wait()
    time.sleep(0.4)
    Recorder(tmp_path, "other", PROVENANCE).flush(losses(A, [900]), [])
    try:
        assert (store.ingest(timeout=4.0).parts == 1) == gets_in
    finally:
        over.set()
        for one in readers:
            one.join()


def test_a_reader_that_another_one_waits_for_comes_in(monkeypatch):
    monkeypatch.setattr(turns, "HOLD_SECONDS", 0.05)
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.2)
    held, came = Turns(), threading.Event()

    def come() -> None:
        with held.reading():
            came.set()

    with held.reading(), held.reading():  # not kept out by itself
        time.sleep(0.1)
        threading.Thread(target=come).start()
        assert not came.wait(0.05)
        assert came.wait(5)
