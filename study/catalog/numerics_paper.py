"""Does a softmax of few bits stop a network from generalizing, at the size of Prieto et al. 2025 (arXiv 2501.04697)?

Figure 2: p = 113, AdamW with learning rate 5e-4 and beta2 0.99, full batches, 20,000 steps, 40, 60 and 70% of the
pairs. The authors' network has two hidden layers of 200 units, this one has one; they have epsilon 1e-30 at 40% and
1e-8 elsewhere.
Prediction: at 60% test accuracy ends at about 0.15 in 16 bits, 0.3 in 32 and 0.5 in 64.
Finding: open.
"""

import dataclasses

from study.catalog import numerics
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = dataclasses.replace(
    numerics.STUDY,
    base=RunSpec(
        task=modular.Task(p=113, train_fraction=0.6),
        model=mlp.Model(width=200, activation="relu"),
        optimizer=adamw.Optimizer(learning_rate=5e-4, beta2=0.99, epsilon=1e-30),
    ),
    axes={**numerics.STUDY.axes, "task.train_fraction": (0.4, 0.6, 0.7)},
    seeds=10,
    horizon=20_000,
)
