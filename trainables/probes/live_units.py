"""Share of the hidden units that are live, in networks with one hidden layer.

Merrill et al. 2023 (arXiv 2303.11873): after grokking on sparse parity a few units have grown and all others have
decayed, so that a sparse subnetwork answers. Decay shrinks what goes into a unit together with what comes out of it,
and their product is what the unit can contribute, however it is divided between the two.
"""

# D hidden units, I inputs, C classes

from typing import Any

from torch import Tensor

LIVE = 0.1
"""A unit is live where its size is above this fraction of the largest."""
OTHERS = ("embedding", "hidden_2")
"""What networks have that are not of two layers."""


def measure(params: dict[str, Tensor], task: Any) -> dict[str, Tensor]:
    """`live_units`, in (0, 1]; nothing for a network with another number of hidden layers."""
    del task
    first, last = params.get("hidden", params.get("hidden_1")), params.get("unembedding")  # of `mlp`, of `dense`
    if first is None or last is None or not params.keys().isdisjoint(OTHERS):
        return {}
    if first.ndim != 2 or last.ndim != 2 or first.shape[1] != last.shape[0]:  # somebody's own model
        return {}
    size_D = first.norm(dim=0) * last.norm(dim=1)
    return {"live_units": (size_D > LIVE * size_D.max()).float().mean()}
