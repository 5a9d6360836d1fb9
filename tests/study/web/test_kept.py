"""Answers that are made once."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from study.store.connection import connected
from study.store.database import FILE
from study.web import events
from study.web import kept as kept_module
from study.web.kept import MOST, Kept
from study.web.pace import Pace
from tests.study.web.studies import map_runs, map_store
from tests.support.synthetic import write_study


def test_an_answer_is_made_once_however_many_ask(tmp_path):
    kept, made, begun = Kept(map_store(tmp_path)), [], threading.Barrier(8)

    def ask() -> int:
        begun.wait()
        return kept.get("what", lambda: made.append(1) or 7)

    with ThreadPoolExecutor(8) as pool:
        assert [future.result() for future in [pool.submit(ask) for _ in range(8)]] == [7] * 8
    assert made == [1]


def test_it_is_made_again_once_the_store_has_changed(tmp_path):
    kept, made = Kept(map_store(tmp_path)), []
    for _ in range(2):
        kept.get("what", lambda: made.append(1))
    before = kept.state()
    write_study(tmp_path, map_runs("other"), study="other")
    assert kept.state() != before
    kept.get("what", lambda: made.append(2))
    assert made == [1, 2]


def test_an_error_is_not_kept(tmp_path):
    kept = Kept(map_store(tmp_path))
    with pytest.raises(ZeroDivisionError):
        kept.get("what", lambda: 1 / 0)
    assert kept.get("what", lambda: 3) == 3


def test_a_page_that_is_kept_does_not_wait_for_a_writer(tmp_path, client_of):
    client = client_of(map_store(tmp_path))
    before = client.get("/study/toy").text
    with connected(tmp_path / FILE, write=True, timeout=0.1):
        answer = client.get("/study/toy")
    assert (answer.status_code, answer.text) == (200, before)


def test_only_so_many_are_kept(tmp_path):
    kept, made = Kept(map_store(tmp_path)), []
    for number in range(MOST + 1):
        kept.get(number, lambda: made.append(1))
    kept.get(MOST, lambda: made.append(2))
    kept.get(0, lambda: made.append(3))
    assert made[MOST + 1 :] == [3]


def test_a_store_without_a_file_has_a_state(tmp_path):
    store = map_store(tmp_path)
    (tmp_path / "study.duckdb").unlink()
    assert Kept(store).state() == "none"


def test_a_rate_is_that_of_the_last_looks():
    now = [0.0]
    pace = Pace(lambda: now[0])
    found = []
    for second in range(0, 400, 10):
        now[0] = float(second)
        found.append(pace.heard("s", 100.0 * min(max(0, second - 50), 150)))
    assert found[:8] == [None] * 8  # the first 50 seconds go into starting and compiling
    assert found[8] == pytest.approx(100)
    assert found[20] == pytest.approx(100)
    assert found[-1] is None  # nothing has trained since
    assert pace.heard("other", 5.0) is None


def test_a_slow_answer_stays_for_a_while_though_the_store_has_changed(tmp_path, monkeypatch):
    now, made = [0.0], []
    monkeypatch.setattr(kept_module.time, "monotonic", lambda: now[0])
    kept = Kept(map_store(tmp_path))

    def make() -> int:
        made.append(1)
        now[0] += 2.0
        return len(made)

    assert kept.seldom("what", make) == 1
    write_study(tmp_path, map_runs("other"), study="other")
    now[0] += 19.0
    assert kept.seldom("what", make) == 1
    assert len(made) == 1
    now[0] += 2.0
    assert kept.seldom("what", make) == 1, "nobody waits for an answer while there is one that is not old"
    kept._behind.shutdown()
    assert len(made) == 2
    assert kept.seldom("what", make) == 2
    write_study(tmp_path, map_runs("third"), study="third")
    now[0] += 31.0
    assert kept.seldom("what", make) == 3


def test_encoded_answers_are_kept_up_to_so_many_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_module, "MOST_BYTES", 25)
    kept, made = Kept(map_store(tmp_path)), []
    for number in range(3):
        kept.get(number, lambda: b"0123456789")
    for number in range(3):
        kept.get(number, lambda number=number: made.append(number) or b"")
    assert made == [0]
    assert len(kept.get("one larger than all", lambda: bytes(100))) == 100
    kept.get("one larger than all", lambda: made.append(9))
    assert made == [0]


def test_open_pages_look_at_the_store_together_and_again_when_it_is_time(monkeypatch):
    looks = []
    monkeypatch.setattr(events, "now", lambda kept: looks.append(kept) or f"state {len(looks)}")
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.1)

    async def pages() -> list[str]:
        watch = events.Watch(None)  # pyright: ignore[reportArgumentType]
        together = await asyncio.gather(*(watch.state() for _ in range(20)))
        await asyncio.sleep(0.1)
        return [*together, await watch.state()]

    assert asyncio.run(pages()) == ["state 1"] * 20 + ["state 2"]


def test_a_slow_answer_is_made_anew_once_however_many_ask_and_however_often_the_store_changes(tmp_path, monkeypatch):
    kept, made, going = Kept(map_store(tmp_path)), [], threading.Event()

    def make() -> int:
        if made:
            going.wait(30)
        made.append(1)
        return len(made)

    assert kept.seldom("what", make) == 1
    kept._slow["what"] = (time.monotonic(), 0.0, 1)  # no longer good, and not old
    for number in range(20):
        monkeypatch.setattr(kept, "state", lambda number=number: f"state {number}")
        assert kept.seldom("what", make) == 1
    going.set()
    kept._behind.shutdown()
    assert len(made) == 2


def test_after_the_end_old_answers_are_given(tmp_path):
    kept = Kept(map_store(tmp_path))
    assert kept.seldom("what", lambda: 1) == 1
    kept._slow["what"] = (time.monotonic(), 0.0, 1)
    kept.close()
    assert kept.seldom("what", lambda: 2) == 1
