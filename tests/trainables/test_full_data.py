"""Runs that train on everything first and on less from some step on."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.runs import mlp_run, trained, transformer_run
from trainables.checkpoint import Checkpoint
from trainables.errors import SpecError
from trainables.spec import RunSpec

SWITCH, HORIZON = 60, 130


def weights(record, run: RunSpec) -> np.ndarray:
    return record.left[run.run_id].tensors["weights"].numpy()


def test_the_first_steps_are_those_of_a_run_that_has_all_data():
    run = replace(mlp_run(learning_rate=0.005), full_data_steps=SWITCH)
    whole = mlp_run(learning_rate=0.005, fraction=1.0)
    np.testing.assert_allclose(
        weights(trained([run], SWITCH), run), weights(trained([whole], SWITCH), whole), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("batch_size", [None, 32])
def test_the_steps_after_are_those_of_a_run_that_begins_with_these_weights_and_has_less_data(batch_size):
    run = replace(mlp_run(batch_size=batch_size), full_data_steps=SWITCH)
    less = replace(run, full_data_steps=0)
    before = trained([run], SWITCH).left[run.run_id]
    begun = Checkpoint([less.run_id], before.step, before.tensors)
    assert np.array_equal(
        weights(trained([run], HORIZON), run), weights(trained([less], HORIZON, checkpoint=begun), less)
    )


def test_a_run_is_measured_on_its_own_splits_all_along():
    run = replace(mlp_run(fraction=0.3), full_data_steps=HORIZON)
    record = trained([run], HORIZON)
    for split in ("train", "test"):
        assert record.series(run.run_id, split, "accuracy")[HORIZON] == 1, "everything was trained on"
    assert record.series(run.run_id, "test", "accuracy")[0] < 0.2


def test_having_had_all_data_does_not_count_as_generalizing():
    run = replace(mlp_run(fraction=0.3), full_data_steps=HORIZON)
    record = trained([run], HORIZON, leave_when_generalized=True)
    assert record.states[run.run_id].stop_reason == "horizon"


def test_runs_with_other_beginnings_are_packed_apart():
    run = transformer_run()
    assert run.pack_key != replace(run, full_data_steps=5).pack_key
    assert run.run_id == replace(run, full_data_steps=0).run_id


def test_a_number_of_steps_is_not_negative():
    with pytest.raises(SpecError, match="full_data_steps must be 0 or larger, got -1"):
        replace(mlp_run(), full_data_steps=-1)
