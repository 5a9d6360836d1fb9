"""What is wrong with the machine, or with a folder on it, is one line with the path and the way out."""

import ctypes
import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import study
from study.cli.os_errors import as_a_line
from study.train import local_ray
from tests.support.studies import command, run_cli
from trainables.limits import Limits

LIMITS = Limits(
    products_per_second={"float32": 2e11, "tf32": 2e11, "bfloat16": 1e11}, bytes_per_second=2e10, call_seconds=1e-6
)
PR_CAPBSET_DROP, OVERRIDE, SEARCH = 24, 1, 2


def without_override() -> None:
    """Root too may then write only where the permissions say so. In the child, before it becomes the program."""
    libc = ctypes.CDLL(None)
    for capability in (OVERRIDE, SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.fixture
def read_only(trained_store, tmp_path):
    """A finished study in a store that may be read and not written."""
    path, store = trained_store
    shutil.copytree(store, tmp_path / "store")
    os.chmod(tmp_path / "store", 0o555)
    for folder, _, files in os.walk(tmp_path / "store"):
        for place in (folder, *(os.path.join(folder, file) for file in files)):
            os.chmod(place, 0o555)
    yield path, tmp_path / "store"
    for folder, _, _ in os.walk(tmp_path / "store"):
        os.chmod(folder, 0o755)


def call_as_told(*words: object) -> subprocess.CompletedProcess:
    line, env = command(*words)
    return subprocess.run(
        line, env=env, capture_output=True, text=True, timeout=120, check=False, preexec_fn=without_override
    )


def test_a_store_that_cannot_be_written_to_is_planned_and_read(read_only):
    path, store = read_only
    planned = call_as_told("plan", path, "--seeds", 3, "--store", store, "--json")
    assert planned.returncode == 0, planned.stderr
    assert [json.loads(planned.stdout)[name] for name in ("planned", "finished", "missing")] == [12, 8, 4]
    assert planned.stderr == (
        f"study: store '{store}' cannot be written to: parts that are not in study.duckdb yet are not counted.\n"
    )
    assert call_as_told("status", "--store", store).returncode == 0


@pytest.mark.parametrize(
    "words", [["run", "FILE"], ["report", "small"], ["ingest"], ["extend", "small", "--horizon", 99], ["probe", "FILE"]]
)
def test_a_store_that_cannot_be_written_to_is_named_by_all_that_write(read_only, words):
    path, store = read_only
    said = call_as_told(*(path if word == "FILE" else word for word in words), "--store", store)
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1), said.stderr
    assert said.stderr.startswith(f"study: '{store}/"), said.stderr
    assert "Permission denied. Look at its permissions" in said.stderr


def test_doctor_says_that_a_store_cannot_be_written_to(read_only):
    said = call_as_told("doctor", "--store", read_only[1], "--json")
    [row] = [row for row in json.loads(said.stdout) if row["check"] == "storage"]
    assert (said.returncode, row["ok"]) == (1, "no")
    assert "cannot be written to (Permission denied); it can be read. Train with another --store." in row["found"]


LONG = f"/tmp/{'x' * 90}"
PLACES = {
    "a long folder for sockets": ({"RAY_TMPDIR": "", "TMPDIR": LONG}, f"TMPDIR '{LONG}' is too long by "),
    "a long folder of Ray's own": ({"RAY_TMPDIR": LONG}, f"RAY_TMPDIR '{LONG}' is too long by "),
    "no folder for files": ({"RAY_TMPDIR": "/dev/null/x"}, "RAY_TMPDIR '/dev/null/x' needs '/dev/null' to be a folder"),
    "a home that is a file": ({"HOME": "/dev/null"}, "Set HOME to a folder of yours: HOME=/tmp."),
    "a home that is nowhere": ({"HOME": "/proc/self/none"}, "HOME '/proc/self/none' cannot be written to"),
    "an address of jobs": (
        {"RAY_ADDRESS": "http://127.0.0.1:8265"},
        "RAY_ADDRESS 'http://127.0.0.1:8265' is of a",
    ),
}


@pytest.mark.parametrize(("env", "says"), PLACES.values(), ids=PLACES)
def test_where_no_ray_can_be_started_the_reason_is_one_line_before_any_work(trained_store, tmp_path, env, says):
    said = run_cli("run", trained_store[0], "--store", tmp_path / "store", **env)
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1), said.stderr
    assert said.stderr.startswith("study: ")
    assert says in said.stderr
    assert not list((tmp_path / "store").rglob("*.parquet")), "nothing was planned"


def test_doctor_says_where_no_ray_can_be_started(call, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", LONG)
    rows = {row["check"]: row for row in json.loads(call("doctor", "--store", tmp_path, "--json").out)}
    assert rows["ray"]["ok"] == "no"
    assert "RAY_TMPDIR=/tmp" in rows["ray"]["found"]


def test_a_folder_is_too_long_exactly_where_its_sockets_are(monkeypatch):
    socket = local_ray.SOCKET.format(pid=os.getpid())
    longest = "/tmp/" + "x" * (local_ray.SOCKET_BYTES - len(f"/tmp//{socket}"))
    monkeypatch.setenv("RAY_TMPDIR", longest)
    assert local_ray.trouble() == ""
    monkeypatch.setenv("RAY_TMPDIR", f"{longest}x")
    assert "is too long by 1 bytes" in local_ray.trouble()


def test_a_token_that_is_given_needs_no_home(monkeypatch):
    monkeypatch.setenv("HOME", "/dev/null")
    assert "HOME" in local_ray.trouble()
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    assert local_ray.trouble() == ""


def test_errors_on_what_is_the_users_are_lines_and_ours_are_not():
    def line(number: int, path: str | None) -> str | None:
        return as_a_line(OSError(number, os.strerror(number), path))

    assert (
        line(errno.EROFS, "/mnt/a") == "'/mnt/a': Read-only file system. Give another place, which can be written to."
    )
    assert line(errno.EACCES, "/mnt/.page.html.123.tmp") == (
        "'/mnt/page.html': Permission denied. Look at its permissions and those of its folder, or give another place "
        "(--store, --out)."
    )
    assert str(line(errno.EIO, "/mnt/a")).startswith("'/mnt/a': Input/output error. ")
    assert "the disk is full" in str(line(errno.ENOSPC, None))
    assert line(errno.ECONNREFUSED, None) is None
    assert line(errno.ENOENT, str(Path(study.__file__).parent / "store/sql/none.sql")) is None


@pytest.fixture
def doctor(call, tmp_path, monkeypatch):
    """What `study doctor` says of one check, with a home and a folder for Ray's files of one's own."""
    for name in ("home", "ray"):
        (tmp_path / name).mkdir(mode=0o700)
    # As in a home that others may look into: pytest's own folders let nobody in.
    monkeypatch.setattr(local_ray, "_mode", lambda path: os.stat(path).st_mode | 0o011 * path.is_dir())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "ray"))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(local_ray, "SOCKET", "")  # the folder is a long one

    def said(check: str) -> tuple[str, str]:
        rows = {row["check"]: row for row in json.loads(call("doctor", "--store", tmp_path, "--json").out)}
        return rows[check]["ok"], rows[check]["found"]

    return said


@pytest.mark.parametrize("variable", ["", "RAY_AUTH_TOKEN_PATH"])
@pytest.mark.parametrize(("mode", "who"), [(0o644, "its group"), (0o604, "everybody"), (0o640, "its group")])
def test_doctor_warns_of_a_token_that_others_can_read(doctor, tmp_path, monkeypatch, variable, mode, who):
    token = tmp_path / ("token" if variable else "home/.ray/auth_token")
    if variable:
        monkeypatch.setenv(variable, str(token))
    token.parent.mkdir(exist_ok=True)
    token.write_text("0" * 64)
    token.chmod(mode)
    ok, found = doctor("authentication")
    assert ok == "no"
    assert found.startswith(f"{who} can read '{token}'")
    assert found.endswith(f"chmod 600 '{token}'.")
    token.chmod(0o600)
    assert doctor("authentication")[0] != "no"


def test_a_token_in_a_folder_that_lets_nobody_in_is_read_by_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "closed/token"))
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed/token").write_text("0" * 64)
    (tmp_path / "closed/token").chmod(0o644)
    assert local_ray.readers_of_token() == ""


def test_a_token_that_is_made_here_is_for_its_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    local_ray.make_token()
    token = tmp_path / ".ray/auth_token"
    assert (token.stat().st_mode & 0o777, len(token.read_text())) == (0o600, 64)
    local_ray.make_token()
    assert len(token.read_text()) == 64


def test_doctor_warns_of_a_folder_for_rays_files_in_which_others_may_write(doctor, tmp_path):
    folder = tmp_path / "ray"
    assert doctor("ray")[0] == "yes"
    folder.chmod(0o777)
    ok, found = doctor("ray")
    assert ok == "no"
    assert f"others may replace what is in '{folder}'" in found
    assert "export RAY_TMPDIR=/tmp/mine" in found
    folder.chmod(0o1777)
    assert doctor("ray")[0] == "yes"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders to others")
def test_doctor_warns_where_the_folder_of_rays_sessions_is_somebody_elses(doctor, tmp_path):
    (tmp_path / "ray/ray").mkdir()
    os.chown(tmp_path / "ray/ray", 12345, -1)
    ok, found = doctor("ray")
    assert ok == "no"
    assert "belongs to another user (id 12345)" in found
    assert "export RAY_TMPDIR=/tmp/mine" in found


def test_doctor_measures_when_it_is_asked_to(call, tmp_path, monkeypatch):
    monkeypatch.setattr("trainables.calibration.calibrate", lambda device, found: found("all", 1.0) or LIMITS)
    store = tmp_path / "new"

    def row():
        return next(line for line in call("doctor", "--store", store).out.splitlines() if "calibration" in line)

    assert "`study doctor --calibrate` measures it" in row()
    assert not store.exists()
    said = call("doctor", "--store", store, "--calibrate")
    assert said.err.splitlines()[1] == "study: measuring all"
    assert "0.2 in float32, 0.2 in tf32, 0.1 in bfloat16 TFLOP/s, copies 20 GB/s, a call 1 us" in row()
    assert call("status", "--store", store).code == 2, "it is no store yet"
