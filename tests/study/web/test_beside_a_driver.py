"""Readers of the live page while a real study trains: they get answers, and the study loses nothing."""

import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter

import pytest

from study.store.database import Store
from tests.study.web.studies import map_store
from tests.support.driver import wait_for
from tests.support.studies import HUNG_SECONDS, command, study_file, trained_file

READERS = 20
PAGES = ("", "study/small", "runs?study=small", "study/small/chart/phase_diagram", "sql?query=from+outcomes")


def read(address: str, over: threading.Event, found: Counter) -> None:
    """Ask for page after page until it is over; count the answers by page and status."""
    turn = 0
    while not over.is_set():
        path = PAGES[turn % len(PAGES)]
        turn += 1
        try:
            with urllib.request.urlopen(f"{address}{path}", timeout=120) as answer:
                answer.read()
                found[path, answer.status] += 1
        except urllib.error.HTTPError as error:
            found[path, error.code] += 1
        except OSError:
            if not over.wait(60):  # else the run is over, and the page with it
                found[path, 0] += 1


def answers(address: str) -> bool:
    """Whether there is a server."""
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.ray
def test_twenty_readers_in_a_loop_see_no_error_and_lose_no_row(tmp_path):
    path = study_file(tmp_path, horizon=400, learning_rate=0.003)
    alone = trained_file(path, tmp_path / "alone")
    line, environment = command("run", path, "--store", tmp_path / "read", "--serve", "--flush-seconds", "0.5",
                                "--compile", "off", "--pack-size", "2")  # fmt: skip
    over, found, readers = threading.Event(), Counter(), []
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as driver:
        assert driver.stderr is not None
        address = next(said.split()[-1] for said in driver.stderr if "the page is at" in said)
        deadline = time.monotonic() + HUNG_SECONDS
        while time.monotonic() < deadline and driver.poll() is None:  # until the study is planned
            try:
                urllib.request.urlopen(f"{address}study/small", timeout=120).close()
                break
            except OSError:
                time.sleep(0.1)
        for _ in range(READERS):
            readers.append(threading.Thread(target=read, args=(address, over, found)))
            readers[-1].start()
        rest = driver.stderr.read()
        over.set()
        assert driver.wait(HUNG_SECONDS) == 0, rest
    for reader in readers:
        reader.join()
    assert {status for _, status in found} <= {200}, found
    assert all(found[path, 200] for path in PAGES), found
    count = "select count(*), count(distinct (run_id, step, split, metric)) from metrics"
    read_store = Store.open(tmp_path / "read")
    assert read_store.sql(count).fetchall() == alone.sql(count).fetchall()
    assert read_store.sql("select distinct status from runs").fetchall() == [("finished",)]


@pytest.mark.ray
def test_the_page_ends_with_its_driver_however_that_ends(tmp_path):
    path = study_file(tmp_path, horizon=10**6, learning_rate=0.003)
    line, environment = command("run", path, "--store", tmp_path / "read", "--serve", "--compile", "off")
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as driver:
        assert driver.stderr is not None
        address = next(said.split()[-1] for said in driver.stderr if "the page is at" in said)
        urllib.request.urlopen(address, timeout=120).close()
        driver.kill()
    assert wait_for(lambda: not answers(address), 60)


def test_the_page_ends_quietly_when_its_driver_is_done(tmp_path):
    line = [sys.executable, "-m", "study", "serve", "--store", map_store(tmp_path).path, "--port", "0", "--beside"]
    for end in (subprocess.Popen.terminate, lambda page: page.stdin.close()):
        with subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as page:
            assert page.stderr is not None
            urllib.request.urlopen(page.stderr.readline().split()[-1], timeout=60).close()
            end(page)
            assert page.wait(30) in (0, -signal.SIGTERM)
            assert page.stderr.read() == ""
