"""What comes back to the hidden units of a two-layer network: how strong it is, and whether it makes features.

Source: Tian 2025 (Li2, arXiv 2509.21519). With hidden units F (centred over the examples: F~), targets Y~ (centred)
and the residual R of the output layer V, the signal is G = R V'. Its stages: at first V fits random features and G says
nothing about the task; with weight decay, once V has fitted, G is proportional to Y~ Y~' F~ (Lemma 1), each unit by
itself climbs an energy whose maxima are features, and without decay G is 0; at last units overlap and push each other
away. The paper also follows how weights turn from one state to the next; a probe sees one state.
"""

# N examples, C classes, D hidden units

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.probes import Finding
from trainables.spec import name_of


def check(spec: Any) -> None:
    """SpecError unless the model has one layer of hidden units, and the loss is the squared error."""
    if name_of(spec.model) != "mlp" or spec.loss != "mse":
        raise SpecError(
            f"probe 'backprop_signal' needs model 'mlp' and loss 'mse', got {name_of(spec.model)!r} and {spec.loss!r}."
        )


def examine(module: Any, circuit: Circuit) -> Iterator[Finding]:
    """Of the circuit's training examples: `signal_norm`, the root mean square over examples of |G|; `signal_alignment`,
    the cosine of G and Y~ Y~' F~; `feature_overlap`, the share of F~' F~ that is off its diagonal, in squares."""
    units_ND = module.units(circuit.inputs_NL).float()
    targets_NC = F.one_hot(circuit.targets_N, module.unembedding.shape[1]).float()
    signal_ND = (targets_NC - units_ND @ module.unembedding) @ module.unembedding.T
    for name, value in measures(signal_ND, centred(units_ND), centred(targets_NC)).items():
        yield Finding(1, "hidden", name, value)


def measures(signal_ND: Tensor, units_ND: Tensor, targets_NC: Tensor) -> dict[str, float]:
    """The three numbers, of a signal and of centred units and targets."""
    lemma_ND = targets_NC @ (targets_NC.T @ units_ND)
    gram_DD = units_ND.T @ units_ND
    return {
        "signal_norm": float(signal_ND.square().sum(1).mean().sqrt()),
        "signal_alignment": float(F.cosine_similarity(signal_ND.flatten(), lemma_ND.flatten(), dim=0)),
        "feature_overlap": float(1 - gram_DD.diag().square().sum() / gram_DD.square().sum()),
    }


def centred(rows_ND: Tensor) -> Tensor:
    """Less the mean over the examples."""
    return rows_ND - rows_ND.mean(0)
