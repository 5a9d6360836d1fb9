"""How far the tangent kernel of a two-layer network is aligned with its labels: do its gradients know the answer yet?

Source: Kumar et al. 2023 (arXiv 2310.06110). A lazy network fits with the kernel that it began with, a rich one turns
its kernel towards the task. Two examples have the tangent kernel K = sum over outputs of the product of their
gradients; the labels' kernel Y is 1 for two examples with one label and 0 otherwise. Alignment is the cosine of both
after centring, 1 where the kernel is that of the labels. It is the tangent kernel and not the Gram matrix of the hidden
units, because laziness is about it, and this network has it in closed form: to the Gram matrix it adds how the hidden
weights learn, between examples that share an operand. A probe sees one state, so how far the kernel has moved from its
start cannot be told here; `weight_norm` says how large the weights have become.
"""

# N examples, D hidden units

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.parts import name_of
from trainables.probes import Finding


def check(spec: Any) -> None:
    """SpecError unless the model is the two-layer network."""
    if name_of(spec.model) != "mlp":
        raise SpecError(f"probe 'kernel_alignment' needs model 'mlp', got {name_of(spec.model)!r}.")


def examine(module: Any, circuit: Circuit) -> Iterator[Finding]:
    """`kernel_alignment` over the circuit's training examples, a finding of layer 1 at position `hidden`."""
    same_NN = (circuit.targets_N[:, None] == circuit.targets_N).float()
    value = alignment(tangent_kernel(module, circuit.inputs_NL), same_NN)
    yield Finding(1, "hidden", "kernel_alignment", float(value))


def tangent_kernel(module: Any, inputs_NL: Tensor) -> Tensor:
    """Products of the gradients of each two examples, summed over outputs, (N, N)."""
    left_N, right_N = inputs_NL[:, 0], inputs_NL[:, 1]
    with torch.enable_grad():
        before_ND = (module.hidden[: module.p][left_N] + module.hidden[module.p :][right_N]).detach().requires_grad_()
        units_ND = module.activation(before_ND)
        (slope_ND,) = torch.autograd.grad(units_ND.sum(), before_ND)
    units_ND = units_ND.detach()
    num_outputs = module.unembedding.shape[1]
    shared_NN = (left_N[:, None] == left_N).float() + (right_N[:, None] == right_N).float()
    of_hidden_NN = shared_NN * ((slope_ND * module.unembedding.square().sum(1)) @ slope_ND.T)
    return module.output_scale**2 * (num_outputs * units_ND @ units_ND.T + of_hidden_NN)


def alignment(kernel_NN: Tensor, other_NN: Tensor) -> Tensor:
    """Cosine of two symmetric kernels whose rows and columns have mean 0."""
    return F.cosine_similarity(centred(kernel_NN).flatten(), centred(other_NN).flatten(), dim=0)


def centred(kernel_NN: Tensor) -> Tensor:
    """The kernel of features that have mean 0 over the examples."""
    return kernel_NN - kernel_NN.mean(0) - kernel_NN.mean(1, keepdim=True) + kernel_NN.mean()
