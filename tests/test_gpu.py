"""The command that tries a GPU, tried on a CPU: each part ends with a line, and nothing is lost when it is stopped."""

import json
import os
import subprocess
import sys

import pytest

from tests.bench import gpu
from tests.support.pages import ROOT


def test_a_part_runs_and_is_written_down(tmp_path):
    line = [ROOT / "tests/gpu", "--device", "cpu", "--minutes", "2", "--out", tmp_path / "gpu.json", "memory"]
    environment = os.environ | {"STUDY_TEST_PYTHON": sys.executable}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "memory" in done.stdout
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["memory"]["end"] == "passed"
    assert len(found["memory"]["data"][-1]["packs"]) == 4
    assert found["device"]["torch"]


def test_without_a_gpu_it_says_so_in_one_line(tmp_path):
    environment = os.environ | {"STUDY_TEST_PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": ""}
    line = [ROOT / "tests/gpu", "--out", tmp_path / "gpu.json"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tests/gpu: device 'cuda': torch sees no CUDA device here.")


@pytest.mark.parametrize(
    ("code", "end", "says"),
    [
        ('print(\'{"says": "good"}\')', "passed", "good"),
        ("print('half', flush=True); import time; time.sleep(60)", "stopped", "half"),
        ('print(\'{"width": 32}\\n{"wi\', flush=True); import time; time.sleep(60)', "stopped", "1 rows"),
        ("raise SystemExit('no such thing')", "failed", "no such thing"),
    ],
)
def test_how_a_part_ends_and_what_it_said_are_kept(tmp_path, monkeypatch, code, end, says):
    (tmp_path / "part.py").write_text(code)
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    found = gpu.outcome(["part"], 3 if end == "stopped" else 60)
    assert (found["end"], found["says"]) == (end, says)
