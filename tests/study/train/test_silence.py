"""A worker that cannot end itself is ended by the driver, and its pack goes on in another one."""

import os
import signal
from types import SimpleNamespace

import pytest

from study.store.database import Store
from study.train import silence
from study.train.silence import MOST_COUNTED_SECONDS, Silence, patience
from tests.support.driver import Driver, wait_for
from tests.support.studies import metrics, study_file, trained_file


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(silence, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def trial(name: str, hang_seconds: float) -> SimpleNamespace:
    return SimpleNamespace(trial_id=name, config={"settings": SimpleNamespace(hang_seconds=hang_seconds)})


def test_a_silent_worker_is_named_once_and_after_it_could_have_ended_itself(clock):
    heard, a, b = Silence(), trial("a", 100.0), trial("b", 1000.0)
    for each in (a, b):
        heard.broken_by(each)
    found = []
    for _ in range(200):
        clock.now += 1
        found += [(clock.now, each) for each in heard.look()]
    assert found == [(100 + patience(a) + 1, a)]
    assert patience(a) > 110
    heard.broken_by(a)  # another worker has got the pack
    clock.now += 1
    assert heard.look() == []


def test_who_says_something_or_is_done_is_not_silent(clock):
    heard, a, b = Silence(), trial("a", 10.0), trial("b", 10.0)
    for each in (a, b):
        heard.broken_by(each)
    heard.over(b)
    for _ in range(100):
        clock.now += 4
        heard.broken_by(a)
        assert heard.look() == []


def test_a_driver_that_was_held_up_itself_blames_nobody(clock):
    heard, a = Silence(), trial("a", 100.0)
    heard.broken_by(a)
    for _ in range(int(patience(a) / MOST_COUNTED_SECONDS)):
        clock.now += 10_000
        assert heard.look() == []
    clock.now += 10_000
    assert heard.look() == [a]


@pytest.mark.ray
def test_a_worker_that_was_stopped_is_ended_and_its_pack_goes_on(tmp_path):
    """All runs are in one pack, so that there is one worker, and the parts are its own."""
    study = study_file(tmp_path, seeds=2, horizon=3000, learning_rate=0.003)
    undisturbed = trained_file(study, tmp_path / "undisturbed", 8)
    store = tmp_path / "store"
    line = ["--compile", "off", "--pack-size", 8, "--flush-seconds", 0.1, "--hang-seconds", 30]
    with Driver(study, store, *line) as driver:
        assert wait_for(lambda: driver.others("ray::ImplicitFunc"), 600)
        [worker] = driver.others("ray::ImplicitFunc")
        assert wait_for(lambda: driver.parts() > 0, 600)
        os.kill(worker, signal.SIGSTOP)
        assert not driver.num_finished(), "stopped while it trains"
        code, _, err = driver.end(900)
    assert code == 0, err
    assert "Traceback" not in err
    assert metrics(Store.open(store)) == metrics(undisturbed)
    [(attempts,)] = Store.open(store).sql("select max(attempt) from attempts").fetchall()
    assert attempts >= 2
