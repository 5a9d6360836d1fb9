"""A Ray that a study starts on this machine is reached from this machine alone."""

import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path

import ray

from study.plan.packing import Share
from study.train import nodes

nodes.start(1, "cpu", Share())
assert ray.get(ray.remote(lambda: 7).remote()) == 7
mine = ray.get_runtime_context().get_session_name()
sockets = set()
for process in Path("/proc").glob("[0-9]*"):
    try:
        if mine in (process / "cmdline").read_text():
            sockets |= {str(fd.readlink()) for fd in (process / "fd").iterdir()}
    except OSError:  # not ours, or it has ended
        continue
for table in ("tcp", "tcp6"):
    for line in Path("/proc/net", table).read_text().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == "0A" and f"socket:[{rest[5]}]" in sockets:
            print(local.partition(":")[0])
ray.shutdown()
"""
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@pytest.mark.ray
def test_no_server_of_ray_listens_to_other_machines():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    listening = done.stdout.split()
    assert len(listening) >= 3
    assert set(listening) <= LOOPBACK
