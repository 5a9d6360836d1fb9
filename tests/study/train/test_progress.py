"""How far a study is, how fast it goes and when it will be done, from heartbeats."""

import time

import duckdb
import pytest

from study.plan.plan import Plan
from study.store.database import Store
from study.train.durations import between, duration, roughly
from study.train.pace import Pace
from study.train.phases_so_far import PhasesSoFar
from study.train.progress import Progress
from study.train.standing import Standing
from tests.support.studies import MACHINE, make_plan, small, trained
from trainables.schedule import evaluation_steps


def test_a_duration_has_two_units_at_most(subtests):
    for seconds, text in [
        (0, "0s"),
        (44.6, "45s"),
        (59.9, "1m00s"),
        (61, "1m01s"),
        (200, "3m20s"),
        (3599.9, "1h00m"),
        (7500, "2h05m"),
        (273_600, "3d04h"),
    ]:
        with subtests.test(seconds=seconds, text=text):
            assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (45, "45 s"),
        (80, "1 min"),
        (5000, "83 min"),
        (20_000, "6 h"),
        (2e6, "23 days"),
        (1e8, "3.17 years"),
    ],
)
def test_a_guess_has_one_unit(seconds, text):
    assert roughly(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (40, "20 s to 1 min"),
        (20, "10 to 40 s"),
        (100, "50 s to 3 min"),
        (600, "5 to 20 min"),
        (1e9, "15.8 to 63.4 years"),
    ],
)
def test_a_guess_that_may_be_wrong_is_a_range(seconds, text):
    assert between(seconds, 2) == text


class Watched:
    """A Progress on a clock that the test moves, and the lines that it says."""

    def __init__(self, plan: Plan) -> None:
        self.now, self.lines = 0.0, []
        self.progress = Progress(plan, self.say, clock=lambda: self.now)

    def say(self, standing: Standing) -> None:
        self.lines.append(str(standing))

    def heard(self, now: float, pack, steps: int, status: str = "running", **more: str) -> str:
        self.now = now
        states = dict.fromkeys(pack.run_ids, (steps, status))
        self.progress.heard({"pack_id": pack.pack_id, "states": states, **more})
        return self.lines[-1]


@pytest.fixture
def plan() -> Plan:
    """Two packs of four runs, 60 steps each."""
    return make_plan(small(), None, MACHINE, pack_size=4)


def test_before_the_first_pack_starts_there_is_no_rate(plan):
    watched = Watched(plan)
    watched.now = 12
    watched.progress.show()
    assert watched.lines == ["small: 0/8 runs - 0% of the steps - 12s - starting workers"]
    assert watched.heard(20, plan.packs[0], 0) == "small: 0/8 runs - 0% of the steps - 20s - estimating"


def test_rate_and_time_left_are_measured_from_the_first_steps_on_and_once_they_are_steady(plan):
    watched = Watched(plan)
    for now, steps in ((100, 0), (130, 6), (140, 16)):
        line = watched.heard(now, plan.packs[0], steps)
    assert line == "small: 0/8 runs - 13% of the steps - 2m20s - 4 run-steps/s - estimating"
    line = watched.heard(150, plan.packs[0], 26)
    assert (
        line == "small: 0/8 runs - 21% of the steps - 2m30s - 4 run-steps/s - 1m30s left"
    )  # 34, then 5/8 of 30 and 60: the other pack has as many fewer examples
    watched.now = 160
    watched.progress.show()
    assert watched.lines[-1].endswith("4 run-steps/s - 1m20s left")


def test_while_steps_come_faster_and_faster_no_end_is_told(plan):
    """As in the first steps, among which evaluations are dense."""
    watched = Watched(plan)
    for now, steps in ((0, 0), (10, 1), (20, 2), (30, 5), (40, 14)):
        assert watched.heard(now, plan.packs[0], steps).endswith("estimating")
    for now, steps in ((50, 23), (60, 32), (70, 41)):
        line = watched.heard(now, plan.packs[0], steps)
    assert line.endswith("s left")


def test_a_study_that_goes_on_counts_what_it_had_in_the_share_and_not_in_the_rate(plan):
    for pack in plan.packs:
        object.__setattr__(pack, "start_step", 30)
    watched = Watched(plan)
    watched.progress.show()
    assert "50% of the steps" in watched.lines[-1]
    for now, steps in ((0, 30), (10, 33), (20, 43), (30, 53)):
        line = watched.heard(now, plan.packs[0], steps)
    assert line == "small: 0/8 runs - 69% of the steps - 30s - 4 run-steps/s - 32s left"  # 7, then 5/8 of 10 and 30


def test_a_pack_that_is_tried_again_counts_its_finished_runs_once(plan):
    watched = Watched(plan)
    for _ in range(3):
        line = watched.heard(10, plan.packs[0], 60, "finished")
    assert line.startswith("small: 4/8 runs - 50%")


def test_a_run_that_ends_early_speeds_up_the_end_and_not_the_rate(plan):
    watched = Watched(plan)
    for now, steps in ((0, 6), (10, 10), (20, 14)):
        watched.heard(now, plan.packs[0], steps)
    assert watched.lines[-1].endswith(" - 2 run-steps/s - 3m28s left")
    line = watched.heard(20, plan.packs[0], 14, "finished")
    assert line == "small: 4/8 runs - 50% of the steps - 20s - 2 run-steps/s - 12s left"  # the other may end early, too


def test_failed_packs_are_counted(plan):
    watched = Watched(plan)
    line = watched.heard(1, plan.packs[0], 0, error="boom")
    assert line.endswith("1 pack failed")
    assert watched.heard(2, plan.packs[1], 0, error="boom").endswith("2 packs failed")


def test_the_rate_is_that_of_the_last_minute(plan):
    watched = Watched(plan)
    for now, steps in ((0, 0), (10, 1), (30, 2), (40, 3), (101, 12)):
        line = watched.heard(now, plan.packs[0], steps)
    assert " - 1 run-steps/s - " in line  # 36 run-steps in the 61 seconds since the 40th


def test_the_start_with_its_compilers_does_not_count(plan):
    watched = Watched(plan)
    for now, steps in ((0, 0), (30, 5), (40, 15), (50, 25)):
        line = watched.heard(now, plan.packs[0], steps)
    assert " - 4 run-steps/s - " in line  # 20 steps of four runs in twenty seconds, not 25 in fifty


def test_the_end_is_that_of_the_slowest_pack(plan):
    watched = Watched(plan)
    for now, steps in ((0, (9, 41)), (10, (10, 50)), (20, (11, 59))):
        for pack, done in zip(plan.packs, steps, strict=True):
            line = watched.heard(now, pack, done)
    assert line.endswith("8m10s left")  # 49 steps at one in ten seconds


def test_when_the_estimate_has_passed_no_time_is_made_up(plan):
    watched = Watched(plan)
    for now, pack, steps in ((0, 1, 60), (0, 0, 10), (10, 0, 30), (20, 0, 50)):
        watched.heard(now, plan.packs[pack], steps, "finished" if pack else "running")
    watched.now = 30
    watched.progress.show()
    assert watched.lines[-1].endswith("any moment")
    watched.now = 110
    watched.progress.show()
    assert watched.lines[-1].endswith("quiet for 1m30s")


def test_a_pack_is_said_to_compile_until_a_step_is_heard(plan):
    watched = Watched(plan)

    def begins(now: float, pack) -> str:
        watched.now = now
        watched.progress.heard({"pack_id": pack.pack_id, "states": {}, "compiling": True})
        return watched.lines[-1]

    assert begins(3, plan.packs[0]) == "small: 0/8 runs - 0% of the steps - 3s - compiling"
    assert watched.heard(20, plan.packs[0], 0).endswith("compiling"), "an evaluation is compiled first"
    assert watched.heard(30, plan.packs[0], 6).endswith("estimating")
    for now, steps in ((40, 11), (50, 16)):
        watched.heard(now, plan.packs[0], steps)
    assert begins(51, plan.packs[1]).endswith(" left, 1 compiling")
    assert watched.heard(52, plan.packs[1], 0, error="boom", blame="pack").count("compiling") == 0


def test_packs_that_still_wait_take_their_starts_into_the_estimate(plan):
    """The one that trains took half a minute until its first step was heard, and the other will."""
    watched = Watched(plan)
    for now, steps in ((0, 0), (30, 10), (40, 15), (50, 20)):
        line = watched.heard(now, plan.packs[0], steps)
    assert line.endswith("2m53s left")  # 80 s, then 5/8 of 30 and 120


def test_all_is_not_done_before_the_last_step(plan):
    watched = Watched(plan)
    watched.heard(0, plan.packs[0], 60, "finished")
    assert " 99% " in watched.heard(10, plan.packs[1], 59)
    assert watched.heard(11, plan.packs[1], 60, "finished").startswith("small: 8/8 runs - 100% of the steps")
    assert watched.lines[-1].endswith(" - done")


# The phases so far.


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store.open(tmp_path / "store", write=True)
    trained(small(), store)
    return store


def test_the_phases_so_far_are_in_the_line(plan, store):
    counts = PhasesSoFar(store, small())
    said: list[str] = []
    progress = Progress(plan, lambda standing: said.append(str(standing)), phases=counts)
    progress.show()
    progress.refresh()
    assert "confusion" not in said[0]
    assert list(counts.counts.values()) == sorted(counts.counts.values(), reverse=True)
    assert sum(counts.counts.values()) == 8
    phase, runs = next(iter(counts.counts.items()))
    assert f" - {runs} {phase}" in said[1]


def test_the_store_is_asked_now_and_then_and_never_waited_for(store, monkeypatch):
    counts, asked = PhasesSoFar(store, small()), []
    sql = Store.sql
    monkeypatch.setattr(Store, "sql", lambda *words, **more: asked.append(more) or sql(*words, **more))
    for _ in range(5):
        counts.look()
    assert asked == [{"timeout": 0}]
    counts.look(at_once=True)  # as at the end
    assert asked == [{"timeout": 0}] * 2
    counts.next_at = 0
    before = counts.counts
    with duckdb.connect(store.path / "study.duckdb"):  # somebody writes
        begin = time.monotonic()
        counts.look()
        assert time.monotonic() - begin < 2
    assert counts.counts == before
    assert counts.next_at > time.monotonic()


# Sequences of events: an end that is told is within a factor of two.


def heartbeats(packs: int, workers: int, horizon: int, start: float, step: float, evaluation: float, flush: float):
    """When packs are heard on so many workers, as (time, pack, steps): each takes `start` seconds until its first step,
    then `step` seconds for each and `evaluation` for each of 24 a decade, and says how far it is every `flush` seconds.
    """
    free, events = [0.0] * workers, []
    for pack in range(packs):
        now = heard = min(free)
        worker = free.index(now)
        events.append((now, pack, 0))
        now += start
        evaluations = set(evaluation_steps(horizon))
        for done in range(1, horizon + 1):
            now += step + evaluation * (done in evaluations)
            if done == horizon or now - heard > flush:
                events.append((now, pack, done))
                heard = now
        free[worker] = now
    return sorted(events), max(free)


@pytest.mark.parametrize(
    ("packs", "workers", "horizon", "start", "step", "evaluation", "flush"),
    [
        (2, 2, 3000, 24.0, 0.02, 0.3, 10.0),  # a study of a minute and a half, most of it before the first estimate
        (8, 2, 1000, 60.0, 0.2, 1.0, 10.0),
        (4, 2, 20_000, 90.0, 0.01, 2.0, 10.0),  # long compiling, dear evaluations
        (1, 2, 100_000, 24.0, 0.005, 0.1, 10.0),
        (12, 3, 400, 5.0, 1.0, 5.0, 10.0),
        (30, 4, 2000, 2.0, 0.03, 0.05, 10.0),
        (6, 2, 500, 200.0, 2.0, 0.5, 30.0),
    ],
)
def test_an_end_that_is_told_is_within_a_factor_of_two(packs, workers, horizon, start, step, evaluation, flush):
    events, end = heartbeats(packs, workers, horizon, start, step, evaluation, flush)
    pace, trained, begun, told = Pace(), [0] * packs, set(), 0
    for now, pack, steps in events:
        trained[pack] = 8 * steps
        begun.add(pack)
        pace.heard(now, sum(trained), str(pack), None if steps == horizon else steps, horizon)
        guess = pace.seconds_left(now, horizon, [1.0] * (packs - len(begun)))
        if guess is not None and end - now > 2 * flush:
            told += 1
            assert 0.5 <= guess / (end - now) <= 2, f"at {now:.0f} of {end:.0f} s: {guess:.0f} s left"
    assert told >= 3, "and one is told before the last seconds"
