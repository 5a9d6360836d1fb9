"""Do memorization capacity and critical data size cross, at the size of Huang et al. 2024 (arXiv 2402.15175)?

The paper's grids in one: 15 widths, 2000 to 5000 examples of addition modulo 113, 11 seeds, and the random-label twin
on all 12,769 pairs. The paper gives neither learning rate, weight decay nor steps; these are from Nanda et al.
(2301.05217). Needs a GPU.
Prediction: width 8 at 3000 examples is in progression, 32 at 2600 memorizes, 64 at 3000 groks, 32 at 3000 semi-groks.
Test accuracy against width falls to 0 at 2600 examples, dips at 3000, and rises without a dip at 4000 and 5000.
Finding: open.
"""

import dataclasses

from study.catalog import circuits_competition
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

WIDTHS = (4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 56, 64, 100)

STUDY = dataclasses.replace(
    circuits_competition.STUDY,
    base=RunSpec(
        task=modular.Task(p=113, train_fraction=None, data_size=3000),
        model=transformer.Model(layers=1, width=32, heads=4),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=1.0, warmup_steps=10),
    ),
    axes={"model.width": WIDTHS, "task.data_size": (*range(2000, 4001, 200), 5000)},
    extra=[{"model.width": width, "task.data_size": 113**2, "task.labels": "random"} for width in WIDTHS],
    seeds=11,
    horizon=40_000,
)
