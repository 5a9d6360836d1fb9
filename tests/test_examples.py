"""The project of a user's own in examples/: its parts pass the checks, its study and its claim are whole."""

import json
import shutil
from pathlib import Path

import pytest

from study.spec import find
from study.store.database import Store
from tests.support.own_parts import elsewhere
from tests.support.studies import run_cli, trained

EXAMPLE = Path(__file__).parents[1] / "examples/sparse_parity"


@pytest.fixture
def copy(tmp_path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "copy"))


@pytest.mark.parametrize("file", ["sparse_parity.py", "relu_net.py", "parity_phases.sql", "parity_study.py"])
def test_its_files_pass_the_checks(copy, file):
    done = run_cli("check", copy / file, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)
    assert rows
    assert not [row for row in rows if row["ok"] == "no"]


def test_its_study_has_phases_and_a_claim_of_its_own(copy, tmp_path):
    store = Store.open(tmp_path / "store", write=True)
    with elsewhere("sparse_parity", "relu_net", "parity_study"):
        study = find(str(copy / "parity_study.py"))
        assert (len(study.points()) * study.seeds, study.definition) == (150, "parity_phases")
        few = study.with_(axes={"task.data_size": (150, 700), "optimizer.weight_decay": (0.01,)}, seeds=2, horizon=400)
        trained(few, store)
    phases = dict(
        store.of("parity_study").sql("select point ->> '$.\"task.data_size\"', min(phase) from phases join study_runs "
                                     "using (run_id) where definition = 'parity_phases' group by 1").fetchall()
    )  # fmt: skip
    assert phases == {"150": "memorizes", "700": "learns"}
    done = run_cli("claims", copy / "parity_study.py", "--store", store.path, "--json")
    [claim] = json.loads(done.stdout)
    assert (claim["name"], claim["study"]) == ("significantly later", "parity_study")
    assert (claim["verdict"], claim["ended"], claim["planned"]) == ("not yet run", 0, 150), (
        "they have 8,000 steps to go"
    )
