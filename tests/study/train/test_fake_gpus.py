"""Eight GPUs that are not there, with a real Ray: who trains where, how large packs are, and a node that dies.

All but CUDA itself: Ray is told of GPUs by hand, and packs train on the CPU.
"""

import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from study.store.database import Store
from tests.study.train.test_run import attempts
from tests.support.driver import Driver, wait_for
from tests.support.gpus import fake_gpus
from tests.support.nodes import Cluster
from tests.support.studies import run_cli, study_file

pytestmark = pytest.mark.ray


def used(folder: Path) -> list[dict]:
    """Which GPU each pack had, and when."""
    return [json.loads(path.read_text()) for path in sorted((folder / "used").iterdir())]


def most_at_once(packs: list[dict]) -> int:
    """Packs that trained at the same time, at most."""
    moments = sorted([(pack["start"], 1) for pack in packs] + [(pack["end"], -1) for pack in packs])
    now = most = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most


def never_shared(packs: list[dict], most: int) -> None:
    """No GPU has more packs at any time than it may."""
    for gpu in {pack["gpus"] for pack in packs}:
        assert most_at_once([pack for pack in packs if pack["gpus"] == gpu]) <= most


@pytest.mark.parametrize(
    ("gpus", "share"),
    [
        pytest.param(2, 0.5, id="two in halves"),
        pytest.param(8, 1.0, id="eight", marks=pytest.mark.slow),
        pytest.param(4, 0.25, id="four in quarters", marks=pytest.mark.slow),
    ],
)
def test_each_pack_has_its_gpu_or_its_share_of_one(tmp_path, gpus, share):
    places = int(gpus / share)
    study, store = study_file(tmp_path, seeds=places // 2, horizon=400), tmp_path / "store"
    env, line = fake_gpus(tmp_path, gpus), ["--device", "cuda", "--gpus-per-pack", share, "--compile", "off"]
    done = run_cli("run", study, "--store", store, *line, "--pack-size", 1, **env)
    assert done.returncode == 0, done.stderr
    packs = used(tmp_path)
    assert len(packs) == 2 * places, "four points, and one run in each pack"
    assert {pack["gpus"] for pack in packs} == {str(gpu) for gpu in range(gpus)}, "one each, and all of them"
    never_shared(packs, int(1 / share))
    assert most_at_once(packs) > places / 2, "they train at the same time"
    opened = Store.open(store)
    assert opened.sql("select distinct device from attempts").fetchall() == [("cuda",)]
    assert set(attempts(opened).values()) == {1}
    assert ("take turns" in done.stderr) == (share < 1)


def test_packs_are_as_large_as_a_share_of_a_gpu_allows(tmp_path):
    """128 runs: on eight GPUs 16 each, on eight halves of four as many, and no more than two whole ones can use."""
    study = study_file(tmp_path, seeds=32)
    sizes = {}
    for gpus, share in ((8, 1.0), (4, 0.5), (2, 1.0)):
        line = ["--device", "cuda", "--gpus-per-pack", share, "--json", "--store", tmp_path / "none"]
        done = run_cli("plan", study, *line, **fake_gpus(tmp_path / f"{gpus}", gpus))
        assert done.returncode == 0, done.stderr
        sizes[gpus, share] = [(row["packs"], row["runs each"]) for row in json.loads(done.stdout)["packs"]]
    assert sizes == {(8, 1.0): [(8, 16)], (4, 0.5): [(8, 16)], (2, 1.0): [(2, 64)]}


@pytest.mark.slow
def test_a_node_with_gpus_dies_and_its_packs_are_trained_elsewhere(tmp_path):
    """Two nodes with two GPUs each, and a head without; of each GPU one pack at a time."""
    study, store = study_file(tmp_path, seeds=6, horizon=3000), tmp_path / "store"
    nodes = Cluster(num_nodes=1)
    nodes.env |= fake_gpus(tmp_path, 2)
    line = ["--compile", "off", "--pack-size", 2, "--flush-seconds", 0.1, "--address", nodes.address]
    with nodes:
        for _ in range(2):
            nodes.start(f"--address={nodes.address}", "--num-cpus=2", "--num-gpus=2")
        with Driver(study, store, *line, **nodes.env) as driver:
            checkpoints = store / "checkpoints/packs"
            wait_for(lambda: len(list(checkpoints.glob("*.safetensors"))) == 4, 400)
            assert driver.process.poll() is None, driver.end()
            training = {raylet: pids for raylet, pids in nodes.workers("ray::ImplicitFunc").items() if pids}
            assert [len(pids) for pids in training.values()] == [2, 2], "two packs on each node, none on the head"
            raylet, workers = training.popitem()
            for pid in (raylet, *workers):
                os.kill(pid, signal.SIGKILL)
            code, out, err = driver.end()
    assert code == 0, err
    assert out.startswith("small: all 24 runs are in")
    tries = Counter(attempts(Store.open(store)).values())
    assert tries == {1: 20, 2: 4}, "the two packs of the dead node were tried again"
    packs = used(tmp_path)
    for parent in {pack["parent"] for pack in packs}:
        never_shared([pack for pack in packs if pack["parent"] == parent], 1)
    assert {pack["gpus"] for pack in packs} == {"0", "1"}
