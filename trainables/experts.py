"""A mixture of experts: a router gives each token to a few of K equal parts of an MLP's hidden units, the experts.

As in OLMoE and in Li et al. 2025 (arXiv 2506.21551): the gates are a softmax over all experts, of which the largest are
kept as they are, not scaled to one again. A mixture has the MLP's weights and the router's. Every unit is computed and
those of other experts are multiplied by 0, so shapes do not depend on data and runs can be packed; an expert that is
not chosen gets no gradient. No loss balances the load: the models of our studies use their experts without it.
"""

# N examples, Q asking positions, D width, U hidden units, K experts

from typing import Any

import torch
from torch import Tensor, nn

from trainables.errors import SpecError


def check_experts(model: Any, num_units: int) -> None:
    """SpecError unless `num_units` hidden units of each MLP can be split as `model` says."""
    experts, chosen = model.experts, model.experts_per_token
    if experts < 0:
        raise SpecError(f"transformer.experts must be 0 or larger, got {experts}; 0 is an MLP without experts.")
    if experts == 0 and chosen != 2:
        raise SpecError(f"transformer.experts_per_token needs transformer.experts, got {chosen} and experts=0.")
    if experts and not 1 <= chosen <= experts:
        raise SpecError(f"transformer.experts_per_token must be in [1, {experts}] (the experts), got {chosen}.")
    if experts and model.split_mlp:
        raise SpecError(f"transformer.split_mlp has a router of its own, got experts={experts}. Set one of them to 0.")
    if experts and num_units % experts:
        raise SpecError(
            f"transformer.experts must divide the {num_units} hidden units (mlp_ratio * width), got {experts}."
        )


class Router(nn.Module):
    """(N, Q, D) -> the share of each expert, (N, Q, K): a softmax over all of them, in float32."""

    def __init__(self, weight_DK: nn.Parameter) -> None:
        super().__init__()
        self.weight = weight_DK

    def forward(self, x_NQD: Tensor) -> Tensor:
        return (x_NQD.flatten(0, -2) @ self.weight).unflatten(0, x_NQD.shape[:-1]).float().softmax(-1)


def routed(units_NQU: Tensor, share_NQK: Tensor, chosen: int) -> Tensor:
    """The units of the `chosen` experts with the largest shares, times their share; 0 for the others."""
    kept_NQK = torch.zeros_like(share_NQK).scatter(-1, share_NQK.topk(chosen).indices, 1)
    gate_NQK = (share_NQK * kept_NQK).to(units_NQU.dtype)
    return (units_NQU.unflatten(-1, (share_NQK.shape[-1], -1)) * gate_NQK[..., None]).flatten(-2)
