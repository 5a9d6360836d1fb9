"""Pruning is opt-in, ends a run with its own reason, says nothing of its phase, and loses nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from study.plan.write import write
from study.store.database import Store
from study.store.storage import storage_at
from study.train.asha import Asha
from study.train.options import Options
from study.train.worker import train
from tests.support.studies import MACHINE, make_plan, metrics, settings, small, trained
from trainables.errors import SpecError
from trainables.schedule import evaluation_steps

BASE = replace(small().base, optimizer=replace(small().base.optimizer, learning_rate=0.003))
"""At the learning rate of `small`, 0.01, training turns unstable at about step 150 and amplifies rounding, which
differs between sizes of packs and between processors: 2e-2 in a loss by step 256, against 2e-7 at this rate."""
STUDY = small(base=BASE, axes={"optimizer.weight_decay": (0.0, 0.5, 1.0, 2.0)}, seeds=4, horizon=256)


@pytest.fixture
def asha(tmp_path) -> Asha:
    return Asha(storage_at(tmp_path), "rungs", "a", 256, 8)


def test_rungs_are_evaluations_at_a_quarter_of_the_horizon_and_below(asha):
    assert asha.rungs <= set(evaluation_steps(256, 8))
    for rung, height in zip(sorted(asha.rungs), (4, 16, 64), strict=True):
        assert height <= rung < 1.4 * height


def test_the_best_quarter_goes_on_and_equals_are_not_told_apart(asha):
    rung = max(asha.rungs)
    runs = {f"r{i}": i / 10 for i in range(8)}
    assert asha(rung, runs) == {f"r{i}" for i in range(6)}
    assert asha(rung, runs) == {f"r{i}" for i in range(6)}  # a pack that comes to a rung again finds the same
    assert asha(min(asha.rungs), dict.fromkeys(runs, 0.25)) == set()
    assert asha(min(asha.rungs), {"alone": 0.1, "better": 0.2, "diverged": float("nan")}) == {"alone", "diverged"}


def test_away_from_rungs_nobody_leaves(asha, tmp_path):
    assert asha(5, {"a": 0.0, "b": 1.0}) == set()
    assert list(tmp_path.iterdir()) == []


def test_runs_of_other_packs_count_and_torn_files_do_not(asha, tmp_path):
    rung = max(asha.rungs)
    other = Asha(asha.storage, "rungs", "b", 256, 8)
    assert other(rung, {"x": 0.9, "y": 0.8, "z": 0.1}) == {"y", "z"}
    (tmp_path / "rungs" / str(rung) / "torn.json").write_text('{"t": 1.')
    (tmp_path / "rungs" / str(rung) / "odd.json").write_text("[1, 2]")
    assert asha(rung, {"a": 0.85, "b": 0.7}) == {"a", "b"}
    assert json.loads((tmp_path / "rungs" / str(rung) / "a.json").read_text()) == {"a": 0.85, "b": 0.7}


@pytest.fixture(scope="module")
def pruned(tmp_path_factory) -> Store:
    """The study in one pack, pruned."""
    store = Store.open(tmp_path_factory.mktemp("pruned"), write=True)
    store.ingest()
    plan = make_plan(STUDY, store, MACHINE, 16, pruning=True)
    write(plan, store)
    for pack in plan.packs:
        train(pack, settings(store, prune_in="rungs"), "trial", lambda message: None)
    store.ingest()
    return store


def test_pruned_runs_are_censored_and_have_no_phase(pruned):
    rungs = Asha(storage_at(pruned.place), "rungs", "a", 256, 8).rungs
    rows = pruned.sql("select stop_reason, status, steps, runs.horizon from runs").fetchall()
    ended = [row for row in rows if row[0] == "pruned"]
    assert {row[1] for row in rows} == {"finished"}
    assert {steps for _, _, steps, _ in ended} <= rungs
    assert 1 <= len(rows) - len(ended) <= 8 < len(ended)
    text = "select distinct phase from phases join runs using (run_id) where stop_reason = 'pruned'"
    assert pruned.sql(text).fetchall() == [("unresolved",)]
    text = "select bool_and(censored), max(outcomes.horizon - steps) from outcomes join runs using (run_id) "
    assert pruned.sql(text + "where outcomes.stop_reason = 'pruned'").fetchall() == [(True, 0)]


def test_with_pruning_they_are_done_and_without_it_they_go_on_to_the_numbers_of_an_undisturbed_study(pruned, tmp_path):
    assert make_plan(STUDY, pruned, MACHINE, pruning=True).packs == []
    left = make_plan(STUDY, pruned, MACHINE)
    assert min(pack.start_step for pack in left.packs) > 0
    before = metrics(pruned)
    trained(STUDY, pruned)
    text = "select count(*) from runs where stop_reason = 'horizon' and steps = 256"
    assert pruned.sql(text).fetchall() == [(16,)]
    whole = Store.open(tmp_path / "whole", write=True)
    trained(STUDY, whole, pack_size=16)
    after, undisturbed = metrics(pruned), metrics(whole)
    assert set(before) <= set(after)
    assert [row[:4] for row in after] == [row[:4] for row in undisturbed]
    values = [[row[4] for row in rows] for rows in (after, undisturbed)]
    np.testing.assert_allclose(*values, rtol=1e-4, atol=1e-5)


def test_an_unknown_pruner_is_one_line():
    with pytest.raises(SpecError, match=r"--prune 'median' is not known. Available: asha"):
        Options(prune="median")
