"""A mixture of experts: a router gives each token to a few of K equal parts of an MLP's hidden units, the experts.

As in OLMoE and in Li et al. 2025 (arXiv 2506.21551): the gates are a softmax over all experts, of which the largest are
kept as they are, not scaled to one again. A mixture has the MLP's weights and the router's, and an expert that is not
chosen gets no gradient. No loss balances the load: the models of our studies use their experts without it.

No shape depends on data, so runs can be packed. Of small experts every unit is computed, and those of other experts are
multiplied by 0. Large ones are computed where they are chosen, as in MegaBlocks (Gale et al. 2022, arXiv 2211.15841):
tokens are sorted by expert into blocks with one expert each.
"""

# N examples, Q asking positions, D width, U hidden units, K experts
# T tokens, C choices of a token, A = T C of all; B blocks, S places of a block, P = B S of all; E units of an expert

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainables.errors import SpecError

BLOCK = 128
"""Places of a block."""
LARGE = 1 << 17
"""Weights of an expert, in one direction, from which it is computed where it is chosen. At the size of `pathways_paper`
(width 384, 8 experts of 1,536 units, 1,536 tokens) a core of a CPU takes 0.42 of the time; not measured on a GPU."""


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


def computed_where_chosen(width: int, num_units: int, experts: int, chosen: int) -> bool:
    """Whether experts are large enough, and few enough of them are chosen, to sort tokens for them; then it is done
    where tokens `fill_blocks`."""
    return experts > 2 * chosen and width * num_units // experts >= LARGE


def fill_blocks(num_tokens: int, experts: int, chosen: int) -> bool:
    """Whether at most half of the blocks' places are empty, so that less is computed than for all experts."""
    return num_tokens * chosen >= BLOCK * experts


def by_expert(x_NQD: Tensor, mlp_in_DU: Tensor, mlp_out_UD: Tensor, share_NQK: Tensor, chosen: int) -> Tensor:
    """What the MLP with `routed` units makes of each token, (N, Q, D), computed for the experts that it has chosen.

    A token's choices are copies of it with a place each, and what they give is added up in the order of their shares:
    no sum depends on the order in which a device gets to it.
    """
    x_TD, share_TK = x_NQD.flatten(0, -2), share_NQK.flatten(0, -2)
    (num_tokens, num_experts), device = share_TK.shape, x_TD.device
    share_TC, expert_TC = share_TK.topk(chosen)
    place_A, expert_B = placed(expert_TC.flatten(), num_experts)
    # The choice at each place; where there is none, that of a token of zeros.
    none_P = torch.full((len(expert_B) * BLOCK,), num_tokens * chosen, device=device)
    choice_P = none_P.scatter(0, place_A, torch.arange(num_tokens * chosen, device=device))
    x_PD = F.pad(x_TD.repeat_interleave(chosen, 0), (0, 0, 0, 1))[choice_P]
    share_P = F.pad(share_TC.flatten(), (0, 1))[choice_P].to(x_TD.dtype)
    into_BDE = _of_blocks(mlp_in_DU.unflatten(1, (num_experts, -1)).transpose(0, 1), expert_B)
    out_BED = _of_blocks(mlp_out_UD.unflatten(0, (num_experts, -1)), expert_B)
    units_BSE = F.relu(x_PD.unflatten(0, (-1, BLOCK)) @ into_BDE) * share_P.unflatten(0, (-1, BLOCK))[..., None]
    found_PD = (units_BSE @ out_BED).flatten(0, 1)
    return found_PD[place_A].unflatten(0, (num_tokens, chosen)).sum(1).unflatten(0, x_NQD.shape[:-1])


def placed(expert_A: Tensor, num_experts: int) -> tuple[Tensor, Tensor]:
    """A place for each choice so that every block of places has one expert, and the expert of each block."""
    number_K = torch.arange(num_experts, device=expert_A.device)
    chosen_AK = (expert_A[:, None] == number_K).long()
    blocks_K = (chosen_AK.sum(0) + BLOCK - 1) // BLOCK
    end_K = blocks_K.cumsum(0)
    earlier_A = ((chosen_AK.cumsum(0) - 1) * chosen_AK).sum(1)  # choices of the same expert before this one
    first_A = (chosen_AK * (end_K - blocks_K)).sum(1)
    num_blocks = len(expert_A) // BLOCK + num_experts  # at most: each expert's last block may be part empty
    number_B = torch.arange(num_blocks, device=expert_A.device)
    expert_B = (number_B[:, None] >= end_K).sum(1).clamp(max=num_experts - 1)
    return first_A * BLOCK + earlier_A, expert_B


def _of_blocks(weights_KIO: Tensor, expert_B: Tensor) -> Tensor:
    """The weights of each block's expert, (B, I, O), by a product: its gradient is one, too, and no sum of copies."""
    number_K = torch.arange(len(weights_KIO), device=expert_B.device)
    chosen_BK = (expert_B[:, None] == number_K).to(weights_KIO.dtype)
    return (chosen_BK @ weights_KIO.flatten(1)).unflatten(1, weights_KIO.shape[1:])
