"""`study run` on a GPU that is there, with Ray: packs in one worker, one that does not fit, and a calibration."""

import json
from collections import Counter

import pytest
import torch

from study.store.database import Store
from tests.study.train.test_run import attempts
from tests.support.altered import altered
from tests.support.studies import metrics, run_cli, study_file, trained_file

pytestmark = [
    pytest.mark.ray,
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
LINE = ["--device", "cuda", "--compile", "off"]
TOO_LARGE = """
_train_pack = train_pack

def train_pack(specs, **options):
    import torch
    torch.cuda.set_per_process_memory_fraction(1e-6 if len(specs) > 2 else 1.0)
    return _train_pack(specs, **options)
"""
"""A pack of more than two runs may have next to no memory: it runs out of it, as CUDA says it."""


def test_packs_follow_each_other_in_one_worker_and_learn_what_the_cpu_learns(tmp_path):
    study = study_file(tmp_path, seeds=4, horizon=300, learning_rate=0.003)
    done = run_cli("run", study, "--store", tmp_path / "store", *LINE, "--pack-size", 4)
    assert done.returncode == 0, done.stderr
    store, undisturbed = Store.open(tmp_path / "store"), trained_file(study, tmp_path / "cpu", 4)
    assert store.sql("select distinct device, status from attempts").fetchall() == [("cuda", "finished")]
    found, expected = metrics(store), metrics(undisturbed)
    assert [row[:-1] for row in found] == [row[:-1] for row in expected]
    early = [i for i, row in enumerate(found) if row[1] <= 10 and row[3] == "loss"]
    assert [found[i][-1] for i in early] == pytest.approx([expected[i][-1] for i in early], rel=2e-3)


def test_a_pack_that_does_not_fit_is_tried_in_halves(tmp_path):
    study = study_file(tmp_path, seeds=4, axes={"model.width": (16,)}, horizon=100)
    path = altered(tmp_path / "altered", {"trainables.engine": TOO_LARGE})
    done = run_cli("run", study, "--store", tmp_path / "store", *LINE, "--pack-size", 4, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    store = Store.open(tmp_path / "store")
    assert store.sql("select distinct status from runs").fetchall() == [("finished",)]
    assert Counter(attempts(store).values()) == {2: 4}
    [(error,)] = store.sql("select distinct error from attempts where error is not null").fetchall()
    assert "out of memory" in error.lower()


def test_a_calibration_is_kept_and_packs_are_planned_by_it(tmp_path):
    store, line = tmp_path / "store", ["--device", "cuda", "--json", "--store"]
    quick = altered(tmp_path / "altered", {"trainables.calibration": "WIDTHS, RUNS = (32, 64), (1, 2)"})
    done = run_cli("doctor", "--store", store, "--calibrate", "--json", PYTHONPATH=quick)
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    assert rows["calibration"]["ok"] == "yes", done.stderr
    assert "best packs" in rows["calibration"]["found"]
    sizes = {}
    for place in (store, tmp_path / "none"):
        planned = json.loads(run_cli("plan", "first_map", *line, place).stdout)
        sizes[place] = max(row["runs each"] for row in planned["packs"])
    assert sizes[store] <= 2 < sizes[tmp_path / "none"], "no pack was measured that is larger"
