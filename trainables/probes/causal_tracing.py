"""Which states carry the answer? Patch a state from a forward pass with another token, and see if the answer changes.

Source: Wang et al. 2024 (arXiv 2405.15071), section 3.3 and causal_tracing_composition.py. The token at a position is
replaced by a random one that changes the answer. The state after block l at that position then replaces the state in
the normal forward pass, and the later blocks are computed again. The causal strength is the share of examples whose
first answer is no longer right. The models are causal, so later tokens of the replaced example do not matter.
"""

# N examples, L tokens, C classes

from collections.abc import Iterator

from torch import Tensor

from trainables.circuit import Circuit, Layered
from trainables.probes import Finding


def examine(module: Layered, circuit: Circuit) -> Iterator[Finding]:
    """`strength` for every layer and replaced token, and `accuracy` of the normal pass at the last layer and position.

    Layer 0 is the embedding, so its strength is the whole effect of the token.
    """
    normal = states(module, circuit.inputs_NL)
    answers_N = answer(module, normal[-1])
    yield Finding(module.depth, circuit.positions[-1], "accuracy", share(answers_N == circuit.targets_N))
    for name, (patched, inputs_NL) in circuit.replaced.items():
        other = states(module, inputs_NL)
        for layer in range(module.depth):
            x_NLD = normal[layer].clone()
            x_NLD[:, patched] = other[layer][:, patched]
            for later in range(layer + 1, module.depth + 1):
                x_NLD = module.layer(later, x_NLD, circuit.inputs_NL)
            changed_N = answer(module, x_NLD) != circuit.targets_N
            yield Finding(layer, name, "strength", share(changed_N))


def states(module: Layered, inputs_NL: Tensor) -> list[Tensor]:
    """S[0], ..., S[depth], each (N, L, D)."""
    found = [module.embed(inputs_NL)]
    for layer in range(1, module.depth + 1):
        found.append(module.layer(layer, found[-1], inputs_NL))
    return found


def answer(module: Layered, x_NLD: Tensor) -> Tensor:
    """The first answer, read at the last of these positions, (N,)."""
    return module.read(x_NLD[:, -1]).argmax(1)


def share(true_N: Tensor) -> float:
    """Share of entries that are True."""
    return float(true_N.float().mean())
