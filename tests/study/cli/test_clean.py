"""What a store, a worker or somebody's file says cannot steer the terminal of who reads it."""

import io
import json
import os
import pty
import sys
import threading

import duckdb
import pytest

from study.cli.output import Clean, clean_streams
from study.cli.progress_line import ProgressLine
from study.store.derived import derive_all, make_tables
from study.store.printable import clean
from tests.support.studies import command

STEERING = ["\x1b", "\x07", "\r", "\x9b", "\u202e", "\u2066", "\x08"]
HOSTILE = "a\x1b[2J\x1b]0;owned\x07b\rc\x9b31md\u202ee\u2066f\x08g"
SHOWN = r"a\x1b[2J\x1b]0;owned\x07b\rc\x9b31md\u202ee\u2066f\x08g"
NAME = "small\x1b[31m\u202e"


@pytest.fixture
def hostile_store(fresh_store):
    """A study file, and a store whose texts would steer a terminal; its study is called NAME."""
    path, store = fresh_store
    with duckdb.connect(str(store / "study.duckdb")) as connection:
        spec = json.loads(connection.execute("select spec from studies").fetchall()[0][0])
        connection.execute("update studies set spec = ?", [json.dumps(spec | {"question": HOSTILE})])
        for table in ("studies", "study_runs"):
            connection.execute(f"update {table} set study = ?", [NAME])
        failed = "update attempts set status = 'failed', stop_reason = null, steps = 1, error = ?, host = ?, device = ?"
        connection.execute(failed, [HOSTILE] * 3)
        connection.execute("update run_specs set task = ?", [HOSTILE])
        connection.execute(
            "insert into parts values (?, 1, 'plan', 0, 0, 0, now()::timestamp, null, null, ?)", [HOSTILE, HOSTILE]
        )
        make_tables(connection)
        derive_all(connection)
    return path, store


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["status", "smal"],
        ["list", "own"],
        ["show", NAME],
        ["plan", NAME],
        ["phases", NAME],
        ["phases", NAME, "--x", "weight_decay"],
        ["phases", HOSTILE],
        ["report", NAME, "--out", f"{HOSTILE}.html"],
        ["claims", HOSTILE],
        ["sql", "select error, host from attempts limit 2"],
        ["sql", "select repeat(error, 9) as e, * exclude (error) from attempts limit 1"],
        ["sql", f'select 1 as "{HOSTILE}"'],
        ["sql", f"select '{HOSTILE}' frm runs"],
        ["extend", NAME, "--horizon", "30", "--where", f"'{HOSTILE}'"],
        ["ingest"],
        ["new", "task", HOSTILE],
        ["check", f"{HOSTILE}.py"],
        ["nothing", HOSTILE],
    ],
    ids=lambda words: ascii(" ".join(words))[:40],
)
def test_no_command_lets_data_steer_the_terminal(call, hostile_store, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    store = [] if words[0] in ("new", "check", "nothing") else ["--store", hostile_store[1]]
    said = call(*words, *store)
    assert said.out + said.err
    assert not [letter for letter in STEERING if letter in said.out + said.err], (said.out, said.err)
    assert "Traceback" not in said.err


def test_json_escapes_by_itself_and_data_in_a_file_stays_as_it_is(call, hostile_store):
    store = hostile_store[1]
    said = call("sql", "select error from attempts limit 1", "--json", "--store", store)
    assert json.loads(said.out) == [{"error": HOSTILE}]
    assert not [letter for letter in STEERING if letter in said.out]
    said = call("sql", "select error from attempts limit 1", "--format", "csv", "--store", store)
    assert said.bytes.decode() == f'"error"\n"{HOSTILE}"\n'


def test_csv_on_a_terminal_is_for_eyes(hostile_store):
    ours, theirs = pty.openpty()
    line, environment = command(
        "sql", "select error from attempts limit 1", "--format", "csv", "--store", hostile_store[1]
    )
    found = bytearray()

    def read() -> None:
        try:
            while piece := os.read(ours, 4096):
                found.extend(piece)
        except OSError:  # the other end was closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    pid = os.posix_spawn(
        line[0], line, environment, file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 1), (os.POSIX_SPAWN_DUP2, theirs, 2)]
    )
    _, status = os.waitpid(pid, 0)
    os.close(theirs)
    reader.join()
    os.close(ours)
    assert (status, found.decode()) == (0, f'"error"\r\n"{SHOWN}"\r\n')


def test_notes_and_the_live_line_are_clean_and_rewritten(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Clean(terminal))
    with ProgressLine() as line:
        line.show(HOSTILE[:20])
        line.say(HOSTILE)
    shown = clean(HOSTILE[:20])
    assert terminal.getvalue() == f"\r{shown}\x1b[K\r{SHOWN}\x1b[K\n{shown}\n"


def test_plain_text_is_as_it_was_and_streams_are_cleaned_once(monkeypatch):
    for text in ("", "tab\tline\n", "é 𝔘 █░ 10\xa0000", r"\x1b"):
        assert clean(text) == text
    assert clean(HOSTILE) == SHOWN
    assert clean("not\udcffutf") == r"not\udcffutf"
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    clean_streams()
    clean_streams()
    print(HOSTILE)
    assert sys.stdout.getvalue() == f"{SHOWN}\n"
