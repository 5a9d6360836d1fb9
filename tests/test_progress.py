"""The one line that says how far a study is."""

import pytest

from study.display import ProgressLine
from study.plan import Plan
from study.progress import Progress, duration
from tests.studies import MACHINE, make_plan, small


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (44.6, "45s"),
        (59.9, "1m00s"),
        (61, "1m01s"),
        (200, "3m20s"),
        (3599.9, "1h00m"),
        (7500, "2h05m"),
        (273_600, "3d04h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, text):
    assert duration(seconds) == text


class Watched:
    """A Progress on a clock that the test moves, and the lines that it says."""

    def __init__(self, plan: Plan) -> None:
        self.now, self.lines = 0.0, []
        self.progress = Progress(plan, self.lines.append, clock=lambda: self.now)

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
    assert watched.heard(20, plan.packs[0], 0) == "small: 0/8 runs - 0% of the steps - 20s - training"


def test_rate_and_time_left_are_measured_from_the_start_of_training(plan):
    watched = Watched(plan)
    watched.heard(100, plan.packs[0], 0)
    line = watched.heard(102, plan.packs[0], 30)
    assert line == "small: 0/8 runs - 25% of the steps - 1m42s - 60 run-steps/s - 6s left"
    watched.now = 105
    watched.progress.show()
    assert watched.lines[-1].endswith("60 run-steps/s - 3s left")


def test_a_study_that_goes_on_counts_what_it_had_in_the_share_and_not_in_the_rate(plan):
    for pack in plan.packs:
        object.__setattr__(pack, "start_step", 30)
    watched = Watched(plan)
    watched.progress.show()
    assert "50% of the steps" in watched.lines[-1]
    watched.heard(10, plan.packs[0], 30)
    line = watched.heard(20, plan.packs[0], 60, "finished")
    assert line == "small: 4/8 runs - 75% of the steps - 20s - 12 run-steps/s - 10s left"


def test_a_pack_that_is_tried_again_counts_its_finished_runs_once(plan):
    watched = Watched(plan)
    for _ in range(3):
        line = watched.heard(10, plan.packs[0], 60, "finished")
    assert line.startswith("small: 4/8 runs - 50%")


def test_a_run_that_ends_early_speeds_up_the_end_and_not_the_rate(plan):
    watched = Watched(plan)
    watched.heard(0, plan.packs[0], 0)
    line = watched.heard(10, plan.packs[0], 5, "finished")
    assert line == "small: 4/8 runs - 50% of the steps - 10s - 2 run-steps/s - 2m00s left"


def test_failed_packs_are_counted(plan):
    watched = Watched(plan)
    line = watched.heard(1, plan.packs[0], 0, error="boom")
    assert line.endswith("1 packs failed")


def test_elsewhere_than_on_a_terminal_a_line_is_said_every_ten_seconds(capsys):
    with ProgressLine() as line:
        for text in "abc":
            line.say(text)
    assert capsys.readouterr().err == "a\n"


def test_on_a_terminal_the_line_is_rewritten_in_place_and_never_wraps(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    with ProgressLine() as line:
        line.say("x" * 50)
        line.say("short")
    assert capsys.readouterr().err == f"\r{'x' * 19}\r{'short':19}\n"
