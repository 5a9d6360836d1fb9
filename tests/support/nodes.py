"""Several Ray nodes on this machine, as separate processes in a folder of their own, with a token that they ask for."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.driver import RECONNECT_SECONDS, kill_all, processes, wait_for

OBJECT_STORE_BYTES = 80_000_000


def free_port() -> int:
    """A port that nobody listens on. Below 10000, where Ray's workers have theirs, nobody is given one by chance."""
    for port in range(6500 + os.getpid() % 1000, 10_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


class Cluster:
    """So many nodes with one core each; the first is the head. On leaving, every process of it is gone. `within` are
    words before each line that starts a node."""

    def __init__(self, num_nodes: int, *, dashboard: bool = False, within: Sequence[str] = ()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # paths of sockets must be short
        self.address = f"127.0.0.1:{free_port()}"
        self.num_nodes, self.dashboard, self.within = num_nodes, dashboard, within
        self.env = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
            "RAY_TMPDIR": str(self.folder),
            "STUDY_TEST_CLUSTER": str(self.folder),
            "RAY_gcs_rpc_server_reconnect_timeout_s": str(RECONNECT_SECONDS),
            "OMP_NUM_THREADS": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # a job is a line for the shell
        }

    def __enter__(self) -> "Cluster":
        try:
            port = self.address.split(":")[1]
            words = ["--head", f"--port={port}", f"--temp-dir={self.folder}", "--num-cpus=1"]
            self.start(*words, *(self.dashboard_words() if self.dashboard else ["--include-dashboard=false"]))
            for _ in range(self.num_nodes - 1):
                self.start(f"--address={self.address}", "--num-cpus=1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        assert wait_for(lambda: not kill_all([pid for pid, _ in self.processes()]))
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *words: str, within: Sequence[str] = ()) -> None:
        """A node, with ports that nobody else has; `within` are words before the line that starts it."""
        ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start"]
        ports = ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        memory = f"--object-store-memory={OBJECT_STORE_BYTES}"
        done = subprocess.run(
            [
                *(within or self.within),
                *ray,
                *words,
                *ports,
                memory,
                "--disable-usage-stats",
                "--node-ip-address=127.0.0.1",
            ],
            env=os.environ | self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def dashboard_words(self) -> list[str]:
        self.url = f"http://127.0.0.1:{free_port() + 1}"
        return ["--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={self.url.split(':')[-1]}"]

    def processes(self, words: str = "") -> list[tuple[int, str]]:
        """Processes of the cluster with `words` in their command line, the oldest first."""
        return sorted(found for found in processes(f"STUDY_TEST_CLUSTER={self.folder}") if words in found[1])

    def workers(self, words: str) -> dict[int, list[int]]:
        """Processes of each node, by its raylet, the head's first."""
        raylets = [pid for pid, _ in self.processes("raylet/raylet")]
        children = self.processes(words)
        return {raylet: [pid for pid, _ in children if parent(pid) == raylet] for raylet in raylets}


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
