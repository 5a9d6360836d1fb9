"""A Ray that a program has initialised trains a study and stays the program's own; packs get what they ask for."""

import subprocess
import sys

import pytest

from study.plan.packing import Share
from study.train.machine import machine
from tests.support.own_parts import own_study
from tests.support.studies import HUNG_SECONDS
from trainables.errors import SpecError

PROGRAM = """
import sys

from dataclasses import replace

import ray

import study
from study.cli.main import main
from study.spec import find

ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False)


@ray.remote(num_cpus=0)
class Counter:
    number = 0

    def add(self):
        self.number += 1
        return self.number


counter = Counter.remote()
assert ray.get(counter.add.remote()) == 1
file, store = sys.argv[1:]
spec = replace(find(file), name="spec")
print("missing", study.run(spec, store=store, runs=2, compile="off").missing, len(study.open(store).runs("spec")))
for address in ("local", "127.0.0.1:1"):
    try:
        study.run(file, store=store, address=address)
    except ValueError as error:
        print(error)
try:
    study.run(file, store=store, cpus_per_pack=3)
except ValueError as error:
    print(error)
print("counter", ray.get(counter.add.remote()))
sys.argv = ["study", "run", file, "--store", store, "--compile", "off"]
try:
    main()
except SystemExit as end:
    print("code", end.code)
print("counter", ray.get(counter.add.remote()))
"""


@pytest.mark.ray
def test_a_ray_that_is_initialised_is_used_and_left_as_it_was(tmp_path):
    """Its workers, which began before the study's files were known, train a user's own parts."""
    words = [sys.executable, "-c", PROGRAM, str(own_study(tmp_path / "mine", seeds=4)), str(tmp_path / "store")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=HUNG_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (lines[0], lines[4], lines[-2:]) == ("missing 0 2", "counter 2", ["code None", "counter 3"])
    assert lines[1].startswith("--address 'local': this process has initialised the Ray at ")
    assert lines[2].startswith("--address '127.0.0.1:1': this process has initialised the Ray at ")
    assert "no node of the Ray at auto has 3 CPU for a pack" in lines[3]
    assert lines[5].startswith("own: all 8 runs are in")


def test_more_cores_for_a_pack_than_there_are_is_refused():
    with pytest.raises(SpecError, match=r"--cpus-per-pack 3: there are 2 cores here.* Give 2 or fewer\."):
        machine("cpu", Share(cores=3), cores=2)
    assert machine("cpu", Share(cores=2), cores=5).workers == 2


def test_the_nodes_that_an_autoscaler_may_start_are_looked_at_one_by_one(monkeypatch):
    from ray.core.generated.autoscaler_pb2 import ClusterConfig

    from study.train import nodes

    config = ClusterConfig()
    for cpus, gpus, number in ((4, 0, 3), (8, 1, 1)):
        kind = config.node_group_configs.add(max_count=number)
        kind.resources["CPU"], kind.resources["GPU"] = cpus, gpus
    monkeypatch.setattr(nodes.ray_state.state, "get_cluster_config", lambda: config)

    def places(device, share):
        return sum(share.packs(device, node.cpus, node.gpus) for node in nodes._to_come())

    assert places("cpu", Share(cores=4)) == 3 + 2
    assert places("cpu", Share(cores=16)) == 0, "20 cores, but no node has 16"
    assert places("cuda", Share(gpu=0.5)) == 2
    config.node_group_configs[0].max_count = -1
    assert places("cpu", Share(cores=4)) > 1000


def test_a_ray_that_does_not_come_up_is_started_again_and_then_refused_in_one_line(monkeypatch):
    from study.train import nodes  # ray takes seconds to import

    asked = []

    def init(**options) -> None:
        asked.append(options["num_cpus"])
        if len(asked) != 2:
            raise Exception("The current node timed out during startup. This could happen.\nBecause")

    monkeypatch.setattr(nodes.ray, "init", init)
    nodes.start(2, "cpu", Share())
    assert asked == [2, 2]
    with pytest.raises(SpecError, match=r"^Ray did not start on this machine \(The current node timed out") as caught:
        nodes.start(3, "cpu", Share())
    assert asked == [2, 2, 3, 3]
    assert "\n" not in str(caught.value)
