"""The views `curves`, `outcomes` and `cells`, on a store whose parts a recorder wrote."""

import math
import statistics

import pyarrow as pa
import pytest

from analysis.classify import columns_read
from study.store.database import Store
from study.store.definitions import definitions, ours
from study.store.views import view_statements
from tests.support.synthetic import STEPS, run, run_id_of, step_up, write_study

NORM = [10.0 + i for i in range(len(STEPS))]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    dips = step_up(100)
    dips[-1] = 0.2
    rough = [0.0] * 9 + [0.4, 0.6]
    diverged = [0.0, 0.96, 0.96, *[math.nan] * 8]
    runs = [
        run("grokked", {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05), "model.weight_norm": NORM}),
        run("dipped", {"train.accuracy": step_up(5), "test.accuracy": dips}),
        run("rough", {"train.accuracy": rough, "test.accuracy": rough}),
        run("diverged", {"train.accuracy": diverged, "test.accuracy": diverged, "train.loss": diverged,
                         "model.weight_norm": [math.nan if math.isnan(x) else 3.0 for x in diverged]},
            stop_reason="diverged"),
        run("lost", {}),
        run("waiting", {}, status="planned"),
    ]  # fmt: skip
    return write_study(tmp_path_factory.mktemp("store"), runs)


def outcome(store: Store, name: str) -> dict:
    [row] = (
        store.sql("select * from outcomes where run_id = $name", {"name": run_id_of(name)}).to_arrow_table().to_pylist()
    )
    return row


def test_curves_have_one_row_per_run_and_step(store):
    assert store.sql("select count(*), count(distinct (run_id, step)) from curves").fetchall() == [(44, 44)]


def test_outcomes_have_one_row_per_run_even_without_records(store):
    names = store.sql("select run_id from outcomes order by 1").fetchall()
    assert names == store.sql("select run_id from runs order by 1").fetchall()


def test_a_run_without_records_has_no_measures_and_is_censored(store):
    row = outcome(store, "lost")
    known = {"run_id", "status", "stop_reason", "label_corruption", "chance_accuracy", "censored"}
    assert row["censored"]
    assert row["status"] == "finished"
    assert {name for name, value in row.items() if value is not None} == known


def test_a_run_whose_answers_are_numbers_has_no_phase(tmp_path):
    store = write_study(tmp_path, [run("numbers", {"train.loss": NORM, "test.loss": NORM}, chance_accuracy=None)])
    found = store.sql("select definition, phase from phases order by 1").fetchall()
    assert found == [(name, "unresolved") for name in definitions()]


def test_a_passage_is_the_first_step_at_the_level_and_null_when_never_reached(store):
    grokked, rough = outcome(store, "grokked"), outcome(store, "rough")
    assert (grokked["train_step_90"], grokked["test_step_99"], grokked["censored"]) == (5, 200, False)
    assert (rough["test_step_50"], rough["test_step_90"], rough["censored"]) == (1000, None, True)
    assert grokked["ood_step_50"] is None
    assert grokked["final_ood_accuracy"] is None


def test_a_later_dip_does_not_undo_a_passage(store):
    row = outcome(store, "dipped")
    assert (row["test_step_95"], row["max_test_accuracy"], row["final_test_accuracy"]) == (100, 1.0, 0.2)


def test_nan_counts_as_no_accuracy_and_as_no_norm(store):
    row = outcome(store, "diverged")
    assert (row["test_step_95"], row["test_step_99"], row["horizon"]) == (1, None, 1000)
    assert (row["max_test_accuracy"], row["final_train_accuracy"], row["final_norm"]) == (0.96, 0.0, 3.0)


def test_norms_are_taken_where_the_accuracies_reach_95_percent(store):
    row = outcome(store, "grokked")
    assert row["initial_norm"] == NORM[0]
    assert row["norm_at_train_step"] == NORM[STEPS.index(5)]
    assert row["norm_at_test_step"] == NORM[STEPS.index(200)]
    assert row["final_norm"] == NORM[-1]


def test_the_onset_is_where_the_test_accuracy_clearly_leaves_chance(store):
    assert outcome(store, "grokked")["train_accuracy_at_test_onset"] == 1.0
    assert outcome(store, "rough")["train_accuracy_at_test_onset"] == 0.4


def test_the_spread_is_over_the_last_tenth_and_at_least_two_evaluations(store):
    assert outcome(store, "rough")["final_test_sd"] == pytest.approx(statistics.stdev([0.4, 0.6]))


def test_views_give_no_decimals_and_no_huge_integers(store):
    for view in ("curves", "outcomes", "phases", "cells"):
        for field in store.sql(f"select * from {view} limit 0").to_arrow_table().schema:
            assert not pa.types.is_decimal(field.type), (view, field)


def test_definitions_read_only_columns_that_outcomes_has(store):
    columns = store.sql("select * from outcomes limit 0").to_arrow_table().column_names
    for name in definitions():
        assert set(columns_read(ours(name))) <= set(columns), name


def test_every_view_file_starts_with_its_grain():
    for source, statement in view_statements().items():
        if source.endswith(".sql"):
            assert "\n-- One row per " in statement, source


def test_cells_carry_wilson_intervals(tmp_path, subtests):
    for hits, total, low, high in [(3, 4, 0.3006, 0.9544), (4, 4, 0.5101, 1.0)]:
        with subtests.test(hits=hits, total=total, low=low, high=high):
            fits = {"train.accuracy": step_up(5), "test.accuracy": step_up(None)}
            fails = {"train.accuracy": step_up(None), "test.accuracy": step_up(None)}
            runs = [run(f"r{i}", fits if i < hits else fails, {"seedless": 1}, seed=i) for i in range(total)]
            store = write_study(tmp_path / str(hits), runs, axes={"seedless": [1]})
            cells = store.sql("select * from cells where definition = 'liu2022' and phase = 'memorization'")
            [cell] = cells.to_arrow_table().to_pylist()
            assert (cell["study"], cell["point"], cell["runs"], cell["total"]) == (
                "toy",
                '{"seedless": 1}',
                hits,
                total,
            )
            assert cell["fraction"] == hits / total
            assert (cell["low"], cell["high"]) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
