"""`study submit`: a study as a job of a cluster that asks for a token, followed to its end or left running."""

import json
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from study.spec import find
from study.store.database import Store
from study.train import jobs
from tests.support.driver import wait_for
from tests.support.nodes import Cluster
from tests.support.own_parts import own_study
from tests.support.studies import command, run_cli, study_file
from trainables.errors import SpecError

WORDS = ["--seeds", 1, "--compile", "off", "--flush-seconds", 0.1]


def states(nodes: Cluster) -> dict[str, str]:
    """The state of each job, by its id, as the dashboard says it to who has the token."""
    headers = {"Authorization": f"Bearer {nodes.env['RAY_AUTH_TOKEN']}"}
    with urllib.request.urlopen(urllib.request.Request(f"{nodes.url}/api/jobs/", headers=headers)) as answer:
        return {job["submission_id"]: job["status"] for job in json.load(answer) if job["submission_id"]}


@pytest.mark.ray
@pytest.mark.slow
def test_a_study_file_runs_as_a_job_and_one_that_is_left_goes_on(tmp_path):
    pytest.importorskip("aiohttp", reason="ray[default] is not installed")
    short, store = own_study(tmp_path / "here"), tmp_path / "store"
    long = study_file(tmp_path / "here", "long", horizon=1_000_000)
    with Cluster(num_nodes=1, dashboard=True) as nodes:
        to = ["--address", nodes.url, "--store", store, *WORDS]
        stranger = run_cli("submit", short, *to, RAY_AUTH_MODE="disabled")
        done = run_cli("submit", short, *to, **nodes.env)
        failed = run_cli("submit", short, *to[:3], short, **nodes.env)  # a store cannot be where a file is
        line, env = command("submit", long, *to[:3], tmp_path / "long", *WORDS, **nodes.env)
        left = subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert wait_for(lambda: list((tmp_path / "long/parts").glob("*/0*.parquet")))
            left.send_signal(signal.SIGINT)
            _, said = left.communicate(timeout=60)
        finally:
            left.kill()
            left.communicate()
        after = states(nodes)
    assert (stranger.returncode, stranger.stderr.count("\n")) == (2, 1), stranger.stderr
    assert "RAY_AUTH_MODE=token" in stranger.stderr
    assert done.returncode == 0, done.stderr
    assert "own: all 2 runs are in; unified: " in done.stdout
    assert Store.open(store).sql("select status, count(*)::integer from runs group by all").fetchall() == [
        ("finished", 2)
    ]
    assert failed.returncode == 1
    assert "is a file" in failed.stdout
    assert left.returncode == 130
    job = re.search(r"study: job (study-long-\w+) goes on", said).group(1)
    assert f"Stop it with: ray job stop {job} --address {nodes.url}" in said
    assert after[job] == "RUNNING"
    assert sorted(after.values()) == ["FAILED", "RUNNING", "SUCCEEDED"]


def test_what_a_study_file_imports_from_beside_it_travels_with_it(tmp_path, monkeypatch):
    pytest.importorskip("aiohttp", reason="ray[default] is not installed")
    path, sent = study_file(tmp_path, "near"), []
    path.write_text(f"from parity import SEEDS\n{path.read_text()}")
    (tmp_path / "parity.py").write_text("SEEDS = 2\n")
    (tmp_path / "secret.txt").touch()

    class Client:
        def __init__(self, url: str) -> None: ...

        def submit_job(self, entrypoint: str, runtime_env: dict, **words: str) -> None:
            sent.append(entrypoint.split()[:5])
            sent.append(sorted(file.name for file in Path(runtime_env["working_dir"]).iterdir()))

    monkeypatch.setattr("ray.job_submission.JobSubmissionClient", Client)
    find(str(path))
    jobs.Job("http://127.0.0.1:1", str(path), [])
    assert sent == [["python", "-m", "study", "run", "near.py"], ["near.py", "parity.py"]]


def test_a_mistake_is_said_before_any_cluster_is_touched(subtests):
    for words, said in [
        (["--address", "head:6379", "--store", "/mnt/results"], "--address 'head:6379' is not the URL of a cluster's"),
        (["--address", "http://me:secret@head:8265"], "is not the URL of a cluster's"),
        (["--address", "http://head:8265"], "--store 'results': name the folder that the cluster's nodes share"),
        (
            ["--address", "http://head:8265", "--store", "/mnt/results", "--runs", 0],
            "--runs must be 1 or larger, got 0",
        ),
        (
            ["--address", "http://head:8265", "--store", "/mnt/results", "--storage", "s3://key:secret@bucket/a"],
            "--storage has a password in its URL",
        ),
    ]:
        with subtests.test(said):
            done = run_cli("submit", "first_map", *words)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1)
            assert said in done.stderr


def test_where_the_cluster_extra_is_missing_the_mend_is_said(monkeypatch):
    monkeypatch.setattr(jobs, "NEEDED", ("aiohtpp",))
    with pytest.raises(SpecError, match=r"study submit needs aiohtpp: pip install 'grokking-study\[cluster\]'"):
        jobs.Job("http://127.0.0.1:1", "first_map", [])


def test_nobody_at_the_address_is_one_line(monkeypatch):
    pytest.importorskip("aiohttp", reason="ray[default] is not installed")
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "")  # it is changed for this process alone
    with pytest.raises(SpecError, match=r"--address 'http://127\.0\.0\.1:1': the cluster does not take the job"):
        jobs.Job("http://127.0.0.1:1", "first_map", [])
