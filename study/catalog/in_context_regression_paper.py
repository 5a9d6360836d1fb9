"""How many tasks make a network do ridge regression in context, at the size of Raventos et al. (2306.15063)?

8 dimensions, 16 points, 8 layers of width 128, batches of 256, Adam for 500,000 steps, 4 to 2^20 tasks. As in the paper
the learning rate rises for half of the steps and falls again. The paper draws every example afresh; here training has
two million examples, each seen 61 times. A token has x and the previous y, where the paper's have one of the two. Needs
a GPU.
Prediction: networks are closer to dMMSE below 2^14 tasks and closer to ridge above 2^15; near the threshold they are
close first to ridge and then to dMMSE; with 2^20 tasks the loss on new tasks is ridge's.
Finding: open.
"""

import dataclasses

from study.catalog import in_context_regression
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import linear_regression

STUDY = dataclasses.replace(
    in_context_regression.STUDY,
    base=RunSpec(
        task=linear_regression.Task(dimensions=8, points=16, data_size=2**21, test_size=256),
        model=transformer.Model(layers=8, width=128, heads=2, norm="layer"),
        optimizer=adamw.Optimizer(
            learning_rate=1e-3, beta2=0.999, warmup_steps=250_000, schedule="linear", schedule_steps=500_000
        ),
        loss="mse",
        batch_size=256,
        batch_order="hashed",
    ),
    axes={"task.num_tasks": tuple(2**k for k in (2, 4, 6, 8, 10, 12, 13, 14, 15, 16, 18, 20))},
    seeds=6,
    horizon=500_000,
)
