"""Does a network comprehend, grok, memorize or stay confused, at the size of Liu et al. 2022 (arXiv 2205.10343)?

The paper's map of classification: 16 learning rates of the decoder by 11 decays, the embedding at rate 0.001 without
decay, 100,000 steps, a decoder of 200 units; here with three seeds instead of one. The phases are those of `liu2022`,
the paper's table 1. Needs a GPU.
Prediction: of 176 cells 30 are comprehension, 85 grokking, 50 memorization and 11 confusion, as in the authors' data.
Finding: open.
"""

import dataclasses

from study.catalog import effective_theory
from trainables.models import decoder
from trainables.optimizers import two_rates
from trainables.spec import RunSpec
from trainables.tasks import integer_addition

STUDY = dataclasses.replace(
    effective_theory.STUDY,
    base=RunSpec(
        task=integer_addition.Task(p=10),
        model=decoder.Model(width=200),
        optimizer=two_rates.Optimizer(learning_rate=1e-3, representation_rate=1e-3),
        data_seed=1,
    ),
    axes={
        "optimizer.learning_rate": tuple(float(f"{10 ** (-5 + 0.2 * i):.3g}") for i in range(16)),
        "optimizer.weight_decay": tuple(2.0 * i for i in range(11)),
    },
    horizon=100_000,
    definition="liu2022",
)
