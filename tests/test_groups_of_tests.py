"""How tests are shared out between processes: what this folder's conftest asks for is what xdist does."""

import subprocess
import sys
from pathlib import Path

TEST = """
import os, pytest
from pathlib import Path

@pytest.mark.parametrize("number", range(4))
def test_where(number):
    with open(Path(__file__).with_name("said"), "a") as said:
        said.write(f"{__name__} {os.environ['PYTEST_XDIST_WORKER']}\\n")
"""


def test_a_file_stays_in_one_process_and_all_with_ray_come_first_in_one(tmp_path):
    (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    for name, mark in (("a", ""), ("b", "ray"), ("c", ""), ("d", "ray")):
        marked = TEST.replace("def test_where", f"@pytest.mark.{mark}\ndef test_where") if mark else TEST
        (tmp_path / f"test_{name}.py").write_text(marked)
    line = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder", "."]
    subprocess.run(line, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    rows = [row.split() for row in (tmp_path / "said").read_text().split("\n")[:-1]]
    where: dict[str, set[str]] = {}
    for name, worker in rows:
        where.setdefault(name, set()).add(worker)
    assert [len(workers) for workers in where.values()] == [1] * 4
    assert where["test_b"] == where["test_d"]
    [process] = where["test_b"]
    in_process = [name for name, worker in rows if worker == process]
    assert {*in_process[:8]} == {"test_b", "test_d"}
