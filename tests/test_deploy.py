"""The files for clusters: Ray and Kubernetes would take them, and they say what a study needs of its nodes."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import kuberay

ROOT = Path(__file__).parents[1]
LAUNCHED = ["cluster.yaml", "deploy/gcp.yaml", "deploy/own_machines.yaml"]
CLOUDS = LAUNCHED[:2]
KUBERAY = ROOT / "deploy/kuberay.yaml"


def prepared(name: str) -> dict[str, Any]:
    """What `ray up` makes of a file, if it takes it."""
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = util.prepare_config(yaml.safe_load((ROOT / name).read_text()))
    util.validate_config(config)
    return config


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_takes_the_file_and_every_node_gets_the_wheel_the_token_and_the_pinned_ray(name):
    config = prepared(name)
    setup, head = " ".join(config["setup_commands"]), " ".join(config["head_start_ray_commands"])
    assert "ray[default,tune]==2.60.0" in setup
    assert config["file_mounts"] == {"~/dist": "dist", "~/.ray/auth_token": "~/.ray/auth_token"}
    assert "~/dist/*.whl" in setup
    assert "RAY_AUTH_MODE=token" in " ".join(config["initialization_commands"])
    assert "--dashboard-host=127.0.0.1" in head
    assert "/mnt/study" in setup, "what all nodes share"
    for start in (*config["head_start_ray_commands"][1:], *config["worker_start_ray_commands"][1:]):
        assert start.startswith("unset OMP_NUM_THREADS; ray start ")


@pytest.mark.parametrize("name", CLOUDS)
def test_gpu_workers_are_spot_and_scale_from_none_to_many(name):
    config = prepared(name)
    types = config["available_node_types"]
    assert types["head"]["resources"] == {"CPU": 0}
    assert (types["gpu"]["min_workers"], types["gpu"]["max_workers"]) == (0, 8)
    assert types["gpu"]["resources"]["GPU"] == 1
    assert "spot" in str(types["gpu"]["node_config"]).lower()


def test_own_machines_are_all_started():
    config = yaml.safe_load((ROOT / LAUNCHED[2]).read_text())
    workers = config["provider"]["worker_ips"]
    assert config["min_workers"] == config["max_workers"] == len(workers)


def test_the_kubernetes_manifests_name_what_belongs_together():
    claim, cluster, job = yaml.safe_load_all(KUBERAY.read_text())
    assert [part["kind"] for part in (claim, cluster, job)] == ["PersistentVolumeClaim", "RayCluster", "RayJob"]
    spec = cluster["spec"]
    assert (spec["rayVersion"], spec["authOptions"]) == ("2.60.0", {"mode": "token"})
    assert spec["enableInTreeAutoscaling"]
    assert spec["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}
    [gpu] = spec["workerGroupSpecs"]
    assert (gpu["replicas"], gpu["minReplicas"], gpu["maxReplicas"]) == (0, 0, 8)
    assert gpu["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    for group in (spec["headGroupSpec"], gpu):
        pod = group["template"]["spec"]
        [container], [volume] = pod["containers"], pod["volumes"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/mnt/study"}]
        assert not {"OMP_NUM_THREADS"} & {entry["name"] for entry in container.get("env", [])}
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": cluster["metadata"]["name"]}
    assert job["spec"]["entrypoint"].startswith("python -m study run first_map ")
    assert "--store /mnt/study/" in job["spec"]["entrypoint"]
    docker = (ROOT / "deploy/Dockerfile").read_text()
    assert re.findall(r"2\.60\.0", docker) == ["2.60.0"] * 2


def test_kubernetes_and_kuberay_take_the_manifests():
    assert [kuberay.trouble_with(part) for part in yaml.safe_load_all(KUBERAY.read_text())] == [[], [], []]


@pytest.mark.parametrize(
    ("kind", "path", "value", "trouble"),
    [
        ("RayCluster", ("spec", "autoscalerOptions", "version"), "v3", "$.spec.autoscalerOptions.version: 'v3' is not"),
        ("RayCluster", ("spec", "authentication"), {}, "'authentication' was unexpected"),
        ("RayCluster", ("spec", "headGroupSpec", "rayStartParams", "num-cpus"), 0, "0 is not of type 'string'"),
        ("RayCluster", ("spec", "headGroupSpec", "template", "spec", "container"), [], "'container' was unexpected"),
        ("RayCluster", ("spec", "workerGroupSpecs", 0, "maxReplicas"), "8", "'8' is not of type 'integer'"),
        ("RayJob", ("spec", "entryPoint"), "study", "'entryPoint' was unexpected"),
        ("PersistentVolumeClaim", ("spec", "accessMode"), "ReadWriteMany", "'accessMode' was unexpected"),
    ],
)
def test_a_wrong_manifest_is_not_taken(kind, path, value, trouble):
    manifests = {part["kind"]: part for part in yaml.safe_load_all(KUBERAY.read_text())}
    inner = manifests[kind]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    assert trouble in "; ".join(kuberay.trouble_with(manifests[kind]))


@pytest.mark.slow
def test_the_wheel_has_everything_and_works_where_the_checkout_is_not(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path / "dist", ROOT]
    subprocess.run(build, check=True, timeout=600)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name}
    kept = {
        path.relative_to(ROOT).as_posix()
        for package in ("study", "trainables", "analysis")
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".sql", ".html")
    }
    assert packed == kept
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "site", wheel]
    subprocess.run(install, check=True, timeout=600)
    words = ["run", "first_map", "--runs", "1", "--horizon", "20", "--address", "local", "--report", "--store"]
    done = subprocess.run(
        [sys.executable, "-m", "study", *words, tmp_path / "store"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "first_map: all 1 runs are in" in done.stdout
    assert (tmp_path / "store/first_map.html").exists()
