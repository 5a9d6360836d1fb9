"""The logit lens: each state of the residual stream, read by the output layer. Does it contain the bridge entity?

Source: nostalgebraist 2020 for the lens; Wang et al. 2024 (arXiv 2405.15071), section 3.3. S[l, p] is the residual
stream after block l (0 = embedding) at position p, read through the final norm and the output layer. The paper reports
the mean reciprocal rank (MRR) among all tokens of the bridge entity, of the last relation and of the answer, over 300
training examples.
"""

# N examples, L tokens, C classes, S members of a set

from collections.abc import Iterator

import torch
from torch import Tensor

from trainables.circuit import Circuit, Layered
from trainables.probes import Finding


def examine(module: Layered, circuit: Circuit) -> Iterator[Finding]:
    """`mrr_<name>` for all that the circuit looks for and `recall_<name>` for its sets, at every layer and position.

    The recall is the share of a set of S tokens that is among the S tokens with the largest logits.
    """
    x_NLD = module.embed(circuit.inputs_NL)
    for layer in range(module.depth + 1):
        if layer:
            x_NLD = module.layer(layer, x_NLD, circuit.inputs_NL)
        logits_NLC = module.read(x_NLD).float()
        for place, position in enumerate(circuit.positions):
            logits_NC = logits_NLC[:, place]
            for name, tokens_N in circuit.looked_for.items():
                yield Finding(layer, position, f"mrr_{name}", float((1 / (1 + rank(logits_NC, tokens_N))).mean()))
            for name, tokens_NS in circuit.sets.items():
                ranks = torch.stack([rank(logits_NC, tokens_N) for tokens_N in tokens_NS.unbind(1)])
                yield Finding(layer, position, f"recall_{name}", float((ranks < tokens_NS.shape[1]).float().mean()))


def rank(logits_NC: Tensor, tokens_N: Tensor) -> Tensor:
    """How many tokens have a larger logit, plus half of the others with an equal one: (N,) floats, 0 = first place."""
    own_N1 = logits_NC.gather(1, tokens_N[:, None])
    ranks_N = (logits_NC > own_N1).sum(1) + ((logits_NC == own_N1).sum(1) - 1) / 2
    return torch.where(own_N1[:, 0].isnan(), logits_NC.shape[1] - 1, ranks_N)
