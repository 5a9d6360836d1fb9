"""A study's runs and curves as data frames."""

import pytest

from study.store.database import Store
from tests.support.studies import small, trained
from trainables.errors import SpecError

AXES = ["task.train_fraction", "optimizer.weight_decay"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """A study with an extra point on one axis alone, and another study."""
    store = Store.open(tmp_path_factory.mktemp("store"), write=True)
    trained(small(seeds=1, extra=[{"optimizer.weight_decay": 8.0}], definition="doshi2023"), store)
    trained(small("other", axes={"model.width": (8,)}), store)
    return store


def test_each_run_is_a_row_with_its_point_phase_and_outcome(store):
    runs = store.runs("small")
    assert list(runs.columns[:5]) == ["run_id", *sorted(AXES), "seed", "phase"]
    assert len(runs) == runs["run_id"].nunique() == 5
    assert sorted(runs["optimizer.weight_decay"]) == [0.5, 0.5, 2.0, 2.0, 8.0]
    assert runs["task.train_fraction"].isna().tolist().count(True) == 1
    assert (runs["weight_decay"] == runs["optimizer.weight_decay"]).all()
    expected = store.sql("select run_id, phase from phases where definition = 'doshi2023'").fetchall()
    assert {(run, phase) for run, phase in zip(runs["run_id"], runs["phase"], strict=True)} <= set(expected)
    final = dict(store.sql("select run_id, final_test_accuracy from outcomes").fetchall())
    assert runs["final_test_accuracy"].tolist() == [final[run_id] for run_id in runs["run_id"]]
    assert runs.columns.is_unique


def test_each_recorded_step_of_a_run_is_a_row(store):
    curves = store.curves("small")
    [(rows,)] = store.sql("select count(*) from curves join study_runs using (run_id) where study = 'small'").fetchall()
    assert len(curves) == rows
    steps = curves.groupby("run_id")["step"]
    assert all(group.is_monotonic_increasing for _, group in steps)
    assert (steps.last() == 60).all()
    assert curves.loc[curves["optimizer.weight_decay"] == 8.0, "run_id"].nunique() == 1


def test_they_are_those_of_the_horizon_that_is_asked_for(store):
    early = store.of("small", 10)
    assert early.runs("small")["horizon"].max() == early.curves("small")["step"].max() == 10
    assert store.runs("other").columns[1] == "model.width"
    with pytest.raises(SpecError, match=r"'smal' is not in this store. Did you mean 'small'"):
        store.runs("smal")
