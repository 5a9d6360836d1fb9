"""Which operations are grokked, and how many steps does a percent of the table save, at the size of Power et al. 2022?

arXiv 2201.02177: two layers of width 128, AdamW with rate 1e-3 and decay 1, batches of 512, 100,000 steps; modulo 97,
and products in the group S5, whose table has 14,400 pairs. Needs a GPU.
Prediction: as `operations`. In S5, between 25 and 30% of the pairs, each percent less takes 40 to 50% more steps.
Finding: open.
"""

import dataclasses

from study.catalog import operations
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular

STUDY = dataclasses.replace(
    operations.STUDY,
    base=RunSpec(
        task=modular.Task(p=97, train_fraction=0.95),
        model=transformer.Model(layers=2, width=128, heads=4, norm="layer"),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=1.0, warmup_steps=10),
        batch_size=512,
        batch_order="hashed",
    ),
    axes={
        "task.operation": ("add", "sub", "mul", "div", "quadratic", "cubic", "cubic_plus_b"),
        "task.train_fraction": (0.95,),
    },
    extra=[
        {"task": "group", "task.group": "S5", "task.train_fraction": fraction}
        for fraction in (0.25, 0.26, 0.27, 0.28, 0.29, 0.3, 0.35, 0.4, 0.5)
    ],
    horizon=100_000,
    evaluation_share=None,
)
