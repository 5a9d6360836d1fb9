"""Does a network that generalizes forget when it continues with less data, at the size of Varma et al. (2309.02390)?

Seven data sizes from 390 to 1494 of addition modulo 113 for networks that first train on all pairs, ten seeds; and
sizes up to 3000 from scratch. We do not know the paper's optimizer; this one is from Nanda et al. (2301.05217). Needs a
GPU.
Prediction: the final test accuracy falls sharply around one critical size, the same for every weight decay. To reach
0.7 a network needs about 2000 examples from scratch, and 800 to 1000 after grokking.
Finding: open.
"""

import dataclasses

from study.catalog import ungrokking
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = dataclasses.replace(
    ungrokking.STUDY,
    base=RunSpec(
        task=modular.Task(p=113, train_fraction=None, data_size=1000),
        model=transformer.Model(layers=1, width=128, heads=4),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=1.0, warmup_steps=10),
    ),
    axes={
        "full_data_steps": (0, 5_000),
        "task.data_size": (390, 488, 610, 763, 955, 1194, 1494, 2000, 2500, 3000),
        "optimizer.weight_decay": (0.3, 1.0, 3.0),
    },
    seeds=10,
    horizon=105_000,
)
