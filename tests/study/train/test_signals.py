"""What ends `study run` from outside ends it as Ctrl-C does: at once, in order, and with it all that it has started.

Ctrl-C and SIGTERM themselves are in test_run.py.
"""

import os
import pty
import signal
import subprocess
import time

import pytest

from study.store.database import Store
from study.train.interrupts import end_as_ctrl_c_does
from tests.support.driver import kill_all, processes, wait_for
from tests.support.studies import command, study_file

LINE = ["--compile", "off", "--flush-seconds", 0.2]
GONE_SECONDS = 60.0


@pytest.mark.ray
def test_a_terminal_that_is_closed_ends_the_workers_too(tmp_path):
    store, mark = tmp_path / "store", f"hup-{os.getpid()}-{time.monotonic_ns()}"
    study = study_file(tmp_path, horizon=10**6)
    line, env = command("run", study, "--store", store, *LINE, STUDY_TEST_MARK=mark, TERM="xterm")
    terminal, end = pty.openpty()
    driver = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *line],
        env=env,
        stdin=end,
        stdout=end,
        stderr=end,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # where the tests run under nohup
    )
    os.close(end)
    try:
        assert wait_for(lambda: len(list((store / "parts").glob("*/0*.parquet"))) >= 2), "packs are training"
        os.close(terminal)
        assert driver.wait(GONE_SECONDS) == 130
        assert wait_for(lambda: not [text for _, text in processes(f"STUDY_TEST_MARK={mark}") if "ray::" in text], 2)
    finally:
        driver.kill()
        driver.wait()
        kill_all([pid for pid, _ in processes(f"STUDY_TEST_MARK={mark}")])
    opened = Store.open(store, write=True)
    opened.ingest()
    assert opened.sql("select count(*)::integer from runs").fetchall() == [(8,)]
    assert not (store / ".tune").exists()


def test_what_a_process_was_told_to_ignore_stays_ignored():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        end_as_ctrl_c_does()
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
