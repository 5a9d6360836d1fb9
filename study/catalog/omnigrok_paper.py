"""Does a large initial scale make images grok, and is the delay the time that decay takes, at the paper's sizes?

Liu et al. 2022 (Omnigrok, arXiv 2210.01117) and its published code: 200 units a layer, 1,000 images, batches of 200,
AdamW at rate 0.001, 100,000 steps. The images are scikit-learn's digits, for MNIST does not come with this package.
Needs a GPU.
Prediction: as `omnigrok`.
Finding: open.
"""

import dataclasses

from study.catalog import omnigrok
from trainables.models import dense
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import digits

STUDY = dataclasses.replace(
    omnigrok.STUDY,
    base=RunSpec(
        task=digits.Task(data_size=1000),
        model=dense.Model(layers=2, width=200),
        optimizer=adamw.Optimizer(learning_rate=1e-3, weight_decay=0.1, beta2=0.999),
        loss="mse",
        batch_size=200,
    ),
    axes={
        "model.init_scale": (0.5, 1.0, 2.0, 4.0, 8.0),
        "optimizer.weight_decay": (0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    },
    horizon=100_000,
    evaluation_share=None,
)
