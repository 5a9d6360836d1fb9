"""What a stranger finds beside the code: one version, one lock, a citation."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import study
from study.cli.main import cli
from tests.support.lock import LOCK, releases, requirements

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
PYTHONS = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "Python :: 3." in name]


def test_one_version_stands_everywhere():
    assert PROJECT["dynamic"] == ["version"]
    deploy = "".join((ROOT / "deploy" / name).read_text() for name in ("Dockerfile", "kuberay.yaml"))
    said = {
        CliRunner().invoke(cli, ["--version"]).output.split()[-1],
        CITATION["version"],
        re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1],
        *re.findall(r"grokking-study:(\S+)", deploy),
    }
    assert said == {study.__version__}


def test_the_citation_names_the_projects_developers_and_no_person():
    assert CITATION["authors"] == PROJECT["authors"]
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["repository-code"] == PROJECT["urls"]["Repository"]


def test_the_lock_holds_one_release_of_each_package_and_no_address():
    for pin in requirements():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), f"{pin}: a local version such as +cpu is on few indexes"
    assert not re.findall(r"://|^-", LOCK.read_text(), re.MULTILINE)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_is_within_the_ranges_that_an_installation_without_it_takes(python):
    pins = {canonicalize_name(name): release for name, release in releases(python).items()}
    ranges = [Requirement(text) for text in sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"])]
    outside = [asked.name for asked in ranges if pins.get(canonicalize_name(asked.name), "0") not in asked.specifier]
    assert not outside


def test_tests_and_image_install_from_the_lock():
    for name in ("tests/run", "deploy/Dockerfile"):
        assert LOCK.name in (ROOT / name).read_text(), name
