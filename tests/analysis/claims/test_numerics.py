"""Claims of numerics and of slingshots: made-up runs that show what the papers say, and learners of which nothing is
true."""

import itertools
import math

import numpy as np
import pytest

from analysis.claim import REPRODUCED, Runs
from analysis.claims import numerics, slingshots
from analysis.claims.numerics import BITS, collapse_step, sooner_by_bits
from analysis.claims.slingshots import spiked
from tests.support.controls import SEEDS, verdict


def softmaxes(learner) -> Runs:
    """Runs of `numerics`; `learner(numbers, bits, decay)` gives the step of the collapse, None for never, the largest
    share of zero losses and the highest test accuracy."""
    runs, numbers = [], np.random.default_rng(0)
    for (loss, bits), decay in itertools.product(BITS.items(), (0.0, 1.0)):
        for seed in range(SEEDS):
            step, share, accuracy = learner(numbers, bits, decay)
            run = {"point": {"loss": loss, "optimizer.weight_decay": decay}, "seed": seed, "weight_decay": decay}
            run |= {f"share_{other}": share for other in BITS.values()}
            runs.append(run | {f"collapse_{other}": step for other in BITS.values()} | {"max_test_accuracy": accuracy})
    return runs


def paper(numbers: np.random.Generator, bits: int, decay: float):
    if decay:
        return None, 0.0, 1.0
    return 40 * bits if bits < 64 else None, 0.9 if bits < 64 else 0.3, bits / 100 + 0.01 * numbers.normal()


def untrained(numbers: np.random.Generator, bits: int, decay: float):
    return None, 0.0, 0.05


def memorizer(numbers: np.random.Generator, bits: int, decay: float):
    """Collapses like any softmax, at one step whatever its bits, and never generalizes."""
    return round(1000 * math.exp(0.05 * numbers.normal())), 0.9, 0.05 + 0.01 * numbers.normal()


def chance(numbers: np.random.Generator, bits: int, decay: float):
    return round(1000 * math.exp(numbers.normal())), numbers.random(), numbers.random()


TRUE_OF = {("softmax_collapses", memorizer)}


@pytest.mark.parametrize("claim", numerics.CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_about_the_softmax_holds_where_the_paper_has_it(claim):
    assert (verdict(claim, softmaxes(paper)) == REPRODUCED) == (claim.name != "float32_generalizes_first")
    for learner in (untrained, memorizer, chance):
        assert (verdict(claim, softmaxes(learner)) == REPRODUCED) == ((claim.name, learner) in TRUE_OF)


def test_a_collapse_that_never_comes_is_later_than_any():
    runs = softmaxes(paper)
    assert [collapse_step(runs, bits) for bits in (16, 32, 64)] == [640, 1280, math.inf]
    assert sooner_by_bits(runs) == pytest.approx(math.log(2))
    assert math.isnan(sooner_by_bits(softmaxes(untrained)))


def losses(rise) -> Runs:
    """Runs of `slingshots`; `rise(numbers, epsilon, loss)` gives how far ln(loss) rose, and the final test accuracy."""
    runs, numbers = [], np.random.default_rng(0)
    for epsilon, loss in itertools.product((1e-8, 1e-5), ("cross_entropy", "cross_entropy_64")):
        for seed in range(SEEDS):
            height, accuracy = rise(numbers, epsilon, loss)
            run = {"point": {"optimizer.epsilon": epsilon, "loss": loss}, "seed": seed}
            runs.append(run | {"rise": height, "final_test_accuracy": accuracy})
    return runs


def told(numbers: np.random.Generator, epsilon: float, loss: str):
    spike = epsilon == 1e-8 and loss == "cross_entropy"
    return (5.0, 1.0) if spike else (0.5, 0.1)


def never_fitted(numbers: np.random.Generator, epsilon: float, loss: str):
    return None, 0.05


def noisy(numbers: np.random.Generator, epsilon: float, loss: str):
    """Spikes everywhere, as a learning rate that is too large makes them."""
    return 5.0, 0.5 + 0.05 * numbers.normal()


def smooth(numbers: np.random.Generator, epsilon: float, loss: str):
    return abs(numbers.normal()), 0.5 + 0.05 * numbers.normal()


@pytest.mark.parametrize("claim", slingshots.CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_about_spikes_holds_where_the_papers_have_them(claim):
    assert verdict(claim, losses(told)) == REPRODUCED
    for learner in (never_fitted, noisy, smooth):
        assert verdict(claim, losses(learner)) != REPRODUCED


def test_a_tenfold_rise_is_a_spike():
    assert [spiked({"rise": rise}) for rise in (None, 0.0, 2.2, 2.4)] == [False, False, False, True]
