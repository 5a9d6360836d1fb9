"""Softmax collapse: the share of examples whose cross-entropy is exactly zero, in 16, 32 and 64 bits.

Source: Prieto et al. 2025 (arXiv 2501.04697), section 3. Where the logit of the right class is so far above the others
that their exponentials are lost in the sum, the loss of an example is zero, and so is the gradient of that logit. All
three precisions are asked of the same logits, whatever the loss that the run trains with.
"""

from collections.abc import Iterator
from typing import Any

from trainables.answers import asks_for_numbers
from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.parts import name_of
from trainables.probes import Finding
from trainables.step import example_losses

LOSSES = {"zero_loss_16": "cross_entropy_16", "zero_loss_32": "cross_entropy", "zero_loss_64": "cross_entropy_64"}


def check(spec: Any) -> None:
    """SpecError for a task that asks for numbers: nothing there has a softmax."""
    if asks_for_numbers(spec.task):
        raise SpecError(f"probe 'softmax_collapse' needs a task with classes, and {name_of(spec.task)!r} has numbers.")


def examine(module: Any, circuit: Circuit) -> Iterator[Finding]:
    """`zero_loss_16`, `zero_loss_32` and `zero_loss_64`, as findings at position `output` after the last layer."""
    logits_NC = module(circuit.inputs_NL).float()
    for metric, loss in LOSSES.items():
        zero_N = example_losses(logits_NC, circuit.targets_N, loss) == 0
        yield Finding(1, "output", metric, float(zero_N.float().mean()))
