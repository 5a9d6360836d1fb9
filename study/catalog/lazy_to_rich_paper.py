"""Does a network without weight decay generalize later, the lazier it begins, at the size of Gromov 2023?

As `lazy_to_rich`, with Gromov's quadratic network at its size (arXiv 2301.02679, in the settings of Doshi et al. 2023,
2310.13061): addition modulo 97, 500 units, half of the pairs, plain gradient descent. Kumar et al. 2023 (2310.06110)
show modular addition with a transformer, whose output has no scale here. Needs a GPU.
Prediction: as `lazy_to_rich`.
Finding: open.
"""

import dataclasses

from study.catalog import lazy_to_rich
from study.catalog.lazy_to_rich import RATE, SCALE, lazy
from trainables.models import mlp
from trainables.optimizers import sgd
from trainables.spec import RunSpec
from trainables.tasks import modular

BASE_RATE, LARGEST = 3.0, 8.0

STUDY = dataclasses.replace(
    lazy_to_rich.STUDY,
    base=RunSpec(
        task=modular.Task(p=97, train_fraction=0.5),
        model=mlp.Model(width=500),
        optimizer=sgd.Optimizer(learning_rate=BASE_RATE, momentum=0.0),
        loss="sse",
    ),
    axes={SCALE: (1.0,), RATE: (BASE_RATE, BASE_RATE / LARGEST**2)},
    extra=[
        *(lazy(scale, BASE_RATE) for scale in (1.4, 2.0, 2.8, 4.0, LARGEST)),
        lazy(LARGEST, BASE_RATE) | {"task.labels": "random", "task.pairs_together": True},
    ],
    seeds=10,
    horizon=300_000,
)
