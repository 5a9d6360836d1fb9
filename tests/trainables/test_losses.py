"""StableMax against its formula in float64, and where softmax collapses, in 16, 32 and 64 bits, and it does not."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.support.runs import mlp_run, trained
from trainables.spec import LOSSES
from trainables.step import example_losses

TARGETS = torch.tensor([0, 2, 1, 2])


def logits(scale: float, dtype: torch.dtype = torch.float64) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    return (scale * torch.randn(4, 3, generator=draw, dtype=torch.float64)).to(dtype).requires_grad_()


def test_stablemax_is_the_log_of_the_targets_share(subtests):
    for scale in [1e-3, 1.0, 1e4]:
        with subtests.test(scale=scale):
            logits_NC = logits(scale)
            for n, (row, target) in enumerate(zip(logits_NC.tolist(), TARGETS.tolist(), strict=True)):
                shares = [x + 1 if x >= 0 else 1 / (1 - x) for x in row]
                expected = -torch.tensor(shares[target] / sum(shares), dtype=torch.float64).log()
                torch.testing.assert_close(
                    example_losses(logits_NC, TARGETS, "stablemax")[n], expected, rtol=1e-12, atol=1e-12
                )


def test_stablemax_has_the_gradient_of_its_formula_also_at_0_and_1():
    assert torch.autograd.gradcheck(lambda x: example_losses(x, TARGETS, "stablemax"), (logits(2.0),))
    edges_NC = torch.tensor([[0.0, 1.0, -1.0]], dtype=torch.float64, requires_grad=True)
    example_losses(edges_NC, torch.tensor([0]), "stablemax").sum().backward()
    # shares 1, 2, 1/2 and their slopes 1, 1, 1/4; the loss is log(3.5) - log(1)
    torch.testing.assert_close(edges_NC.grad, torch.tensor([[1 / 3.5 - 1, 1 / 3.5, 0.25 / 3.5]], dtype=torch.float64))


@pytest.mark.parametrize(("loss", "collapses"), [("cross_entropy", True), ("stablemax", False)])
def test_softmax_collapses_on_large_logits_and_stablemax_does_not(loss, collapses):
    """In float32 the exponentials of the wrong classes are lost beside that of the target, and so is the gradient."""
    fitted_NC = torch.eye(3, requires_grad=True)
    example_losses(200 * fitted_NC, torch.arange(3), loss).sum().backward()
    assert fitted_NC.grad is not None
    assert (fitted_NC.grad == 0).all() == collapses


def test_every_loss_falls_as_the_targets_logit_rises(subtests):
    for loss in LOSSES:
        with subtests.test(loss=loss):
            below, above = (torch.tensor([[0.0, x, 0.0]]) for x in (-0.5, 0.5))
            assert example_losses(above, torch.tensor([1]), loss) < example_losses(below, torch.tensor([1]), loss)


BITS = {"cross_entropy_16": 11, "cross_entropy": 24, "cross_entropy_64": 53}
"""Significant bits of the numbers that the softmax is computed in."""


@pytest.mark.parametrize("loss", BITS)
def test_a_softmax_in_every_precision_is_cross_entropy(loss):
    logits_NC = logits(2.0, torch.float32)
    expected_N = F.cross_entropy(logits_NC.double(), TARGETS, reduction="none")
    losses_N = example_losses(logits_NC, TARGETS, loss)
    assert losses_N.dtype == torch.float32
    torch.testing.assert_close(losses_N.double(), expected_N, rtol=2e-3, atol=2e-3)
    [found_NC] = torch.autograd.grad(losses_N.sum(), logits_NC)
    [gradient_NC] = torch.autograd.grad(expected_N.sum(), logits_NC)
    torch.testing.assert_close(found_NC, gradient_NC, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize(("loss", "bits"), BITS.items())
def test_a_loss_is_zero_once_the_wrong_classes_are_lost_in_the_sum(loss, bits):
    """1 + e^-x is 1 from e^-x = 2^-bits on: then the right class has no gradient, while the wrong one still has."""
    for x, collapsed in ((0.99 * bits * math.log(2), False), (1.01 * bits * math.log(2), True)):
        logits_NC = torch.tensor([[x, 0.0]], requires_grad=True)
        value = example_losses(logits_NC, torch.tensor([0]), loss).sum()
        assert (value == 0) == collapsed
        value.backward()
        assert logits_NC.grad is not None
        assert (logits_NC.grad[0, 0] == 0) == collapsed
        assert logits_NC.grad[0, 1] > 0


def test_float16_loses_small_gradients_and_survives_large_logits():
    logits_NC = torch.tensor([[1e5, 1e5 - 18.0, 0.0]], requires_grad=True)
    example_losses(logits_NC, torch.tensor([0]), "cross_entropy_16").sum().backward()
    assert logits_NC.grad is not None
    assert (logits_NC.grad == 0).all()


@pytest.mark.parametrize("loss", ["cross_entropy_16", "cross_entropy_64"])
def test_precision_of_the_softmax_is_kept_in_a_pack_and_where_others_are_compiled(loss):
    runs = [mlp_run(loss=loss, width=64, weight_decay=0.0, seed=seed) for seed in range(2)]
    plain, compiled, alone = trained(runs, 40), trained(runs, 40, compile="on"), trained(runs[:1], 40)
    for found in (compiled, alone):
        assert found.values == pytest.approx({row: plain.values[row] for row in found.values}, rel=1e-3, abs=1e-4)
