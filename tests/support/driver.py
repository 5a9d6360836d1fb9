"""A `study run` as a process of its own, with all that it starts, for tests and benchmarks that break things."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.studies import command

RECONNECT_SECONDS = 5
"""Processes of a Ray whose head was killed wait for it to come back: Ray's agents, and workers that were just starting,
several times in a row (25 s seen). Ray's own limit for one time is a minute."""


class Driver:
    """A `study run` in a session of its own. On leaving, it and every process that it started are gone."""

    def __init__(self, study: Path | str, store: Path, *words: Any, call: str = "run", **env: str) -> None:
        """`call` is the command that trains, if another one; `words` are its options."""
        self.store, self.mark = store, f"{os.getpid()}-{time.monotonic_ns()}"
        line, environment = command(call, study, "--store", store, *words, STUDY_TEST_MARK=self.mark, **env)
        environment["RAY_gcs_rpc_server_reconnect_timeout_s"] = str(RECONNECT_SECONDS)
        self.process = subprocess.Popen(
            line,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
        )

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()
        assert wait_for(lambda: not kill_all(self.others()))

    def others(self, words: str = "") -> list[int]:
        """Processes that this driver started, whoever their parent is by now, with `words` in their command line."""
        return [
            pid for pid, text in processes(f"STUDY_TEST_MARK={self.mark}") if words in text and pid != self.process.pid
        ]

    def end(self, timeout: float = 300.0) -> tuple[int, str, str]:
        """How it ends by itself."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err

    def parts(self) -> int:
        return len(list((self.store / "parts").glob("*/0*.parquet")))

    def num_finished(self) -> int:
        """How many runs have left their packs, now and before."""
        return len(list((self.store / "checkpoints/runs").glob("*.safetensors")))


def kill_all(pids: list[int]) -> list[int]:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return pids


def processes(variable: str) -> list[tuple[int, str]]:
    """Processes with this variable in their environment, and their command lines."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((int(folder.name), (folder / "cmdline").read_text().replace("\0", " ")))
        except OSError:
            continue
    return [(pid, text) for pid, text in found if text]  # one without a command line is dead, and not yet buried


def wait_for(what: Callable[[], object], seconds: float = 300.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return False
