"""One optimizer step, and one evaluation, for all runs of a pack: the single-run module under `torch.func.vmap`."""

# R runs, N examples, L tokens, T answers, C classes, W weights, B batch

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from trainables.answers import UNSCORED
from trainables.device import PROFILES
from trainables.layout import Layout

SOFTMAX = {"cross_entropy_16": torch.float16, "cross_entropy_64": torch.float64}
"""What the softmax of a loss is computed in, where that is not the float32 of all else."""


def example_losses(logits_NC: Tensor, targets_N: Tensor, loss: str) -> Tensor:
    """Loss of each example, (N,): cross-entropy in nats, of softmax (in 16, 32 or 64 bits) or StableMax, or squared
    error to the one-hot target, mean (`mse`) or sum (`sse`) over classes.

    Of several answers, logits (N, T, C) and targets (N, T), it is the mean over those that are asked for. To targets
    that are floats it is the squared error of all that the model puts out, mean over the answers.
    """
    if targets_N.is_floating_point():
        return (logits_NC.flatten(1) - targets_N).square().mean(1)
    if targets_N.ndim == 2:
        answers_NT = example_losses(logits_NC.flatten(0, 1), targets_N.flatten(), loss).view(targets_N.shape)
        asked_NT = targets_N != UNSCORED
        return torch.where(asked_NT, answers_NT, 0).sum(1) / asked_NT.sum(1)
    if loss == "cross_entropy":
        return F.cross_entropy(logits_NC, targets_N, reduction="none", ignore_index=UNSCORED)
    if loss in SOFTMAX:
        # Written out, because a kernel may keep the sum of the exponentials in float32. Without `detach` the gradient
        # that the sum has lost would come back through the maximum.
        below_NC = (logits_NC - logits_NC.detach().amax(1, keepdim=True)).to(SOFTMAX[loss])
        losses_N = below_NC.exp().sum(1).log() - below_NC.gather(1, targets_N.clamp(min=0)[:, None])[:, 0]
        return losses_N.to(logits_NC.dtype)
    if loss == "stablemax":
        # x + 1 from 0 on and 1 / (1 - x) below, without a branch whose gradient is infinite where it is not taken.
        shares_NC = F.relu(logits_NC) + 1 / (1 - logits_NC.clamp(max=0))
        return shares_NC.sum(1).log() - shares_NC.gather(1, targets_N.clamp(min=0)[:, None])[:, 0].log()
    targets_NC = targets_N[:, None] == torch.arange(logits_NC.shape[1], device=logits_NC.device)
    errors_NC = (logits_NC - targets_NC.to(logits_NC.dtype)).square()
    return errors_NC.sum(1) if loss == "sse" else errors_NC.mean(1)


def make_train_step(
    module: nn.Module, layout: Layout, optimizer: Any, loss: str, precision: torch.dtype
) -> Callable[..., None]:
    """`step(weights_RW, state, columns, inputs, targets, share_RN, index_RB, keys_R)`, in place.

    `columns` are the optimizer's for this step. Without `index_RB` inputs and targets are each run's own, (R, N, L) and
    (R, N), and `share_RN` is each example's share of the mean loss. With it they are (P, L) and (P,), from which it
    chooses each run's batch, and there are no shares. `keys_R` are for dropout; None without it.
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
        inputs: Tensor,
        targets: Tensor,
        share_RN: Tensor | None,
        index_RB: Tensor | None,
        keys_R: Tensor | None,
    ) -> None:
        if index_RB is not None:
            inputs, targets = inputs[index_RB], targets[index_RB]
            share_RN = torch.full_like(index_RB, 1 / index_RB.shape[1], dtype=torch.float32)
        keys = () if keys_R is None else (keys_R,)
        grads_RW = gradients(weights_RW, inputs, targets, share_RN, *keys)
        optimizer.update(weights_RW, grads_RW, state, columns, layout)

    return step


def for_runs(function: Callable[..., Any], layout: Layout) -> Callable[..., Any]:
    """`function` of one run's tensors, for a pack's: mapped over runs, and called plainly for a large run alone.

    A small one is mapped even alone: another kernel would round differently, and a pack of which one run is left to
    train goes on with the numbers of the whole pack.
    """

    def call(*tensors: Tensor) -> Any:
        if len(tensors[0]) > 1 or layout.num_params < PROFILES[tensors[0].device.type].alone_from_weights:
            return vmap(function)(*tensors)
        result = function(*(tensor[0] for tensor in tensors))
        return result[None] if isinstance(result, Tensor) else {name: part[None] for name, part in result.items()}

    return call


def make_evaluation(
    module: nn.Module, layout: Layout, loss: str, precision: torch.dtype
) -> Callable[..., dict[str, Tensor]]:
    """`evaluate(weights_RW, inputs_RNL, targets_RN)` -> what each metric gives every example, (R, N) floats each.

    `loss` of every task; `accuracy` where answers are tokens, and `token_accuracy` where an example has several.
    """

    def run_scores(vector_W: Tensor, inputs_NL: Tensor, targets_N: Tensor) -> dict[str, Tensor]:
        logits_NC = functional_call(module, layout.named(vector_W.to(precision)), (inputs_NL,)).float()
        return {"loss": example_losses(logits_NC, targets_N, loss), **correctness(logits_NC, targets_N)}

    return torch.no_grad()(for_runs(run_scores, layout))


def correctness(logits_NC: Tensor, targets_N: Tensor) -> dict[str, Tensor]:
    """`accuracy` of each example, 1 or 0; of several answers all must be right, `token_accuracy` is their share.

    The right answers so far are given. All right is then the same as all right when a model goes on from its own best
    answers. An answer counts as correct only if its logit is finite, so that a diverged run does not score by accident.
    """
    if targets_N.is_floating_point():
        return {}
    best_N, answer_N = logits_NC.max(-1)
    correct_N = (answer_N == targets_N) & best_N.isfinite()
    if targets_N.ndim == 1:
        return {"accuracy": correct_N.to(logits_NC.dtype)}
    asked_NT = targets_N != UNSCORED
    return {
        "accuracy": (correct_N | ~asked_NT).all(1).to(logits_NC.dtype),
        "token_accuracy": (correct_N & asked_NT).sum(1) / asked_NT.sum(1),
    }
