"""The statistics of repeated data, on losses of which the answer is known."""

import math

import pytest

from analysis.claims.repeated_data import LOSSES, harm_by_share, known_at_peak, peak_height
from study.store.database import Store
from tests.support.studies import small, trained


def runs() -> list[dict]:
    """A peak of 0.2 nats at 16 repeats for half of the data, and of 0.1 for a tenth."""
    return [
        {
            "point": {"task.repeated_share": share, "task.repeats": repeats},
            "fresh_loss": 1.5 + (height if repeats == 16 else 0),
            "repeated_loss": {1: 1.5, 16: 0.3, 256: 0.0}[repeats],
        }
        for share, height in ((0.1, 0.1), (0.3, 0.15), (0.5, 0.2))
        for repeats in (1, 16, 256)
    ]


def test_the_peak_is_that_of_the_largest_share_and_lies_where_the_data_are_known():
    assert peak_height(runs()) == pytest.approx(0.2)
    assert known_at_peak(runs()) == pytest.approx(0.2)
    assert harm_by_share(runs()) == 1
    assert math.isnan(peak_height([]))


def test_losses_are_compared_within_a_seed(tmp_path):
    """Any study has losses; what is asked is SQL alone. A seed that is worse everywhere says nothing."""
    store = Store.open(tmp_path, write=True)
    study = small(seeds=3)
    trained(study, store)
    split = (
        "select run_id, arg_max(value, step) as fresh from metrics where metric = 'loss' and split = 'test' group by 1"
    )
    plain = dict(store.sql(split).fetchall())
    found = dict(store.sql(f"select run_id, fresh_loss from ({LOSSES})").fetchall())
    seeds = dict(store.sql("select run_id, data_seed from runs").fetchall())
    whole = sum(plain.values()) / len(plain)
    for seed in set(seeds.values()):
        of_seed = [run for run in plain if seeds[run] == seed]
        own = sum(plain[run] for run in of_seed) / len(of_seed)
        for run in of_seed:
            assert found[run] == pytest.approx(plain[run] - own + whole)
