"""Do measures of the circuit that adds make progress before test accuracy does, at the size of Nanda et al. 2023?

The mainline run of arXiv 2301.05217: addition modulo 113, one layer, width 128, 4 heads, 30% of the pairs, AdamW with
rate 1e-3 and decay 1, full batches, 40,000 steps. Splits are random, as in the paper. Needs a GPU.
Prediction: as `progress_measures`, with about five key frequencies; test loss falls after 8,000 steps.
Finding: open.
"""

import dataclasses

from study.catalog import progress_measures
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = dataclasses.replace(
    progress_measures.STUDY,
    base=RunSpec(
        task=modular.Task(p=113, train_fraction=0.3),
        model=transformer.Model(layers=1, width=128, heads=4),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=1.0, warmup_steps=10),
    ),
    axes={"task.train_fraction": (0.3, 0.4)},
    extra=[{"task.train_fraction": 0.3, "task.labels": "random"}],
    seeds=10,
    horizon=40_000,
)
