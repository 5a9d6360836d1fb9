"""When a run is evaluated."""

import itertools

import numpy as np
import pytest

from trainables.schedule import evaluation_steps, looking_steps


def test_evaluation_steps_ascend_from_0_to_the_horizon_and_do_not_depend_on_the_past(subtests):
    for horizon, per_decade in itertools.product([0, 1, 5, 10, 11, 99, 100, 101, 12_345], [1, 3, 24, 100]):
        with subtests.test(horizon=horizon, per_decade=per_decade):
            steps = evaluation_steps(horizon, per_decade)
            assert steps == sorted(set(steps)) == evaluation_steps(horizon, per_decade)
            assert (steps[0], steps[-1]) == (0, horizon)
            assert set(range(min(horizon, 10) + 1)) <= set(steps)
            for after in (0, 5, horizon // 2, horizon):
                assert evaluation_steps(horizon, per_decade, after) == [step for step in steps if step > after]
            longer = evaluation_steps(10 * horizon + 1, per_decade)
            assert set(steps) - {horizon} <= set(longer)


def test_evaluation_steps_are_spaced_evenly_on_a_log_axis():
    steps = [step for step in evaluation_steps(10**6, 24) if step >= 100]
    ratios = np.diff(np.log10(steps))
    assert len(steps) == 4 * 24 + 1
    assert ratios == pytest.approx(1 / 24, rel=0.12)


def test_evaluation_steps_are_these():
    """Powers of 10 ** (1 / per_decade), rounded. Another grid would be another set of records under the same run id."""
    to_10 = list(range(11))
    assert evaluation_steps(1000, 4) == [*to_10, 18, 32, 56, 100, 178, 316, 562, 1000]
    assert evaluation_steps(60, 8) == [*to_10, 13, 18, 24, 32, 42, 56, 60]
    assert evaluation_steps(100, 1) == [*to_10, 100]
    assert evaluation_steps(101, 1) == [*to_10, 100, 101]
    assert evaluation_steps(15) == [*to_10, 11, 12, 13, 15]
    assert looking_steps(1000, 4) == [100, 178, 316, 562, 1000]
    assert looking_steps(300, 2) == [100, 300]
    assert looking_steps(50, 2) == [50]
    assert looking_steps(1000, 0) == []
