"""`ray up deploy/own_machines.yaml` for real. Three machines are this one: scripts in the place of ssh and rsync do
here what was to be done there. Then a study is submitted, and `ray down` leaves nothing behind."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from study.store.database import Store
from tests.support.driver import kill_all, processes, wait_for
from tests.support.nodes import free_port
from tests.support.studies import command

ROOT = Path(__file__).parents[3]
HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]

SSH = """#!/bin/bash
# Leaves out the options and the host and runs the rest here; each host has a home of its own.
while [ $# -gt 0 ]; do
  case "$1" in
    -o|-i|-L|-R|-p|-S) shift 2 ;;
    -*) shift ;;
    *) host="${1##*@}"; shift; break ;;
  esac
done
export HOME="$SHIMS/home_$host" STUDY_TEST_CLUSTER="$SHIMS"
mkdir -p "$HOME"
# A login shell has its own PATH.
[ -e "$HOME/.bashrc" ] || echo "export PATH=$SHIMS/bin:$VENV_BIN:\\$PATH" > "$HOME/.bashrc"
exec bash -c "$*"
"""
RSYNC = """#!/bin/bash
# Copies the last but one argument, a path here, to the last one, HOST:PATH.
from="${@: -2:1}"; to="${@: -1}"; host="${to%%:*}"; path="${to#*:}"
path="${path/#\\~/$SHIMS/home_${host##*@}}"
mkdir -p "$(dirname "$path")"
cp -rT "$from" "$path"
"""
RAY = """#!/bin/bash
# `ray stop` ends every Ray of this user: here only those of this test.
[ "$1" != stop ] && exec "$VENV_BIN/ray" "$@"
for folder in /proc/[0-9]*; do
  grep -qsz "^STUDY_TEST_CLUSTER=$SHIMS$" "$folder/environ" || continue
  grep -qsaE "raylet|gcs_server|monitor|dashboard" "$folder/cmdline" && kill -9 "${folder#/proc/}"
done
exit 0
"""


@pytest.fixture
def shims():
    """A folder with these scripts. Afterwards nothing that was started through them is left."""
    folder = Path(tempfile.mkdtemp(prefix="up", dir="/tmp"))
    (folder / "bin").mkdir()
    for name, text in {"ssh": SSH, "rsync": RSYNC, "ray": RAY}.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    try:
        yield folder
    finally:
        kill_all([pid for pid, _ in left_of(folder)])
        shutil.rmtree(folder, ignore_errors=True)


def left_of(shims: Path, words: str = "") -> list[tuple[int, str]]:
    return [found for found in processes(f"STUDY_TEST_CLUSTER={shims}") if words in found[1]]


def own_machines(shims: Path, port: int, dashboard: int) -> Path:
    """deploy/own_machines.yaml with these hosts, each of which is a node of one core, and nothing to install."""
    text = (ROOT / "deploy/own_machines.yaml").read_text().replace("6379", str(port)).replace("$RAY_HEAD_IP", HOSTS[0])
    (shims / "dist").mkdir()
    config = yaml.safe_load(text)
    config["provider"] |= {"head_ip": HOSTS[0], "worker_ips": HOSTS[1:]}
    config["file_mounts"] = {"~/dist": str(shims / "dist"), "~/.ray/auth_token": str(shims / "token")}
    config["setup_commands"] = []
    small = "--num-cpus=1 --object-store-memory=80000000 --min-worker-port=0 --max-worker-port=0 --disable-usage-stats"
    small += " --dashboard-agent-listen-port=0 --node-ip-address=127.0.0.1"
    head = f"--temp-dir={shims}/ray --dashboard-port={dashboard}"
    for kind, more in (("head", f"{small} {head}"), ("worker", small)):
        lines = config[f"{kind}_start_ray_commands"]
        config[f"{kind}_start_ray_commands"] = [lines[1].replace("ray start", f"ray start {more}", 1)]
    (shims / "cluster.yaml").write_text(yaml.safe_dump(config))
    return shims / "cluster.yaml"


@pytest.mark.ray
@pytest.mark.slow
def test_own_machines_come_up_train_a_study_and_go_down(shims, tmp_path):
    pytest.importorskip("aiohttp", reason="ray[default] is not installed")
    token = "0123456789abcdef" * 4
    (shims / "token").write_text(token)
    port = free_port()
    dashboard = port + 7
    file = own_machines(shims, port, dashboard)
    env = {
        "SHIMS": str(shims),
        "VENV_BIN": str(Path(sys.executable).parent),
        "PATH": f"{shims}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(shims / "home_caller"),
        "RAY_TMPDIR": str(shims),
        "RAY_UP_enable_autoscaler_v2": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "OMP_NUM_THREADS": "1",
    }

    def ray(*words: str) -> str:
        line = [str(Path(sys.executable).parent / "ray"), *words]
        done = subprocess.run(line, env=os.environ | env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (shims / "home_caller").mkdir()
    ray("up", str(file), "--yes", "--no-config-cache")
    assert wait_for(lambda: len(left_of(shims, "raylet/raylet")) == 3, 180), "the head and both workers"
    for host in HOSTS:
        assert (shims / f"home_{host}/.ray/auth_token").read_text() == token
        assert "RAY_AUTH_MODE=token" in (shims / f"home_{host}/.bashrc").read_text()
    to = ["--address", f"http://127.0.0.1:{dashboard}", "--store", tmp_path / "store", "--compile", "off"]
    line, all_env = command("submit", "first_map", *to, "--runs", 6, "--pack-size", 2, "--horizon", 100, **env)
    done = subprocess.run(line, env=all_env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "first_map: all 6 runs are in" in done.stdout
    rows = Store.open(tmp_path / "store").sql("select status, count(*)::integer from runs group by all").fetchall()
    assert rows == [("finished", 6)]
    ray("down", str(file), "--yes")
    assert wait_for(lambda: not left_of(shims), 60), left_of(shims)
