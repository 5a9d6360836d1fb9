"""Repeated data: what is repeated how often, what a network can know, and the closed form that peaks the same way."""

import math
from collections import Counter

import pytest
import torch

from analysis.claims.repeated_data import harm_by_share, known_at_peak, peak_height
from analysis.statistics import dip
from tests.support.runs import trained
from trainables.errors import SpecError
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks.repeated import Task

SMALL = {"symbols": 5, "context": 6, "budget": 2000, "test_size": 500}


def test_repeated_examples_fill_their_share_and_occur_as_often_as_asked(subtests):
    for share, repeats, distinct in [(0.5, 1, 1000), (0.5, 8, 125), (0.3, 600, 1), (0.3, 7, 86)]:
        with subtests.test(share=share, repeats=repeats, distinct=distinct):
            task = Task(
                **(SMALL | {"symbols": 60}), repeated_share=share, repeats=repeats
            )  # none comes again by chance
            splits = task.build(3)
            assert len(splits["repeated"].targets_N) == distinct
            rows = Counter(
                map(tuple, torch.cat([splits["train"].inputs_NL, splits["train"].targets_N[:, None]], 1).tolist())
            )
            known = torch.cat([splits["repeated"].inputs_NL, splits["repeated"].targets_N[:, None]], 1).tolist()
            times = [rows[tuple(row)] for row in known]
            assert sum(times) == round(share * 2000)
            assert all(abs(time - repeats) <= 1 for time in times)
            assert rows.total() == 2000


def test_the_rest_and_the_test_split_are_the_same_however_often_the_others_are_repeated():
    once, often = (Task(**SMALL, repeats=repeats).build(0) for repeats in (1, 100))
    assert once["test"].inputs_NL.equal(often["test"].inputs_NL)
    rows = [{*map(tuple, splits["train"].inputs_NL.tolist())} for splits in (once, often)]
    again = {*map(tuple, often["repeated"].inputs_NL.tolist())}
    assert rows[1] - again < rows[0]
    assert "repeated" not in Task(**SMALL, repeated_share=0.0).build(0)


def test_symbols_follow_each_other_as_the_chain_says():
    task = Task(symbols=3, context=40, budget=1, repeated_share=0.0, test_size=4000)
    walks, chain = task.build(1)["test"].inputs_NL, task.chain(1)
    assert torch.allclose(chain.sum(1), torch.ones(3))
    counts = torch.zeros(3, 3).index_put_((walks[:, :-1].flatten(), walks[:, 1:].flatten()), torch.tensor(1.0), True)
    assert torch.allclose(counts / counts.sum(1, keepdim=True), chain, atol=0.01)


def test_a_trained_network_comes_to_the_chains_own_entropy_and_not_below_it():
    spec = RunSpec(
        task=Task(symbols=4, context=3, budget=8192, repeated_share=0.0),
        model=transformer.Model(width=16, heads=2),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=0.0),
        batch_size=64,
    )
    losses = trained([spec], 128, evaluation_share=None).series(spec.run_id, "test", "loss")
    chain_VV, test = spec.task.chain(0), spec.task.build(0)["test"]
    floor = float(-chain_VV[test.inputs_NL[:, -1], test.targets_N].log().mean())
    assert losses[0] > math.log(4) - 0.2
    assert 0 < losses[128] - floor < 0.03


def test_what_cannot_be_is_refused(subtests):
    for changes, message in [
        ({"repeated_share": 1.0}, r"repeated_share must be in \[0, 1\), got 1.0"),
        ({"repeats": 0}, "repeats must be 1 or larger, got 0"),
        ({"repeats": 1001}, "repeats must be at most 1000"),
        ({"symbols": 1}, "symbols must be 2 or larger, got 1"),
        ({"sharpness": -1.0}, "sharpness must be 0 or larger"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=message):
            Task(**(SMALL | changes))


def excess_risk(share: float, repeats: int, p: int = 100, n: int = 500, trials: int = 200) -> float:
    """Mean |w_hat - w|^2 of least squares on n rows of p inputs with noise of variance 1.09, a share of the rows being
    the same few `repeats` times: closed form, what a peak in repeats looks like where everything else is known."""
    distinct = max(1, round(share * n / repeats))
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(trials, n - round(share * n) + distinct, p, generator=draw, dtype=torch.float64)
    noise = math.sqrt(1.09) * torch.randn(*x.shape[:2], 1, generator=draw, dtype=torch.float64)
    weights = torch.ones(x.shape[1], 1, dtype=torch.float64)
    weights[:distinct] = repeats
    gram = x.mT @ (weights * x)
    error = torch.linalg.solve(gram, x.mT @ (weights * noise))
    return float(error.square().sum((1, 2)).mean())


def test_least_squares_with_repeated_rows_is_a_double_descent():
    """The published table, from 400 trials a cell."""
    table = {1: 0.273, 2: 0.356, 5: 0.472, 10: 0.498, 25: 0.482, 50: 0.464, 150: 0.443}
    ours = {repeats: excess_risk(0.3, repeats) for repeats in table}
    assert ours[1] == pytest.approx(1.09 * 100 / (500 - 100 - 1), rel=0.02), "the textbook's risk without repeats"
    for repeats, risk in table.items():
        assert ours[repeats] == pytest.approx(risk, rel=0.04)
    assert dip([-risk for risk in ours.values()]) > 0.03
    assert dip([-excess_risk(0.0, 1)] * 3) == 0


def made_up(peaks: dict[float, float]):
    """Losses over repeats 1, 10, 100: 1, 1 + peak, 1 + peak / 2; repeated examples are known from 10 on."""
    runs = []
    for share, peak in peaks.items():
        for repeats, fresh, known in ((1, 1.0, 1.0), (10, 1 + peak, 0.1), (100, 1 + peak / 2, 0.0)):
            point = {"task.repeated_share": share, "task.repeats": repeats}
            runs.append({"point": point, "fresh_loss": fresh, "repeated_loss": known})
    return runs


def test_claims_on_losses_of_which_the_answer_is_known():
    runs = made_up({0.1: 0.05, 0.3: 0.2, 0.5: 0.4})
    assert peak_height(runs) == pytest.approx(0.2)
    assert known_at_peak(runs) == pytest.approx(0.1)
    assert harm_by_share(runs) == 1
