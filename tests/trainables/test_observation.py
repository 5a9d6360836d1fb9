"""How runs are observed."""

import pytest

from trainables.errors import SpecError
from trainables.flops import FORWARD, STEP
from trainables.observation import STEP_WORK, Observation


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"evaluation_examples": 0}, "evaluation_examples must be 1 or larger, got 0"),
        ({"evaluation_examples": -1}, "evaluation_examples must be 1 or larger, got -1"),
        ({"evaluation_share": 0.0}, r"evaluation_share must be in \(0, 1\), got 0.0; None is no limit"),
        ({"evaluation_share": 1.0}, r"evaluation_share must be in \(0, 1\), got 1.0; None is no limit"),
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


def test_evaluations_take_their_share_of_the_operations_of_a_run_on_batches():
    """A step does three times the operations of an evaluation of as many examples."""
    assert STEP_WORK == STEP / FORWARD
    for share, batch_size, horizon in ((0.1, 512, 2000), (0.3, 2048, 2000), (0.1, 512, 100_000)):
        observe = Observation(evaluation_share=share)
        limit = observe.examples(batch_size)
        assert limit is not None
        evaluated = 3 * limit * len(observe.evaluations(horizon))  # of three splits
        taken = evaluated / (evaluated + 3 * batch_size * horizon)
        assert taken == pytest.approx(share, rel=0.01) if horizon == 2000 else taken < share
    assert Observation().examples(64) == 500
    assert Observation().examples(None) is None
    assert Observation(evaluation_share=None).examples(64) is None
    assert Observation(evaluation_examples=10).examples(64) == 10
