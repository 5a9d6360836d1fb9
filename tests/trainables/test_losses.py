"""StableMax against its formula in float64, and where softmax collapses and it does not."""

import pytest
import torch
from torch import Tensor

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
