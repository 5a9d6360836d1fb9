"""The statistics of omnigrok, on runs of which the answer is known."""

import itertools
import math

import pytest

from analysis.claims.omnigrok import fitting, generalizing, grokking_by_scale, groks, prompt_at_small_scales


def run(scale, decay, fit, generalize):
    facts = {"weight_decay": decay, "train_step_95": fit, "test_step_90": generalize, "horizon": 5000}
    return facts | {"point": {"model.init_scale": scale, "optimizer.weight_decay": decay}}


def made_up(power=-1.0, fit_power=0.0):
    """By the law at scale 3; at once at scales up to 1."""
    return [
        run(scale, decay, 10 if scale <= 1 else 30 * decay**fit_power, 20 if scale <= 1 else 200 * decay**power)
        for scale, decay in itertools.product((0.5, 1.0, 3.0), (0.05, 0.1, 0.2, 0.4))
    ]


def test_powers_of_the_decay_are_those_at_the_largest_scale():
    assert generalizing(made_up()) == pytest.approx(-1)
    assert fitting(made_up()) == pytest.approx(0, abs=1e-12)
    assert fitting(made_up(fit_power=-0.5)) == pytest.approx(0.5)
    assert math.isnan(generalizing([r for r in made_up() if r["weight_decay"] > 0.1]))
    assert math.isnan(generalizing([r | {"test_step_90": None} for r in made_up()]))


def test_a_run_groks_from_a_hundredth_of_the_horizon_between_fit_and_generalization():
    assert [groks(run(1, 1, 10, step)) for step in (5, 59, 60, 4000, None)] == [False, False, True, True, False]
    assert not groks(run(1, 1, None, 100))
    assert not groks(run(1, 1, None, None))


def test_grokking_comes_with_the_scale():
    assert prompt_at_small_scales(made_up()) == 1
    assert grokking_by_scale(made_up()) == 1
    always = [r | {"train_step_95": 10, "test_step_90": 900} for r in made_up()]
    assert (prompt_at_small_scales(always), grokking_by_scale(always)) == (0, 0)
    never = [r | {"test_step_90": None} for r in made_up()]
    assert (prompt_at_small_scales(never), grokking_by_scale(never)) == (0, 0)
