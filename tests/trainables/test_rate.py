"""Schedules and initial scales of the runs of one pack: each as if it were alone, and no bit changes at a stop."""

import pytest
import torch

from tests.support.runs import mlp_run, stopped, trained, transformer_run
from trainables.seeds import generator
from trainables.spec import RunSpec

HORIZON = 300


def falling() -> list[RunSpec]:
    """A constant rate has a pack of its own; these fall to zero at 100, 200 and 400 steps."""
    return [
        mlp_run(seed=seed).with_values(
            {"optimizer.schedule": "cosine", "optimizer.schedule_steps": steps, "optimizer.warmup_steps": 5.0 * seed}
        )
        for seed, steps in enumerate((100, 200, 400))
    ]


def test_in_a_pack_each_run_has_its_own_schedule():
    runs = falling()
    together = trained(runs, HORIZON)
    for run in runs:
        alone = trained([run], HORIZON)
        ours, theirs = (r.series(run.run_id, "train", "loss") for r in (together, alone))
        assert list(ours.values()) == pytest.approx(list(theirs.values()), rel=1e-4, abs=1e-7)
    last = [list(together.series(run.run_id, "model", "weight_norm").items()) for run in runs]
    for rows, end in zip(last, (100, 200), strict=False):
        after = {value for step, value in rows if step >= end}
        assert len(after) == 1, "it is at rest"
    assert len({value for step, value in last[2] if step >= 200}) > 1


def test_a_run_that_goes_on_from_a_checkpoint_has_the_rates_of_one_that_never_stopped():
    runs = falling()
    whole = trained(runs, HORIZON)
    state = stopped(runs, HORIZON, 15).flushes[-1].running
    assert state is not None
    assert 0 < state.step < 100
    after = trained(runs, HORIZON, checkpoint=state)
    assert {row: value for row, value in whole.values.items() if row[1] > state.step} == after.values


def test_initial_scales_differ_in_a_pack_and_are_factors_on_all_weights():
    runs = [transformer_run().with_values({"model.init_scale": scale}) for scale in (1.0, 4.0)]
    assert len({run.pack_key for run in runs}) == 1
    assert len({run.run_id for run in runs}) == 2
    small, large = (dict(run.model.build(run.task, generator("init", 0)).named_parameters()) for run in runs)
    assert all(torch.equal(4 * weight, large[name]) for name, weight in small.items())
    together = trained(runs, 50)
    for run in runs:
        ours, theirs = (r.series(run.run_id, "train", "loss") for r in (together, trained([run], 50)))
        assert list(ours.values()) == pytest.approx(list(theirs.values()), rel=1e-4)


def test_an_output_scale_is_a_factor_on_the_logits():
    run = mlp_run()
    inputs_NL = run.task.build(0)["train"].inputs_NL
    one, ten = (
        spec.model.build(spec.task, generator("init", 0))(inputs_NL)
        for spec in (run, run.with_values({"model.output_scale": 10}))
    )
    torch.testing.assert_close(10 * one, ten)
    assert run.run_id == run.with_values({"model.output_scale": 1}).run_id


def test_a_summed_squared_error_is_the_mean_times_the_classes():
    """With a rate that falls by as much and without Adam, runs are the same."""
    base = mlp_run(p=23).with_values({"optimizer": "sgd", "optimizer.learning_rate": 1.0, "optimizer.weight_decay": 0})
    runs = [base, base.with_values({"loss": "sse", "optimizer.learning_rate": 1 / 23})]
    mean, total = (trained([run], 50).series(run.run_id, "train", "loss") for run in runs)
    assert [23 * value for value in mean.values()] == pytest.approx(list(total.values()), rel=1e-3)
