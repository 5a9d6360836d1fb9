"""A network's outputs for the first examples of its circuit, so that networks with the same inputs can be compared.

Source: Kadkhodaie et al. 2024 (arXiv 2310.02557), whose test of generalization needs no ground truth: do two networks
trained on different data give the same answers? It makes sense for a task whose circuit is the same for every seed.
"""

from collections.abc import Iterator

from trainables.circuit import Circuit, Layered
from trainables.probes import Finding

NUM_EXAMPLES = 32
"""Examples recorded; each gives one finding for every output of the network."""


def examine(module: Layered, circuit: Circuit) -> Iterator[Finding]:
    """`output_<c>` of the last layer for each of the first examples; the position is the example's number."""
    x_NLD = module.embed(circuit.inputs_NL[:NUM_EXAMPLES])
    for layer in range(1, module.depth + 1):
        x_NLD = module.layer(layer, x_NLD, circuit.inputs_NL[:NUM_EXAMPLES])
    for example, outputs in enumerate(module.read(x_NLD[:, -1]).float().tolist()):
        for output, value in enumerate(outputs):
            yield Finding(module.depth, str(example), f"output_{output}", value)
