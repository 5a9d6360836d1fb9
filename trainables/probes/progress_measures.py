"""Progress measures for modular addition: how much of a network answers by a few waves in a + b, and how much by rote.

Source: Nanda et al. 2023 (arXiv 2301.05217). A network that generalizes answers with waves of a few key
frequencies in a + b; its logits at all p^2 pairs, averaged over the pairs with one sum, are all that it has of waves in
a + b. Restricted loss: of the constant term and the waves of the key frequencies alone. Excluded loss: of the logits
without those waves. The paper takes the key frequencies from the end of training and reads the same ones off every
earlier step. A probe sees one state, so here they are the key frequencies of that state: those whose wave is larger
than `TIMES_MEAN` times the mean wave. A network that has memorized has a little of every frequency, so it has hardly
any key frequency, its restricted loss is that of guessing or worse, and its excluded loss is its training loss. A rule
by share of power, such as the fewest frequencies with nine tenths, would give it nearly all frequencies; restricted to
these it seems to know held-out pairs, because the training pairs with the same sum answer for them in the average. What
this rule cannot see is a network that uses all frequencies alike, as very wide ones may: it has no key frequency.
"""

# N examples, P residues, S sums and C classes (P of each), K frequencies 0..(p-1)/2, D width

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from trainables.circuit import Circuit
from trainables.errors import SpecError
from trainables.parts import name_of
from trainables.probes import Finding
from trainables.probes.fourier import residue_tables

MODELS = ("transformer", "mlp")
"""Those with an embedding of residues and an unembedding."""
TIMES_MEAN = 1.5
"""A key frequency's wave has a norm of more than so many times the mean norm over all frequencies."""


class Waves(NamedTuple):
    """What logits have of waves in a + b."""

    constant_C: Tensor
    key_SC: Tensor
    """The waves of all key frequencies together, at each sum."""
    num_key: int


def check(spec: Any) -> None:
    """SpecError unless a transformer or an mlp adds modulo an odd number, and is trained with cross-entropy."""
    task = spec.task
    if name_of(spec.model) not in MODELS or spec.loss != "cross_entropy":
        raise SpecError(
            f"probe 'progress_measures' needs model {' or '.join(MODELS)} and loss 'cross_entropy', got "
            f"{name_of(spec.model)!r} and {spec.loss!r}."
        )
    if name_of(task) != "modular" or task.operation != "add" or task.p % 2 == 0:
        raise SpecError(f"probe 'progress_measures' needs task 'modular' with operation 'add' and odd p, got {task!r}.")


def examine(module: Any, circuit: Circuit) -> Iterator[Finding]:
    """Three findings of the logits, in layer 1, and one of the embedding, layer 0.

    `key_frequencies` is their number; `restricted_loss`, in nats, is over all pairs with their true sums;
    `excluded_loss` over the circuit's training pairs with their labels; `gini` is of the embedding.
    """
    p = module.unembedding.shape[1]
    sums_S = torch.arange(p, device=circuit.inputs_NL.device)
    pairs_N2 = torch.cartesian_prod(sums_S, sums_S)
    equals_N1 = torch.full_like(pairs_N2[:, :1], p)
    waves = waves_of_sum(module(torch.cat([pairs_N2, equals_N1], dim=1)).float(), pairs_N2.sum(1) % p)
    excluded_NC = module(circuit.inputs_NL).float() - waves.key_SC[circuit.inputs_NL[:, :2].sum(1) % p]
    table_PD = residue_tables(dict(module.named_parameters()), p)[0].float()
    yield Finding(1, "logits", "key_frequencies", float(waves.num_key))
    # All pairs with one sum have the same logits, and equally many pairs have each sum.
    yield Finding(1, "logits", "restricted_loss", float(F.cross_entropy(waves.constant_C + waves.key_SC, sums_S)))
    yield Finding(1, "logits", "excluded_loss", float(F.cross_entropy(excluded_NC, circuit.targets_N)))
    yield Finding(0, "embedding", "gini", float(gini(wave_norms(table_PD))))


def waves_of_sum(logits_NC: Tensor, sums_N: Tensor) -> Waves:
    """What logits at all p^2 pairs have of waves in a + b."""
    p = logits_NC.shape[1]
    mean_SC = torch.zeros_like(logits_NC[:p]).index_add_(0, sums_N, logits_NC) / p
    spectrum_KC = torch.fft.rfft(mean_SC, dim=0)
    norm_K = spectrum_KC.abs().square().sum(1).sqrt()
    norm_K[0] = 0  # the constant is no wave
    is_key_K = norm_K > TIMES_MEAN * norm_K.sum() / (p // 2)
    key_SC = torch.fft.irfft(spectrum_KC * is_key_K[:, None], n=p, dim=0)
    return Waves(mean_SC.mean(0), key_SC, int(is_key_K.sum()))


def wave_norms(table_PD: Tensor) -> Tensor:
    """Norms over the columns of the table's sine and cosine at each frequency from 1 on, (p - 1,)."""
    spectrum_KD = torch.fft.rfft(table_PD, dim=0)[1:]
    return torch.cat([spectrum_KD.real, spectrum_KD.imag]).norm(dim=1)


def gini(sizes_N: Tensor) -> Tensor:
    """Gini coefficient of sizes: 0 where all are equal, 1 - 1/N where one has it all."""
    sorted_N = sizes_N.sort().values
    rank_N = torch.arange(1, len(sizes_N) + 1).to(sizes_N)
    return (2 * rank_N - len(sizes_N) - 1) @ sorted_N / (len(sizes_N) * sorted_N.sum().clamp(min=1e-30))
