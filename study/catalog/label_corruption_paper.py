"""Can a network generalize and still memorize corrupted labels, at the size of Doshi et al. 2023 (arXiv 2310.13061)?

p = 97, width 500, AdamW with learning rate 0.01, squared error, full batch, 2000 steps: the paper's figure 3, which
took 72 hours on one GPU, with five seeds instead of one and every second of its shares of wrong labels.
Prediction: the five phases of the paper's table 2 occur at its decays 0, 5, 15 and 20; forgetting appears at 20.
Finding: open.
"""

import dataclasses

from study.catalog import label_corruption
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = dataclasses.replace(
    label_corruption.STUDY,
    base=RunSpec(
        task=modular.Task(p=97, train_fraction=0.5),
        model=mlp.Model(width=500),
        optimizer=adamw.Optimizer(learning_rate=0.01, weight_decay=5.0),
        loss="mse",
    ),
    axes={
        "task.train_fraction": tuple(round(0.1 + 0.05 * i, 2) for i in range(17)),
        "task.label_corruption": tuple(round(0.1 * i, 2) for i in range(10)),
        "optimizer.weight_decay": (0.0, 5.0, 15.0, 20.0),
    },
    seeds=5,
    horizon=2000,
)
