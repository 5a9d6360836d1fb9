"""One optimizer step, and one evaluation, for all runs of a pack: the single-run module under `torch.func.vmap`."""

# R runs, N examples, L tokens, C classes, W weights, B batch

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from trainables.layout import Layout

LARGE = 1_000_000
"""Weights from which a run trains alone anyway, and a batch of one matrix product would only be slower."""


def example_losses(logits_NC: Tensor, targets_N: Tensor, loss: str) -> Tensor:
    """Loss of each example, (N,): cross-entropy in nats, of softmax or StableMax, or squared error to the one-hot
    target, mean over classes."""
    if loss == "cross_entropy":
        return F.cross_entropy(logits_NC, targets_N, reduction="none")
    if loss == "stablemax":
        # x + 1 from 0 on and 1 / (1 - x) below, without a branch whose gradient is infinite where it is not taken.
        shares_NC = F.relu(logits_NC) + 1 / (1 - logits_NC.clamp(max=0))
        return shares_NC.sum(1).log() - shares_NC.gather(1, targets_N[:, None])[:, 0].log()
    targets_NC = targets_N[:, None] == torch.arange(logits_NC.shape[1], device=logits_NC.device)
    return (logits_NC - targets_NC.to(logits_NC.dtype)).square().mean(1)


def make_train_step(
    module: nn.Module, layout: Layout, optimizer: Any, loss: str, precision: torch.dtype
) -> Callable[..., None]:
    """`step(weights_RW, state, columns, inputs_RNL, targets_RN, weights_RN, index_RB, keys_R)`, in place.

    `columns` are the optimizer's for this step. `weights_RN` is each example's share of the mean loss. `index_RB`
    chooses a batch; None takes every example. `keys_R` are for dropout; None without it.
    """

    def run_loss(vector_W: Tensor, inputs_NL: Tensor, targets_N: Tensor, weights_N: Tensor, *key: Tensor) -> Tensor:
        # The cast is part of the graph: gradients come back to the float32 weights.
        logits_NC = functional_call(module, layout.named(vector_W.to(precision)), (inputs_NL, *key))
        return (example_losses(logits_NC.float(), targets_N, loss) * weights_N).sum()

    gradients = for_runs(grad(run_loss), layout)

    def step(
        weights_RW: Tensor,
        state: dict[str, Tensor],
        columns: dict[str, Tensor],
        inputs_RNL: Tensor,
        targets_RN: Tensor,
        weights_RN: Tensor,
        index_RB: Tensor | None,
        keys_R: Tensor | None,
    ) -> None:
        if index_RB is not None:
            inputs_RNL = inputs_RNL.gather(1, index_RB[:, :, None].expand(-1, -1, inputs_RNL.shape[2]))
            targets_RN = targets_RN.gather(1, index_RB)
            weights_RN = torch.full_like(index_RB, 1 / index_RB.shape[1], dtype=torch.float32)
        keys = () if keys_R is None else (keys_R,)
        grads_RW = gradients(weights_RW, inputs_RNL, targets_RN, weights_RN, *keys)
        optimizer.update(weights_RW, grads_RW, state, columns, layout)

    return step


def for_runs(function: Callable[..., Any], layout: Layout) -> Callable[..., Any]:
    """`function` of one run's tensors, for a pack's: mapped over runs, and called plainly for a large run alone.

    A small one is mapped even alone: another kernel would round differently, and a pack of which one run is left to
    train goes on with the numbers of the whole pack.
    """

    def call(*tensors: Tensor) -> Any:
        if len(tensors[0]) > 1 or layout.num_params < LARGE:
            return vmap(function)(*tensors)
        result = function(*(tensor[0] for tensor in tensors))
        return result[None] if isinstance(result, Tensor) else tuple(part[None] for part in result)

    return call


def make_evaluation(
    module: nn.Module, layout: Layout, loss: str, precision: torch.dtype
) -> Callable[..., tuple[Tensor, Tensor]]:
    """`evaluate(weights_RW, inputs_RNL, targets_RN)` -> loss and correctness of every example, both (R, N) floats.

    An answer counts as correct only if its logit is finite, so that a diverged run does not score by accident.
    """

    def run_scores(vector_W: Tensor, inputs_NL: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
        logits_NC = functional_call(module, layout.named(vector_W.to(precision)), (inputs_NL,)).float()
        best_N, answer_N = logits_NC.max(1)
        correct_N = (answer_N == targets_N) & best_N.isfinite()
        return example_losses(logits_NC, targets_N, loss), correct_N.to(logits_NC.dtype)

    return torch.no_grad()(for_runs(run_scores, layout))
