"""The statistics of claims about grokked transformers, on runs of which the answer is known."""

import math

import pytest

from analysis.claim_check import ended_runs
from analysis.claims.grokked_transformers import (
    LOOKS,
    bridge_is_readable,
    epochs_by_size,
    grokked,
    ood_accuracy,
    over_chance_when_shared,
    r2_becomes_readable,
    steps_with,
    strength_moves,
)
from tests.support.synthetic import run, run_id_of, write_study
from trainables.examine import COLUMNS as PROBE_COLUMNS


def runs(**columns):
    """Runs of two seeds with these columns, a list for each."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [row | {"point": {}} for row in rows for _ in range(2)]


def test_a_run_that_never_generalizes_is_the_slowest():
    assert steps_with("ratio", runs(ratio=[4.0, 8.0, 16.0], test_step_90=[None, 500, 100])) == -1
    assert steps_with("weight_decay", runs(weight_decay=[0.1, 0.3, 1.0], test_step_90=[100, 500, None])) == 1
    assert math.isnan(steps_with("ratio", runs(ratio=[4.0, 8.0, 16.0], test_step_90=[None, None, None])))


def test_steps_are_counted_in_epochs():
    assert epochs_by_size(runs(data_size=[100, 200], test_step_90=[50, 100])) == 0
    assert epochs_by_size(runs(data_size=[100, 200], test_step_90=[50, 50])) == pytest.approx(-math.log(2))
    assert math.isnan(epochs_by_size(runs(data_size=[100, 200], test_step_90=[50, None])))


def test_only_runs_that_generalize_are_asked_what_they_do_out_of_distribution():
    assert ood_accuracy(runs(test_step_90=[5, 5, None], final_ood_accuracy=[0.2, 0.4, 0.9])) == pytest.approx(0.3)
    assert math.isnan(ood_accuracy(runs(test_step_90=[None], final_ood_accuracy=[0.9])))


def test_deeper_models_that_need_fewer_steps_correlate_negatively():
    assert steps_with("layers", runs(layers=[1, 2, 3], test_step_90=[None, 700, 500])) == -1
    assert steps_with("layers", runs(layers=[1, 2, 3], test_step_90=[500, 700, None])) == 1


def test_accuracy_of_shared_layers_is_over_chance():
    rows = runs(final_ood_accuracy=[0.3, 0.9], chance_accuracy=[0.1, 0.1])
    for row, loops in zip(rows, (2, 2, 1, 1), strict=True):
        row["point"] = {"model.loops": loops}
    assert over_chance_when_shared(rows) == pytest.approx(3)


AT = [1, 10, 100, 1000]
TRAIN, LATE, SOON = [0.0, 0.95, 1.0, 1.0], [0.0, 0.1, 0.5, 1.0], [0.0, 0.9, 1.0, 1.0]
STATES = {
    ("strength", "h"): [1.0, 0.4, 0.2, 0.1],
    ("strength", "r1"): [0.0, 0.6, 0.8, 0.9],
    ("mrr_bridge", "r1"): [0.0, 0.9, 0.7, 1.0],
    ("mrr_r2", "r2"): [0.9, 0.1, 0.3, 0.8],
}
"""By metric and position. Only what comes after the fit, at step 10, counts."""


def test_states_are_compared_from_the_fit_to_the_end_in_runs_that_grok(tmp_path):
    rows = [
        (run_id_of(name), step, "probe", layer, position, metric, value if layer == 1 else 0.123)
        for name in ("late", "soon", "never")
        for (metric, position), values in STATES.items()
        for step, value in zip(AT, values, strict=True)
        for layer in (0, 1, 2)
    ]
    findings = {column: [row[i] for row in rows] for i, column in enumerate(PROBE_COLUMNS)}
    curves = {"late": LATE, "soon": SOON, "never": [0.0] * 4}
    trained = [
        run(name, {"train.accuracy": TRAIN, "test.accuracy": test}, at=AT, horizon=1000, steps=1000, layers=2)
        for name, test in curves.items()
    ]
    store = write_study(tmp_path, trained, findings=findings, study="toy")
    found = ended_runs(store, "toy", 1000, LOOKS)
    assert [r["run_id"] for r in grokked(found)] == [run_id_of("late")]
    assert strength_moves(found) == pytest.approx((0.9 - 0.6) - (0.1 - 0.4))
    assert bridge_is_readable(found) == pytest.approx(0.7)
    assert r2_becomes_readable(found) == pytest.approx(0.8 - 0.1)
    assert math.isnan(strength_moves([r for r in found if r["run_id"] != run_id_of("late")]))
