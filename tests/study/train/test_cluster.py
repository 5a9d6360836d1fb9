"""A study on several nodes: it ends with what one node would have, also when a node dies, and says which node cannot
train before any work. Nodes are real Rays on this machine."""

import json
import os
import re
import signal
import subprocess
from dataclasses import replace

import pytest

from study.plan.packing import Machine, Share
from study.sources import Sources
from study.store.database import Store
from study.train import cluster
from tests.study.train.test_run import attempts
from tests.support.driver import wait_for
from tests.support.nodes import Cluster
from tests.support.own_parts import elsewhere, own_study
from tests.support.studies import command, metrics, run_cli, study_file, trained_file
from trainables.errors import SpecError

HORIZON, PACK_SIZE = 3000, 2
"""Six packs, some seconds each on one core, so that three of them train at one moment also on a busy machine."""
START_SECONDS = 400
"""Three nodes import torch on two cores: 20 s where nothing else runs, two minutes and more where much does."""
LINE = ["--compile", "off", "--pack-size", PACK_SIZE, "--flush-seconds", 0.1]


@pytest.mark.ray
def test_a_study_on_three_nodes_outlives_one_of_them_and_equals_one_without_nodes(tmp_path):
    """The parts are a user's own, in a folder that the nodes do not have, and one node comes later than the driver."""
    study, store = own_study(tmp_path / "mine", seeds=6, horizon=HORIZON), tmp_path / "store"
    hidden = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {study.parent} && exec "$0" "$@"']
    with Cluster(num_nodes=2, within=hidden if can_mount() else ()) as nodes:
        line, env = command("run", study, "--store", store, *LINE, "--address", nodes.address, **nodes.env)
        driver = subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            nodes.start(f"--address={nodes.address}", "--num-cpus=1")
            checkpoints = store / "checkpoints/packs"
            wait_for(
                lambda: driver.poll() is not None or len(list(checkpoints.glob("*.safetensors"))) == 3, START_SECONDS
            )
            assert driver.poll() is None, driver.communicate()
            training = {raylet: pids for raylet, pids in nodes.workers("ray::ImplicitFunc").items() if pids}
            assert len(training) == 3, "three nodes train three packs"
            raylet, workers = training.popitem()
            for pid in (raylet, *workers):  # a worker alone would go on for a while, perhaps to its end
                os.kill(pid, signal.SIGKILL)
            out, err = driver.communicate(timeout=300)
        finally:
            driver.kill()
            driver.communicate()
    assert driver.returncode == 0, err
    assert out.startswith("own: all 12 runs are in")
    opened = Store.open(store)
    tries = attempts(opened)
    assert sorted(tries.values()) == [1] * 10 + [2] * 2, "only the pack of the dead node was tried again"
    twice = {run_id for run_id, tried in tries.items() if tried == 2}
    with elsewhere():
        undisturbed = trained_file(study, tmp_path / "undisturbed", PACK_SIZE, only=twice)
    assert [row for row in metrics(opened) if row[0] in twice] == metrics(undisturbed)
    [(step,)] = opened.sql("select min(step)::integer from metrics where attempt = 2").fetchall()
    assert step > 0, "it went on from its checkpoint"
    assert {path.name for path in store.iterdir()} == {"checkpoints", "parts", "driver", "study.duckdb", ".lock"}


def can_mount() -> bool:
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.skipif(not can_mount(), reason="a node with another disk takes the right to mount one")
def test_a_node_with_a_disk_of_its_own_is_named_before_any_work(tmp_path):
    study, shared = study_file(tmp_path), tmp_path / "shared"
    shared.mkdir()
    own_disk = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {shared} && exec "$0" "$@"']
    with Cluster(num_nodes=1) as nodes:
        nodes.start(f"--address={nodes.address}", "--num-cpus=1", within=own_disk)
        to = ["--store", shared / "store", "--address", nodes.address]
        ran = run_cli("run", study, *to, **nodes.env)
        asked = run_cli("doctor", *to, "--json", **nodes.env)
        joined = run_cli("run", study, *to, "--device", "cuda", **nodes.env)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1), ran.stderr
    assert re.search(r"node \S+ does not share it \(No such file or directory\)\. Mount one shared", ran.stderr)
    assert not list((shared / "store").rglob("*.parquet")), "nothing was planned"
    rows = [row for row in json.loads(asked.stdout) if row["check"].startswith("node ")]
    assert (asked.returncode, sorted(row["ok"] for row in rows)) == (1, ["no", "yes"])
    assert joined.returncode == 2
    assert "--device cuda: no node of the Ray at " in joined.stderr


def test_a_pack_takes_cores_of_a_cpu_or_a_part_of_a_gpu():
    assert Share().packs("cpu", cpus=8, gpus=1) == 8
    assert Share(cores=3).packs("cpu", cpus=8, gpus=0) == 2
    assert Share().packs("cuda", cpus=8, gpus=2) == 2
    assert Share(gpu=0.25).packs("cuda", cpus=16, gpus=2) == 8
    assert Share(gpu=0.25).packs("cuda", cpus=4, gpus=2) == 4, "a pack on a GPU takes a core too"
    assert Share(gpu=0.3).packs("cuda", cpus=16, gpus=2) == 6, "no pack lies on two GPUs"


def test_packs_are_sized_for_the_smallest_of_different_nodes():
    reports = [cluster.Report(Machine("cuda", n, memory)) for n, memory in ((8, 5e10), (1, 1e10), (2, 3e10))]
    assert cluster.smallest(reports, workers=11) == Machine("cuda", 11, 1e10)


def test_a_node_says_what_packs_fit_it_by_what_ray_may_use_of_it(tmp_path):
    with cluster.marker_in(str(tmp_path / "store")) as marker:
        small = cluster.report(
            cluster.Node("", "n1", cpus=4, gpus=0, memory=1e9), marker, "cpu", Share(cores=2), Sources()
        )
        large = cluster.report(
            cluster.Node("", "n2", cpus=4, gpus=0, memory=2e9), marker, "cpu", Share(cores=2), Sources()
        )
    assert (small.trouble, large.trouble) == ("", "")
    assert (small.machine.workers, large.machine.memory) == (2, 2 * small.machine.memory)
    assert small.machine.memory < 1e9 / 2


def test_a_node_that_does_not_share_the_store_is_named_with_the_mend(tmp_path):
    with cluster.marker_in(str(tmp_path / "a/store")) as marker:
        assert cluster.trouble_with(marker, "n1") == ""
        said = cluster.trouble_with(replace(marker, place=str(tmp_path / "b/store")), "n2")
    assert said.startswith(f"store '{tmp_path}/b/store': node n2 does not share it (No such file or directory). Mount")
    assert not (tmp_path / "a").exists(), "it leaves nothing behind"
    with pytest.raises(SpecError, match="node n2 does not share it"):
        cluster.smallest([cluster.Report(Machine("cpu", 1, 1e9)), cluster.Report(None, said)], workers=2)


def test_a_cluster_is_looked_for_only_where_one_was_named(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert [cluster.is_named(address) for address in ("local", "auto", "head:6379")] == [False, False, True]
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/ray_current_cluster").write_text("127.0.0.1:6379")
    assert [cluster.is_named(address) for address in ("local", "auto")] == [False, True]
