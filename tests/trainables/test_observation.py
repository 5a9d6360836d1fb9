"""How runs are observed."""

import pytest

from trainables.errors import SpecError
from trainables.observation import Observation


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"evaluation_examples": 0}, "evaluation_examples must be 1 or larger, got 0; None is all"),
        ({"evaluation_examples": -1}, "evaluation_examples must be 1 or larger, got -1; None is all"),
        ({"evaluations_per_decade": 0}, "evaluations_per_decade must be 1 or larger, got 0"),
        ({"probes_per_decade": 0}, "snapshots_per_decade 0 or larger, got 0 and 0"),
        ({"snapshots_per_decade": -1}, "snapshots_per_decade 0 or larger, got 4 and -1"),
    ],
)
def test_what_cannot_be_observed_is_refused(fields, words):
    with pytest.raises(SpecError, match=words):
        Observation(**fields)


def test_nothing_is_looked_into_or_kept_unless_asked():
    assert Observation().looks(1000) == Observation().snapshots(1000) == []
    assert Observation(probes=("logit_lens",), probes_per_decade=1).looks(1000) == [100, 1000]
    assert Observation(snapshots_per_decade=2).snapshots(1000) == [100, 316, 1000]
