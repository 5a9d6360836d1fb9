"""The live line: it fits the terminal, is rewritten in place, and leaves notes alone."""

import pytest

from study.cli.progress_line import ProgressLine, fitted
from study.train.standing import Standing

PHASES = {"grokking": 20, "comprehension": 18, "memorization": 11, "confusion": 7}
NOW = Standing("first_map", 67, 128, 0.523, 95, True, 4120.3, 80, 1, 0, PHASES)
LONG = Standing("modular_addition_decay_paper", 67, 600, 0.123, 95, True, 412345, 8000, 1, 2, PHASES)
STATES = [
    NOW,
    LONG,
    Standing("a", 0, 8, 0, 3, False),
    Standing("a", 0, 8, 0, 3),
    Standing("a", 8, 8, 1, 3, phases=PHASES),
    Standing("a", 1, 8, 0.99, 300, True, 1, -4, 70),
]


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of so many columns."""

    def of(columns: int, kind: str = "xterm") -> None:
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        monkeypatch.setenv("TERM", kind)
        monkeypatch.setenv("COLUMNS", str(columns))

    return of


def test_eighty_columns_hold_bar_percentage_runs_phases_rate_and_time_left():
    assert fitted(NOW, 79) == "first_map █████░░░░░ 52%  67/128  20 grokking +36  4,120 steps/s  1m20s left"


def test_a_wider_line_has_more_phases_and_the_time_so_far():
    assert fitted(NOW, 150) == (
        "first_map █████░░░░░ 52%  67/128  20 grokking, 18 comprehension, 11 memorization, 7 confusion  1m35s so far  "
        "4,120 steps/s  1m20s left"
    )


def test_a_narrower_line_leaves_out_what_matters_least():
    assert fitted(NOW, 59) == "first_map ██░░░ 52%  67/128  20 grokking +36  1m20s left"
    assert fitted(NOW, 39) == "first_map ██░░░ 52%  67/128  1m20s left"
    assert fitted(NOW, 26) == "first_map 52%  1m20s left"
    assert fitted(NOW, 15) == "52%  1m20s left"
    assert fitted(LONG, 79) == "modular_addition_.. ░░░░░ 12%  67/600  412k steps/s  2h13m left  2 packs failed"


@pytest.mark.parametrize("now", STATES, ids=str)
def test_it_fits_every_width_and_always_says_how_much_is_done(now):
    for width in range(4, 200):
        line = fitted(now, width)
        assert len(line) <= width
        assert now.percent in line


def test_where_the_terminal_has_no_blocks_the_bar_is_plain(monkeypatch):
    monkeypatch.setattr("sys.stderr", type("Plain", (), {"encoding": "ascii"})())
    assert "#####....." in fitted(NOW, 79)


def test_on_a_terminal_the_line_is_rewritten_in_place_and_never_wraps(capsys, terminal):
    terminal(20)
    with ProgressLine() as line:
        line.show("x" * 50)
        line.show("short")
    assert capsys.readouterr().err == f"\r{'x' * 19}\x1b[K\rshort\x1b[K\n"


def test_the_line_follows_the_width_of_the_terminal(capsys, terminal):
    terminal(80)
    with ProgressLine() as line:
        line.say(NOW)
        terminal(40)
        line.say(NOW)
    assert capsys.readouterr().err == f"\r{fitted(NOW, 79)}\x1b[K\r{fitted(NOW, 39)}\x1b[K\n"


def test_a_note_stays_above_the_line(capsys, terminal):
    terminal(80)
    with ProgressLine() as line:
        line.show("50%")
        line.say("a study file is broken")
    assert capsys.readouterr().err == "\r50%\x1b[K\ra study file is broken\x1b[K\n50%\n"


def test_elsewhere_than_on_a_terminal_a_line_is_said_every_ten_seconds_and_every_note(capsys):
    with ProgressLine() as line:
        for _ in range(3):
            line.say(NOW)
        line.say("a note")
        line.say("another")
    assert capsys.readouterr().err == f"{NOW}\na note\nanother\n"


def test_a_terminal_that_can_do_nothing_gets_plain_lines(capsys, terminal):
    terminal(80, "dumb")
    with ProgressLine() as line:
        line.say(NOW)
    assert capsys.readouterr().err == f"{NOW}\n"
