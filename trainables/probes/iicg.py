"""Do states that share a bridge lie together? The intra-inter cosine gap (IICG) of every group that a circuit names.

Source: "The Coverage Principle" (arXiv 2505.20278): mean cosine of the states of two examples with one bridge, less
that of two examples with different ones. Here both means go over all pairs of examples (the published code also has a
variant that compares the means of groups). 0 = the grouping says nothing about the state; it is large where the
network has made one state of all fragments that lead to the bridge. A logit lens can miss this: the state need not be
the one that the bridge's own token has. Where a circuit is no tree, the states can cluster by bridge and another token
alone.
"""

# N examples, L tokens, D width

import math
from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from trainables.circuit import Circuit, Layered
from trainables.probes import Finding


def examine(module: Layered, circuit: Circuit) -> Iterator[Finding]:
    """`iicg_<name>` for what the circuit looks for and for its groups, at every layer (0 = embedding) and position;
    none for a grouping without two equal or two different examples."""
    groupings = {name: gap_weights(number_N) for name, number_N in (circuit.looked_for | circuit.groups).items()}
    x_NLD = module.embed(circuit.inputs_NL)
    for layer in range(module.depth + 1):
        if layer:
            x_NLD = module.layer(layer, x_NLD, circuit.inputs_NL)
        for place, position in enumerate(circuit.positions):
            direction_ND = F.normalize(x_NLD[:, place].float(), dim=1)
            cosine_NN = direction_ND @ direction_ND.T
            for name, weight_NN in groupings.items():
                gap = float((weight_NN * cosine_NN).sum())
                if math.isfinite(gap):
                    yield Finding(layer, position, f"iicg_{name}", gap)


def gap_weights(number_N: Tensor) -> Tensor:
    """Weights of cosines whose sum is the mean within groups less the mean between them, (N, N); 0 on the diagonal."""
    same_NN = (number_N[:, None] == number_N).float()
    between_NN = 1 - same_NN
    same_NN.fill_diagonal_(0)
    return same_NN / same_NN.sum() - between_NN / between_NN.sum()
