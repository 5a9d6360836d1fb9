"""The statistics of feature_emergence, on runs of which the answer is known."""

import itertools
import math

import pytest

from analysis.claims.feature_emergence import (
    alignment_gain,
    constant,
    critical_fractions,
    fall,
    more_for_symmetric,
    order,
    signal_gain,
    without_decay,
)
from analysis.claims.feature_emergence_muon import spared, width_gain

ORDERS, FRACTIONS = (11, 23, 47, 97), [i / 50 for i in range(1, 50)]


def made_up(critical, decay=1.0, orders=ORDERS):
    """Runs generalize from the critical fraction of their order on."""
    return [
        {
            "data_size": round(fraction * m**2),
            "train_fraction": round(fraction * m**2) / m**2,
            "weight_decay": decay,
            "test_step_95": 100 if fraction >= critical(m) else None,
        }
        for m, fraction in itertools.product(orders, FRACTIONS)
    ]


def law(m):
    return 2.5 * math.log(m) / m


def test_the_order_is_found_from_the_size_of_the_table():
    assert {order(run) for run in made_up(law)} == set(ORDERS)


def test_the_critical_fraction_is_where_half_of_the_runs_generalize():
    found = critical_fractions(made_up(law))
    assert list(found) == list(ORDERS)
    assert all(abs(found[m] - law(m)) < 0.02 for m in ORDERS)


def test_a_law_of_log_m_over_m_has_power_one_and_a_constant_power_zero():
    assert fall(made_up(law)) == pytest.approx(1, abs=0.15)
    assert fall(made_up(lambda m: 0.41)) == pytest.approx(0, abs=0.05)
    assert constant(made_up(law)) == pytest.approx(2.5, rel=0.1)


def test_orders_at_which_nothing_or_everything_generalizes_do_not_count():
    assert critical_fractions(made_up(lambda m: 0.0 if m < 20 else 2.0)) == {}
    assert math.isnan(fall(made_up(law, orders=(11, 23))))


def test_runs_without_decay_are_counted_where_runs_with_decay_generalize():
    decayed = made_up(lambda m: 0.5)
    assert without_decay(decayed + made_up(lambda m: 2.0, decay=0.0)) == 0
    half = made_up(lambda m: 0.5 if m < 40 else 2.0, decay=0.0)
    assert without_decay(decayed + half) == pytest.approx(0.5, abs=0.02)
    assert math.isnan(without_decay(decayed))


def test_groups_of_one_order_are_compared_by_their_fractions():
    runs = [
        {"point": {"task.group": name}} | run
        for name, critical in (("Z24", 0.3), ("D12", 0.45), ("S4", 0.6))
        for run in made_up(lambda m, critical=critical: critical, orders=(24,))
    ]
    assert more_for_symmetric(runs) == pytest.approx(2, rel=0.05)
    assert math.isnan(more_for_symmetric([run for run in runs if run["point"]["task.group"] == "S4"]))


def test_optimizers_are_compared_by_the_width_they_need():
    widths, needed = (8, 16, 32, 64, 128), {"adamw": 64, "muon": 16}
    runs = [
        {"optimizer": name, "width": width, "test_step_95": 10 if width >= needed[name] else None}
        for name, width in itertools.product(needed, widths)
    ]
    assert width_gain(runs) == pytest.approx(4)
    assert math.isnan(width_gain(runs[:5]))
    never = [run | {"test_step_95": None} for run in runs[5:]]
    assert width_gain(runs[:5] + never) == 0
    assert math.isnan(width_gain([run | {"test_step_95": None} for run in runs]))


def test_signals_are_compared_at_points_with_and_without_decay():
    both = {"data_size": 100, "train_fraction": 100 / 17**2}
    runs = [
        both | {"weight_decay": 1.0, "signal_norm": 0.4, "signal_alignment": 0.5},
        both | {"weight_decay": 0.0, "signal_norm": 0.1, "signal_alignment": 0.1},
        both | {"weight_decay": 0.0, "signal_norm": None, "signal_alignment": None},
        {"data_size": 50, "train_fraction": 50 / 17**2, "weight_decay": 1.0, "signal_norm": 9, "signal_alignment": -1},
    ]
    assert signal_gain(runs) == pytest.approx(math.log(4))
    assert alignment_gain(runs) == pytest.approx(0.4)
    assert math.isnan(signal_gain(runs[:1]))


def test_units_in_use_are_those_of_the_widest_runs_that_generalize():
    facts = [("adamw", 96, 1.0, 9), ("muon", 96, 0.6, 9), ("muon", 96, 0.0, None), ("adamw", 48, 0.2, 9)]
    runs = [
        {"optimizer": name, "width": width, "live_units": live, "test_step_95": step}
        for name, width, live, step in facts
    ]
    assert spared(runs) == pytest.approx(0.4)
    assert math.isnan(spared(runs[1:]))
    assert math.isnan(spared([]))
