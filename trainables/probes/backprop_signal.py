"""The backpropagated signal at the hidden units of a two-layer network: how strong is it, and does it form features?

Source: Tian 2025 (Li2, arXiv 2509.21519). F are the hidden units, F~ the units centred over the examples, Y~ the
centred targets and R the residual of the output layer V; the signal is G = R V'. The paper describes three stages.
First V fits random features, and G says nothing about the task. Once V has fitted, weight decay makes G proportional to
Y~ Y~' F~ (Lemma 1), and each unit climbs an energy of its own whose maxima are features; without decay G is 0. Finally
units overlap and repel each other. The paper also tracks how weights turn between states; a probe sees one state.
"""

# N examples, C classes, D hidden units

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.parts import name_of
from trainables.probes import Finding


def check(spec: Any) -> None:
    """SpecError unless the model has one layer of hidden units, and the loss is the squared error."""
    if name_of(spec.model) != "mlp" or spec.loss not in ("mse", "sse"):
        got = f"{name_of(spec.model)!r} and {spec.loss!r}"
        raise SpecError(f"probe 'backprop_signal' needs model 'mlp' and loss 'mse' or 'sse', got {got}.")


def examine(module: Any, circuit: Circuit) -> Iterator[Finding]:
    """Three numbers over the circuit's training examples, as findings of layer 1 at position `hidden`.

    `signal_norm` is the root mean square of |G| over examples; `signal_alignment` the cosine of G and Y~ Y~' F~;
    `feature_overlap` the share of the squared entries of F~' F~ that is off the diagonal.
    """
    units_ND = module.units(circuit.inputs_NL).float()
    targets_NC = F.one_hot(circuit.targets_N, module.unembedding.shape[1]).float()
    signal_ND = (targets_NC - units_ND @ module.unembedding) @ module.unembedding.T
    for name, value in measures(signal_ND, centred(units_ND), centred(targets_NC)).items():
        yield Finding(1, "hidden", name, value)


def measures(signal_ND: Tensor, units_ND: Tensor, targets_NC: Tensor) -> dict[str, float]:
    """The three numbers of `examine`, from a signal and centred units and targets."""
    lemma_ND = targets_NC @ (targets_NC.T @ units_ND)
    # The squares of the products between units, (D, D), add up to those of the products between examples, (N, N).
    flat = len(units_ND) < units_ND.shape[1]
    products = units_ND @ units_ND.T if flat else units_ND.T @ units_ND
    return {
        "signal_norm": float(signal_ND.square().sum(1).mean().sqrt()),
        "signal_alignment": float(F.cosine_similarity(signal_ND.flatten(), lemma_ND.flatten(), dim=0)),
        "feature_overlap": float(1 - units_ND.square().sum(0).square().sum() / products.square().sum()),
    }


def centred(rows_ND: Tensor) -> Tensor:
    """The rows minus their mean over the examples, (N, D)."""
    return rows_ND - rows_ND.mean(0)
