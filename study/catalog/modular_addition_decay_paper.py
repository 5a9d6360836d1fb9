"""Does weight decay move the boundary between memorizing and generalizing, at the size of the papers?

Nanda et al. 2023 (arXiv 2301.05217): p = 113, one layer, width 128, 4 heads, ReLU, no normalisation, full batch,
AdamW with learning rate 1e-3 and betas (0.9, 0.98), 10 steps of warm-up. Needs a GPU.
Prediction: at decay 1, fractions of 0.3 to 0.5 grok, 0.6 and more generalize at once, and 0.2 and less memorize for
40,000 steps (the paper's window).
Finding: open.
"""

import dataclasses

from study.catalog import modular_addition_decay
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = dataclasses.replace(
    modular_addition_decay.STUDY,
    base=RunSpec(
        task=modular.Task(p=113, train_fraction=0.3),
        model=transformer.Model(layers=1, width=128, heads=4),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=1.0, warmup_steps=10),
    ),
    axes={
        "task.train_fraction": (0.1, 0.2, 0.25, 0.28, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
        "optimizer.weight_decay": (0.0, 0.1, 0.3, 1.0, 3.0),
    },
    seeds=10,
    horizon=40_000,
)
