"""The files for clusters: Ray and Kubernetes would take them, and they say what a study needs of its nodes."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

import study
from tests.support import kuberay
from tests.support.lock import releases

ROOT = Path(__file__).parents[1]
LAUNCHED = ["cluster.yaml", "deploy/gcp.yaml", "deploy/own_machines.yaml"]
CLOUDS = LAUNCHED[:2]
KUBERAY = ROOT / "deploy/kuberay.yaml"
PACKAGES = ("analysis", "study", "trainables")
RAY = releases("3.12")["ray"]
"""The nodes of a cluster and the one who sends it a job need the same Ray."""


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
    assert f"ray[default,tune]=={RAY}" in setup
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
    assert (spec["rayVersion"], spec["authOptions"]) == (RAY, {"mode": "token"})
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
    assert f"FROM rayproject/ray:{RAY}-py312\n" in (ROOT / "deploy/Dockerfile").read_text()


def test_kubernetes_and_kuberay_take_the_manifests():
    assert [kuberay.trouble_with(part) for part in yaml.safe_load_all(KUBERAY.read_text())] == [[], [], []]


def test_a_wrong_manifest_is_not_taken(subtests):
    for kind, path, value, trouble in [
        ("RayCluster", ("spec", "autoscalerOptions", "version"), "v3", "$.spec.autoscalerOptions.version: 'v3' is not"),
        ("RayCluster", ("spec", "authentication"), {}, "'authentication' was unexpected"),
        ("RayCluster", ("spec", "headGroupSpec", "rayStartParams", "num-cpus"), 0, "0 is not of type 'string'"),
        ("RayCluster", ("spec", "headGroupSpec", "template", "spec", "container"), [], "'container' was unexpected"),
        ("RayCluster", ("spec", "workerGroupSpecs", 0, "maxReplicas"), "8", "'8' is not of type 'integer'"),
        ("RayJob", ("spec", "entryPoint"), "study", "'entryPoint' was unexpected"),
        ("PersistentVolumeClaim", ("spec", "accessMode"), "ReadWriteMany", "'accessMode' was unexpected"),
    ]:
        with subtests.test(kind=kind, path=path, value=value, trouble=trouble):
            manifests = {part["kind"]: part for part in yaml.safe_load_all(KUBERAY.read_text())}
            inner = manifests[kind]
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = value
            assert trouble in "; ".join(kuberay.trouble_with(manifests[kind]))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a `build` folder that lies in the checkout would add files that are gone."""
    source, dist = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", dist, source]
    subprocess.run(build, check=True, timeout=600)
    [made] = dist.glob("*.whl")
    return made


def test_the_wheel_holds_every_file_of_the_packages_and_the_licence(wheel):
    with zipfile.ZipFile(wheel) as packed:
        about = f"grokking_study-{study.__version__}.dist-info"
        names = {name for name in packed.namelist() if not name.startswith(about)}
        assert packed.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert b"License-Expression: Apache-2.0" in packed.read(f"{about}/METADATA")
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    assert names == {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}


@pytest.mark.ray
def test_a_study_runs_from_the_wheel_alone_in_an_empty_folder(wheel, tmp_path):
    site, here = tmp_path / "site", tmp_path / "here"
    here.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel]
    subprocess.run(install, check=True, timeout=600)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(site)}

    def said(*line: str | Path) -> str:
        done = subprocess.run(line, cwd=here, env=env, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = "import analysis, study, trainables; print(*[m.__file__ for m in (analysis, study, trainables)])"
    assert said(sys.executable, "-c", where).split() == [f"{site}/{name}/__init__.py" for name in sorted(PACKAGES)]
    run = ["run", "first_map", "--runs", "1", "--horizon", "20", "--address", "local", "--report"]
    assert "first_map: all 1 runs are in" in said(site / "bin/study", *run)
    assert sorted(path.name for path in here.iterdir()) == ["results"]
    assert (here / "results/first_map.html").exists()
