"""A stopwatch that is always within one span."""

from contextlib import suppress

import pytest

from trainables.stopwatch import Stopwatch


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_span_inside_another_one_counts_there_alone(clock: Clock):
    watch = Stopwatch("train", clock)
    clock.now += 1
    with watch.within("evaluate"):
        clock.now += 2
        with watch.within("compile"):
            clock.now += 4
        clock.now += 8
    clock.now += 16
    assert watch.seconds() == {"train": 17, "evaluate": 10, "compile": 4}


def test_it_is_in_the_outer_span_again_after_an_error(clock: Clock):
    watch = Stopwatch("train", clock)
    with suppress(ValueError), watch.within("save"):
        clock.now += 1
        raise ValueError
    clock.now += 2
    assert watch.seconds() == {"train": 2, "save": 1}


def test_what_was_taken_is_not_told_again(clock: Clock):
    watch = Stopwatch("prepare", clock)
    clock.now += 3
    assert watch.taken() == {"prepare": 3}
    assert watch.enter("train") == "prepare"
    clock.now += 1
    assert watch.taken() == {"prepare": 0, "train": 1}


def test_it_may_have_begun_earlier(clock: Clock):
    watch = Stopwatch("start", clock, since=90.0)
    assert watch.seconds() == {"start": 10}
