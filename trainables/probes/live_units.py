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
FIRST_LAYERS = ("hidden", "hidden_1")
"""What `mlp` calls the matrix (I, D) before its hidden units, and what `dense` does."""


def measure(params: dict[str, Tensor], task: Any) -> dict[str, Tensor]:
    """`live_units`, in (0, 1]; nothing for a network with another number of hidden layers."""
    del task
    first = [params[name] for name in FIRST_LAYERS if name in params]
    last = params.get("unembedding")
    if not first or last is None or "embedding" in params or first[0].ndim != 2 or first[0].shape[1:] != last.shape[:1]:
        return {}
    if "hidden_2" in params:
        return {}
    size_D = first[0].norm(dim=0) * last.norm(dim=1)
    return {"live_units": (size_D > LIVE * size_D.max()).float().mean()}
