"""Do states with the same bridge lie together? The intra-inter cosine gap (IICG) for every grouping of a circuit.

Source: "The Coverage Principle" (arXiv 2505.20278): the mean cosine between states of two examples with the same bridge
minus that of two examples with different bridges. Both means are over all pairs of examples; the published code also
has a variant that compares group means. 0 means that the grouping says nothing about the state. The gap is large where
the network maps all fragments that lead to the same bridge to one state. A logit lens can miss this, because that state
need not be the one of the bridge's own token. In a circuit that is not a tree, states may cluster only by the bridge
together with another token.
"""

# N examples, L tokens, D width

import math
from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from trainables.circuit import Circuit, Layered
from trainables.probes import Finding


def examine(module: Layered, circuit: Circuit) -> Iterator[Finding]:
    """`iicg_<name>` for everything the circuit looks for and for its groups, at every layer and position.

    Layer 0 is the embedding. A grouping without two equal or without two different examples is left out.
    """
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
    """Weights (N, N) with which a sum of cosines is the mean within groups minus the mean between them.

    The diagonal is 0. Rows and columns are the examples; `number_N` is the group of each.
    """
    same_NN = (number_N[:, None] == number_N).float()
    between_NN = 1 - same_NN
    same_NN.fill_diagonal_(0)
    return same_NN / same_NN.sum() - between_NN / between_NN.sum()
